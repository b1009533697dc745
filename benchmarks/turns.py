"""1,000 monitors that check every second, in turns and in the plain loop: actions, CPU, lateness."""

import asyncio
from collections.abc import Sequence
from typing import Final

from benchmarks.goals import Goal, goals, ratios
from benchmarks.report import median, table
from benchmarks.rig import OURS, PLAIN, Cost, Load, Rig, rig

ROUNDS: Final = 5
LOAD: Final = Load(monitors=1000, checks=60, interval_seconds=1, spread_seconds=5)
FEWER: Final = Load(monitors=50, checks=60, interval_seconds=1, spread_seconds=5)
"""What the plain loop can carry beside ours. What a check costs depends on those before it in its history."""


def measure(rounds: int = ROUNDS) -> str:
    """Its part of the page."""
    with rig(OURS) as ours, rig(PLAIN) as plain:
        for _ in range(rounds):
            asyncio.run(_pair(ours, plain))
        return written(ours.costs(), plain.costs())


async def _pair(ours: Rig, plain: Rig) -> None:
    """Both at the same time: what else the machine does falls on both."""
    await asyncio.gather(ours.run(LOAD), plain.run(FEWER))


def written(ours: Sequence[Cost], plain: Sequence[Cost]) -> str:
    """What these runs say."""
    rows = [_row(OURS.name, LOAD, ours), _row(PLAIN.name, FEWER, plain)]
    head = (
        "",
        "actions per check",
        "worker CPU per check, ms",
        "late, p50, ms",
        "late, p99, ms",
        "scheduler CPU, ms",
    )
    met = goals(
        Goal("actions per check, of the plain loop's", 1 / 14, _per(ours, plain, "actions_per_check"), ".3f"),
        Goal("worker CPU per check, of the plain loop's", 1 / 10, _per(ours, plain, "cpu_per_check"), ".3f"),
        Goal("p99 lateness, ms", 100, [one.late(99) * 1e3 for one in ours], ".0f"),
    )
    return f"{table(head, *rows)}\n\n{met}"


def _per(ours: Sequence[Cost], plain: Sequence[Cost], what: str) -> list[float]:
    return ratios([getattr(one, what) for one in ours], [getattr(one, what) for one in plain])


def _row(name: str, load: Load, costs: Sequence[Cost]) -> tuple[str, ...]:
    return (
        f"{name}, {load.monitors} monitors",
        median([one.actions_per_check for one in costs], ".3f"),
        median([one.cpu_per_check * 1e3 for one in costs], ".3f"),
        median([one.late(50) * 1e3 for one in costs], ".1f"),
        median([one.late(99) * 1e3 for one in costs], ".0f"),
        median([one.scheduler_cpu_seconds / one.checks * 1e3 for one in costs], ".3f"),
    )
