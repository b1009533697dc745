"""Three times more monitors than slots for their turns: who waits how long, and how long turns are then."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final

from benchmarks.goals import Goal, goals, ratios
from benchmarks.loads import OURS, PLAIN, Load
from benchmarks.report import median, table
from benchmarks.rig import Cost, Rig, client_of, rig

SLOTS: Final = 40
WINDOWS: Final = 5
SECONDS: Final = 5.0
WHOLE_TURN: Final = 15
"""Checks, every second, where slots are plenty."""
LOAD: Final = Load(monitors=3 * SLOTS, checks=100_000, interval_seconds=1, spread_seconds=3)
_SETTLE_SECONDS: Final = 5.0
WHY: Final = (
    "the extremes of 120 monitors over five seconds, on two cores that both ways share: they differ from window "
    "to window by more than from each other"
)


def measure(windows: int = WINDOWS, seconds: float = SECONDS) -> str:
    """Its part of the page."""
    ways = (
        replace(OURS, settings={"MONITOR_MAX_ACTIVITIES": str(SLOTS)}),
        replace(PLAIN, settings={"BENCHMARK_SLOTS": str(SLOTS)}),
    )
    with rig(ways[0]) as ours, rig(ways[1]) as plain:
        asyncio.run(_watched((ours, plain), windows, seconds))
        return written(ours.costs(), plain.costs())


async def _watched(rigs: Sequence[Rig], windows: int, seconds: float) -> None:
    """Both at the same time: what else the machine does falls on both."""
    async with AsyncExitStack() as ends:
        clients = [await ends.enter_async_context(client_of(each.parts.scheduler_url)) for each in rigs]
        await asyncio.gather(*(each.begin(client, LOAD) for each, client in zip(rigs, clients, strict=True)))
        await asyncio.sleep(_SETTLE_SECONDS)
        for _ in range(windows):
            await asyncio.gather(*(each.watch(seconds) for each in rigs))


def written(ours: Sequence[Cost], plain: Sequence[Cost]) -> str:
    """What was measured."""
    rows = [
        (
            name,
            median([max(each.waits) for each in costs], ".2f"),
            median([each.checks / each.actions["activity_start"] for each in costs], ".2f"),
            median([each.actions_per_check for each in costs], ".2f"),
            median([each.cpu_per_check * 1e3 for each in costs], ".2f"),
        )
        for name, costs in ((OURS.name, ours), (PLAIN.name, plain))
    ]
    head = ("", "longest wait for a check, s", "checks per turn", "actions per check", "worker CPU per check, ms")
    waits = ratios([max(each.waits) for each in ours], [max(each.waits) for each in plain])
    turns = [each.checks / each.actions["activity_start"] for each in ours]
    met = goals(
        Goal("the longest wait of any monitor, of the plain loop's", 1, waits, why=WHY),
        Goal("checks per turn (15, where slots are plenty)", WHOLE_TURN / 2, turns, ".1f"),
    )
    return f"{table(head, *rows)}\n\n{met}"
