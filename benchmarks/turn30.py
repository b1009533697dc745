"""Turns of 30 seconds at a check every five: what they save, and how soon a change is seen."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from durabletask.client import OrchestrationQuery

from benchmarks.goals import Goal, goals, ratios
from benchmarks.loads import OURS, PLAIN, Load
from benchmarks.report import median, table
from benchmarks.rig import Cost, Rig, client_of, rig
from monitor_core.scheduler import Client

WINDOWS: Final = 5
SECONDS: Final = 30.0
LOAD: Final = Load(
    monitors=200,
    checks=100_000,
    interval_seconds=5,
    polling={"turn_seconds": 30},
    changes_every=10,
    spread_seconds=5,
)
_WATCHED: Final = "m-0-1"
"""What the instances that are watched begin with: one of nine, or so."""
_LOOK_SECONDS: Final = 0.25
Shown = dict[str, dict[str, float]]
"""When which status of which instance was first shown."""


def measure(windows: int = WINDOWS, seconds: float = SECONDS) -> str:
    """Its part of the page."""
    with rig(OURS) as ours, rig(PLAIN) as plain:
        shown = asyncio.run(_watched(ours, plain, windows, seconds))
        until = time.time()
        costs = ours.costs(), plain.costs()
        return written(*costs, delays(shown, ours.made(), until - LOAD.interval_seconds))


async def _watched(ours: Rig, plain: Rig, windows: int, seconds: float) -> Shown:
    """Watch both at the same time, from when each monitor has had its first turns."""
    shown: Shown = {}
    async with AsyncExitStack() as ends:
        clients = [await ends.enter_async_context(client_of(each.parts.scheduler_url)) for each in (ours, plain)]
        await asyncio.gather(ours.begin(clients[0], LOAD), plain.begin(clients[1], LOAD))
        looking = asyncio.create_task(look(clients[0], shown))
        await asyncio.sleep(LOAD.interval_seconds)
        for _ in range(windows):
            await asyncio.gather(ours.watch(seconds), plain.watch(seconds))
        looking.cancel()
    return shown


async def look(client: Client, shown: Shown) -> None:
    """Keep when a status is first shown, by the scheduler, from outside."""
    query = OrchestrationQuery(instance_id_prefix=_WATCHED, fetch_inputs_and_outputs=True, max_instance_count=200)
    while True:
        for state in (await client.query_page(query, None)).items:
            status: Any = state.get_custom_status() or {}
            shown.setdefault(state.instance_id, {}).setdefault(str(status.get("observed")), time.time())
        await asyncio.sleep(_LOOK_SECONDS)


def delays(shown: Shown, made: Mapping[str, Sequence[float]], until: float) -> list[float]:
    """Seconds from the check that saw a change to when the status showed it, of each change until that time."""
    found = []
    for instance, times in shown.items():
        for number in range(LOAD.changes_every, len(made[instance]), LOAD.changes_every):
            seen = made[instance][number - 1]
            if seen < until:
                found.append(times.get(f"Phase {number // LOAD.changes_every}", math.inf) - seen)
    return found


def written(ours: Sequence[Cost], plain: Sequence[Cost], seen_after: Sequence[float]) -> str:
    """What was measured."""
    rows = [
        (name, median([each.actions_per_check for each in costs], ".2f"), str(sum(each.checks for each in costs)))
        for name, costs in ((OURS.name, ours), (PLAIN.name, plain))
    ]
    per = ratios([each.actions_per_check for each in ours], [each.actions_per_check for each in plain])
    met = goals(
        Goal("actions per check, of the plain loop's", 1 / 4, per),
        Goal(
            f"the longest of {len(seen_after)} changes until it is shown, s (a check is made every "
            f"{LOAD.interval_seconds} s)",
            LOAD.interval_seconds,
            [max(seen_after)],
        ),
    )
    return f"{table(('', 'actions per check', 'checks that were counted'), *rows)}\n\n{met}"
