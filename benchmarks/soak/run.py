"""One soak, from the start of its processes to their end."""

import asyncio
import random
import tempfile
from contextlib import AsyncExitStack, suppress
from typing import Final

from durabletask.client import OrchestrationQuery

from benchmarks.rig import client_of
from benchmarks.soak.faults import Faults
from benchmarks.soak.growth import Samples
from benchmarks.soak.monitors import Monitors
from benchmarks.soak.outcome import Outcome
from benchmarks.soak.plans import plans
from benchmarks.soak.target import serving
from stack import Stack, stack

MOST_MONITORS: Final = 2000
STARTS_A_SECOND: Final = 4.0
"""In the long run: with it the soak takes about half a core."""
LONGEST_MEAN_SECONDS: Final = 480.0
LIVES: Final = 4
"""How many lives of a monitor a soak is long, at least."""
MORTAL_WORKERS: Final = 2
FAULTS_EVERY_SECONDS: Final = 30.0


async def soak(minutes: float, seed: int) -> Outcome:
    """Soak for so many minutes; what came of it."""
    rng, seconds = random.Random(seed), minutes * 60  # noqa: S311 # it is to be the same again
    mean = min(LONGEST_MEAN_SECONDS, seconds / LIVES)
    number = min(MOST_MONITORS, int(STARTS_A_SECOND * mean))
    async with AsyncExitStack() as ends:
        target = await ends.enter_async_context(serving())
        parts = ends.enter_context(stack())
        settings = {
            "MONITOR_ALLOWED_TARGETS": target.url.removeprefix("http://"),
            "MONITOR_JOURNAL": ends.enter_context(tempfile.TemporaryDirectory(prefix="soak-journal-")),
        }
        scheduler = await asyncio.to_thread(parts.start_scheduler)
        steady = await asyncio.to_thread(parts.start_worker, settings)
        service = await asyncio.to_thread(parts.start_service, MONITOR_API_RATE="1000")
        faults = Faults(
            parts,
            settings,
            scheduler,
            every_seconds=FAULTS_EVERY_SECONDS,
            rng=random.Random(rng.random()),  # noqa: S311
        )
        await faults.begin(MORTAL_WORKERS)
        monitors, samples = Monitors(await asyncio.to_thread(service.url, ", on"), target, faults), Samples()
        pids = {"worker": steady.popen.pid, "scheduler": scheduler.popen.pid, "service": service.popen.pid}
        keeping = asyncio.create_task(monitors.keep(number, plans(rng, mean)))
        others = [asyncio.create_task(faults.run()), asyncio.create_task(samples.take(pids))]
        await asyncio.sleep(seconds)
        for other in others:
            other.cancel()
            with suppress(asyncio.CancelledError):
                await other
        monitors.finish()
        await keeping
        left = await _left(parts)
    return Outcome(minutes, seed, number, monitors.tally, faults.done, samples, target.stray, left)


async def _left(parts: Stack) -> int:
    """How many instances the hub still holds, though every monitor was deleted."""
    async with client_of(parts.scheduler_url) as client:
        return len((await client.query_page(OrchestrationQuery(max_instance_count=1000), None)).items)
