"""1,000 monitors that check every second, in turns and in the plain loop: actions, CPU, lateness."""

import asyncio
from collections.abc import Sequence
from typing import Final

from benchmarks.goals import Goal, goals, ratios
from benchmarks.loads import OURS, PLAIN, Load
from benchmarks.report import median, table
from benchmarks.rig import Cost, Rig, rig

ROUNDS: Final = 5
LOAD: Final = Load(monitors=1000, checks=60, interval_seconds=1, spread_seconds=10)
SAME: Final = Load(monitors=16, checks=60, interval_seconds=0.02)
"""Of the plain loop: as many checks each, for a check costs by those before it in its history. Its worker is
always busy, which is the cheapest way for it: one that is woken for each check pays for being woken."""
MANY: Final = Load(monitors=1000, checks=4, interval_seconds=1, spread_seconds=3)
"""The plain loop falls behind these: all 60 checks would take it five minutes and more."""


def measure(rounds: int = ROUNDS) -> str:
    """Its part of the page."""
    with rig(OURS) as ours, rig(PLAIN) as plain:
        for _ in range(rounds):
            asyncio.run(_pair(ours, plain))
        asyncio.run(plain.run(MANY))
        *same, many = plain.costs()
        return written(ours.costs(), same, many)


async def _pair(ours: Rig, plain: Rig) -> None:
    """One after the other: the plain loop takes all that there is."""
    await ours.run(LOAD)
    await plain.run(SAME)


def written(ours: Sequence[Cost], plain: Sequence[Cost], many: Cost) -> str:
    """What these runs say.

    Args:
        ours: each round's.
        plain: the plain loop's of the same rounds.
        many: what the plain loop made of as many monitors as ours.
    """
    rows = [_row(OURS.name, LOAD, ours), _row(PLAIN.name, SAME, plain), _row(PLAIN.name, MANY, [many])]
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
        f"{name}, {load.monitors:,} monitors, {load.checks} checks each every {load.interval_seconds:g} s",
        median([one.actions_per_check for one in costs], ".3f"),
        median([one.cpu_per_check * 1e3 for one in costs], ".3f"),
        median([one.late(50) * 1e3 for one in costs], ".1f"),
        median([one.late(99) * 1e3 for one in costs], ".0f"),
        median([one.scheduler_cpu_seconds / one.checks * 1e3 for one in costs], ".3f"),
    )
