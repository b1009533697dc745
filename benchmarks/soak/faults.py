"""What goes wrong in a soak: workers killed and told to stop, the scheduler paused; one at a time, by the seed."""

import asyncio
import random
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from stack import Process, Stack
from up_smoke.evidence import Window

RECOVERY: Final = timedelta(seconds=5)
"""After a fault, until what it has held up is made up for."""
LONGEST_PAUSE_SECONDS: Final = 20.0
PAUSED_ONE_IN: Final = 5
KILLED_SHARE: Final = 0.8
"""Of the workers that end; the others are told to stop."""


class Faults:
    """Does it, and keeps when.

    Args:
        parts: has the scheduler and starts the workers.
        settings: of the workers.
        scheduler: is paused.
        every_seconds: between faults, about.
        rng: decides.
    """

    def __init__(
        self,
        parts: Stack,
        settings: dict[str, str],
        scheduler: Process,
        *,
        every_seconds: float,
        rng: random.Random,
    ) -> None:
        self._parts, self._settings, self._scheduler = parts, settings, scheduler
        self._every, self._rng = every_seconds, rng
        self.windows: list[Window] = []
        self.done: Counter[str] = Counter()
        self._mortal: list[Process] = []

    async def begin(self, workers: int) -> None:
        """Start the workers that will die."""
        for _ in range(workers):
            self._mortal.append(await self._worker())

    async def run(self) -> None:
        """One fault after the other, for ever, the first of them a pause."""
        await self._pause()
        while True:
            await asyncio.sleep(self._rng.uniform(0.5, 1.5) * self._every)
            await (self._pause() if self._rng.randrange(PAUSED_ONE_IN) == 0 else self._replace())

    async def _pause(self) -> None:
        """Have the scheduler stand still: calls to it hang, and are answered later."""
        began, seconds = datetime.now(UTC), self._rng.uniform(1, LONGEST_PAUSE_SECONDS)
        self._scheduler.popen.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._scheduler.popen.send_signal(signal.SIGCONT)
            self._note("scheduler paused", began, datetime.now(UTC))

    async def _replace(self) -> None:
        """Kill a worker or tell it to stop, and start another one."""
        victim = self._mortal.pop(self._rng.randrange(len(self._mortal)))
        began, killed = datetime.now(UTC), self._rng.random() < KILLED_SHARE
        await asyncio.to_thread(victim.kill if killed else victim.stop)
        self._note("worker killed" if killed else "worker told to stop", began, datetime.now(UTC))
        self._mortal.append(await self._worker())

    def _note(self, what: str, begin: datetime, end: datetime) -> None:
        self.done[what] += 1
        self.windows.append(Window(begin, end + RECOVERY))
        print(f"{end:%H:%M:%S} {what}", flush=True)

    async def _worker(self) -> Process:
        return await asyncio.to_thread(self._parts.start_worker, self._settings)
