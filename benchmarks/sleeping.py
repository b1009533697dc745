"""Monitors that sleep for ten minutes: what a worker needs for 100 of them, and for 10,000."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.goals import Goal, goals, ratios
from benchmarks.loads import OURS, Load
from benchmarks.machine import Used
from benchmarks.report import median, table
from benchmarks.rig import Rig, client_of, rig

FEW: Final = 100
MANY: Final = 10_000
WINDOWS: Final = 5
SECONDS: Final = 4.0
_A_SECOND: Final = 60
"""Monitors are started no faster: a worker keeps the threads that a burst of first checks took, and what runs
beside this is not to be disturbed."""
_PATIENCE_SECONDS: Final = 120.0


def measure(few: int = FEW, many: int = MANY, windows: int = WINDOWS, seconds: float = SECONDS) -> str:
    """Its part of the page."""
    with rig(OURS) as one, rig(OURS) as other:
        asyncio.run(_fallen_asleep(one, few))
        asyncio.run(_fallen_asleep(other, many))
        used = [_used((one, other), seconds) for _ in range(windows)]
    return written(few, many, [few for few, _ in used], [many for _, many in used])


async def _fallen_asleep(running: Rig, monitors: int) -> None:
    """Start them, and wait until each has made its first check."""
    load = Load(monitors, 100_000, 600, spread_seconds=monitors / _A_SECOND)
    async with client_of(running.parts.scheduler_url) as client:
        await running.begin(client, load)
    until = time.monotonic() + _PATIENCE_SECONDS
    while running.actions()["activity_result"] < monitors:
        if time.monotonic() > until:
            raise TimeoutError(f"{monitors} monitors are not asleep: {running.actions()}")
        await asyncio.sleep(1)


def _used(rigs: Sequence[Rig], seconds: float) -> list[Used]:
    """CPU over the same seconds, and memory at their end."""
    before = [each.used()[0] for each in rigs]
    time.sleep(seconds)
    after = [each.used()[0] for each in rigs]
    return [
        Used((late.cpu_seconds - early.cpu_seconds) / seconds, late.memory_bytes)
        for early, late in zip(before, after, strict=True)
    ]


def written(few: int, many: int, fews: Sequence[Used], manys: Sequence[Used]) -> str:
    """What was measured."""
    rows = [
        (
            f"{monitors:,}",
            median([each.memory_bytes / 2**20 for each in used], ".1f"),
            median([each.cpu_seconds * 1e3 for each in used], ".2f"),
        )
        for monitors, used in ((few, fews), (many, manys))
    ]
    memory = ratios([each.memory_bytes for each in manys], [each.memory_bytes for each in fews])
    cpu = ratios([each.cpu_seconds for each in manys], [each.cpu_seconds for each in fews])
    met = goals(
        Goal(f"memory at {many:,}, of that at {few}", 1.05, memory),
        Goal(f"CPU at {many:,}, of that at {few}", 1.05, cpu),
    )
    return f"{table(('sleeping monitors', 'worker memory, MiB', 'worker CPU a second, ms'), *rows)}\n\n{met}"
