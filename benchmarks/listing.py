"""The first page of a list, of few monitors and of many."""

import asyncio
import time
import urllib.request
from collections.abc import Sequence
from typing import Final

from benchmarks.goals import Goal, goals, ratios
from benchmarks.loads import OURS, Load
from benchmarks.report import median, table
from benchmarks.rig import client_of, start
from monitor_core.contract import instance_id
from stack import Stack, stack

FEW: Final = 100
MANY: Final = 10_000
LOOKS: Final = 15


def measure(few: int = FEW, many: int = MANY, looks: int = LOOKS) -> str:
    """Its part of the page."""
    with stack() as one, stack() as other:
        urls = [_service_over(parts, monitors) for parts, monitors in ((one, few), (other, many))]
        for url in urls:
            _first_page(url)  # warms up
        seconds = [[_first_page(url) for url in urls] for _ in range(looks)]
    return written(few, many, [few for few, _ in seconds], [many for _, many in seconds])


def _service_over(parts: Stack, monitors: int) -> str:
    """The URL of a service whose scheduler has so many monitors; no worker has taken them yet."""
    parts.start_scheduler()
    url = parts.start_service(MONITOR_RECONCILE_SECONDS="0").url(", on ")
    asyncio.run(_started(parts, monitors))
    return url


async def _started(parts: Stack, monitors: int) -> None:
    async with client_of(parts.scheduler_url) as client:
        await start(client, OURS, Load(monitors, 1, 1), instance_id("job"))


def _first_page(url: str) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    with urllib.request.urlopen(f"{url}/monitors", timeout=60) as answer:  # noqa: S310 # our own service
        answer.read()
    return time.perf_counter() - began


def written(few: int, many: int, fews: Sequence[float], manys: Sequence[float]) -> str:
    """What was measured."""
    rows = [
        (f"{few:,}", median([each * 1e3 for each in fews])),
        (f"{many:,}", median([each * 1e3 for each in manys])),
    ]
    met = goals(Goal(f"the first page of {many:,}, of that of {few}", 2, ratios(manys, fews)))
    return f"{table(('monitors', '`GET /monitors`, ms'), *rows)}\n\n{met}"
