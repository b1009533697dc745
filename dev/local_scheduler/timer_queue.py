"""Runs things at their time on one thread, however many there are: ten thousand sleeping monitors are cheap."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

LONGEST_NAP_SECONDS = 10.0
"""Due times are wall-clock times, naps are not: if the machine slept, this bounds the delay."""

_logger = logging.getLogger(__name__)


class TimerQueue:
    """Callables and their due times. Between `stop` and the next `start` they are kept and do not run."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._running = False

    def at(self, when: datetime, action: Callable[[], None]) -> None:
        """Run `action` at the aware time `when` (at once, if that has passed) on the queue's thread."""
        with self._changed:
            heapq.heappush(self._entries, (when.timestamp(), next(self._order), action))
            self._changed.notify()

    def start(self) -> None:
        """Start the thread."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name="local-scheduler-timers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it; an action under way is let finish."""
        with self._changed:
            self._running = False
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def clear(self) -> None:
        """Forget all that is pending."""
        with self._changed:
            self._entries.clear()

    def _run(self) -> None:
        while (action := self._next_due()) is not None:
            try:
                action()
            except Exception:
                _logger.exception("A timer failed; the others go on")

    def _next_due(self) -> Callable[[], None] | None:
        with self._changed:
            while self._running:
                nap = self._entries[0][0] - time.time() if self._entries else LONGEST_NAP_SECONDS
                if nap <= 0:
                    return heapq.heappop(self._entries)[2]
                self._changed.wait(min(nap, LONGEST_NAP_SECONDS))
        return None
