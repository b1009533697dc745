"""Who may keep its slot while it waits: a turn that waits for its next check holds one of the worker's activities.

With more monitors than slots, those that wait would keep others from theirs. So waiting is for as long as there is
room: a part of the slots is never waited in, and serves whoever comes. Each turn asks before each wait, and
nothing swings: of twice as many monitors as slots one half waits cheaply, the other is checked as by a plain loop.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from monitor_core.pace import WAITING_SHARE


class Slots:
    """The slots of a worker's turns. Safe on any thread.

    Args:
        number: how many activities the worker runs at a time.
    """

    def __init__(self, number: int) -> None:
        self._lock = threading.Lock()
        self._waited_in = max(number * WAITING_SHARE, 1.0)
        self._taken = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a slot for as long as a block runs."""
        with self._lock:
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1

    def has_room(self) -> bool:
        """Whether the holder of a slot may wait in it."""
        return self._taken <= self._waited_in
