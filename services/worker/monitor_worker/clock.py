"""The worker's time, and the word that it is to stop: a turn that waits is woken by it."""

import threading
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock; waiting is measured on the monotonic one."""

    def __init__(self) -> None:
        self._draining = threading.Event()

    def now(self) -> datetime:
        """The time (UTC)."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds on a clock that nobody sets."""
        return time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Wait that long; False, and at once, when the worker drains."""
        return not self._draining.wait(max(seconds, 0.0))

    def drain(self) -> None:
        """End every wait, now and from here on."""
        self._draining.set()

    @property
    def is_draining(self) -> bool:
        """Whether the worker is to stop."""
        return self._draining.is_set()
