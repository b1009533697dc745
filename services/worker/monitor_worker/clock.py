"""The worker's time, and the word that it is to stop: a turn that waits is woken by it."""

import asyncio
import math
import time
from datetime import UTC, datetime
from typing import Final

TICK_SECONDS: Final = 0.02
"""Waits end on ticks of this length, many at once: to wake the loop for each cost more than the checks did."""


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
        """Wait that long, and a tick longer at most; False, and at once, when the worker drains."""
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        timer = loop.call_at(_tick_at(loop.time() + max(seconds, 0.0)), _end, over)
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


def _tick_at(seconds: float) -> float:
    """The first tick that is not before this time of the loop."""
    return math.ceil(seconds / TICK_SECONDS) * TICK_SECONDS


def _end(wait: asyncio.Future[None]) -> None:
    if not wait.done():
        wait.set_result(None)
