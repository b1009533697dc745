"""The worker's time, and the word that it is to stop: a turn that waits is woken by it."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock; waiting is measured on the monotonic one."""

    def __init__(self) -> None:
        self._draining = False
        self._waits: set[asyncio.Future[None]] = set()

    def now(self) -> datetime:
        """The time (UTC)."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds on a clock that nobody sets."""
        return time.monotonic()

    async def wait(self, seconds: float) -> bool:
        """Wait that long; False, and at once, when the worker drains."""
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        timer = loop.call_later(max(seconds, 0.0), _end, over)
        self._waits.add(over)
        try:
            # Asked once the wait can be found: a drain from another thread either is seen here or ends it.
            if not self._draining:
                await over
        finally:
            timer.cancel()
            self._waits.discard(over)
        return not self._draining

    def drain(self) -> None:
        """End every wait, now and from here on. For any thread."""
        self._draining = True
        for over in tuple(self._waits):
            over.get_loop().call_soon_threadsafe(_end, over)

    @property
    def is_draining(self) -> bool:
        """Whether the worker is to stop."""
        return self._draining


def _end(wait: asyncio.Future[None]) -> None:
    if not wait.done():
        wait.set_result(None)
