"""One, two, four worker processes on this machine's cores, with more to do than one can carry."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.goals import Goal, goals, ratios
from benchmarks.loads import OURS, Load
from benchmarks.report import median, table
from benchmarks.rig import Cost, Rig, client_of, rig

WORKERS: Final = (1, 2, 4)
WINDOWS: Final = 5
SECONDS: Final = 1.0
LOAD: Final = Load(
    monitors=200, checks=100_000, interval_seconds=0.2, polling={"turn_seconds": 0}, spread_seconds=1
)
_SETTLE_SECONDS: Final = 2.0


def measure(windows: int = WINDOWS, seconds: float = SECONDS) -> str:
    """Its part of the page."""
    return written({workers: _costs(workers, windows, seconds) for workers in WORKERS})


def _costs(workers: int, windows: int, seconds: float) -> tuple[list[Cost], float]:
    """Of each window; and the checks of the monitor with the fewest, of those of the one with the most."""
    with rig(OURS, workers) as running:
        asyncio.run(_watched(running, windows, seconds))
        costs = running.costs()
        checks = [len(times) for times in running.made().values()]
        return costs, min(checks) / max(checks) if len(checks) == LOAD.monitors else 0.0


async def _watched(running: Rig, windows: int, seconds: float) -> None:
    async with client_of(running.parts.scheduler_url) as client:
        await running.begin(client, LOAD)
        await asyncio.sleep(_SETTLE_SECONDS)
        for _ in range(windows):
            await running.watch(seconds)


def written(measured: Mapping[int, tuple[Sequence[Cost], float]]) -> str:
    """What was measured."""
    rates = {workers: [each.checks / each.seconds for each in costs] for workers, (costs, _) in measured.items()}
    rows = [
        (
            str(workers),
            median(rates[workers]),
            median([each.worker.cpu_seconds / each.seconds for each in costs], ".2f"),
            median([each.scheduler_cpu_seconds / each.seconds for each in costs], ".2f"),
            f"{evenness:.2f}",
        )
        for workers, (costs, evenness) in measured.items()
    ]
    head = (
        "worker processes", "checks a second", "workers' cores", "the scheduler's cores", "fewest of most checks",
    )  # fmt: skip
    there = os.cpu_count() or 1
    goal = "checks a second, of one process's: two processes"
    met = goals(
        Goal(goal, 1, ratios(rates[2], rates[1]), at_least=True),
        Goal(f"cores in use by four, of {there}", 0.9 * there, _cores(measured[4][0]), at_least=True),
        Goal("checks of the monitor with the fewest, of the one with the most's", 0.5,
             [evenness for _, evenness in measured.values()], at_least=True),
    )  # fmt: skip
    return f"{table(head, *rows)}\n\n{met}"


def _cores(costs: Sequence[Cost]) -> list[float]:
    return [(each.worker.cpu_seconds + each.scheduler_cpu_seconds) / each.seconds for each in costs]
