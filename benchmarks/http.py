"""500 pages looked at every second: ours beside a bare asyncio loop that does the same, with no engine at all.

The plain loop looks at fewer: at all of them it would take what there is.
"""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from benchmarks.goals import Goal, goals, ratios
from benchmarks.loads import OURS, PLAIN, Load
from benchmarks.machine import used
from benchmarks.report import median, table
from benchmarks.rig import IMPORTABLE, Rig, client_of, rig

PAGES: Final = 500
PLAIN_PAGES: Final = 50
WINDOWS: Final = 5
SECONDS: Final = 4.0
SPREAD_SECONDS: Final = 15.0
"""A turn's length: so that turns end evenly over time, and every window has its part of them."""

WHY: Final = (
    "about half of what is over is the turn itself, every 15 checks (activity, report, replay), the other half "
    "what a check does and the loop does not: headers and all variables of the answer, two conditions, masking, "
    "what is kept for the next check. No part of it stands out. Turns on one loop, fewer wake-ups and the "
    "collector's settings brought it from four times to this"
)


@dataclass(frozen=True)
class Sample:
    """What one way has done so far."""

    cpu_seconds: float
    requests: int
    connections: int


class Counts:
    """What a process that looks at pages has used, and what the pages have seen of it."""

    def __init__(self, pid: int, counts_url: str) -> None:
        self._pid, self._url = pid, counts_url

    def now(self) -> Sample:
        """So far."""
        cpu = used([self._pid]).cpu_seconds
        with urllib.request.urlopen(self._url, timeout=10) as answer:  # noqa: S310 # our own counts
            return Sample(cpu, **json.load(answer))


def measure(
    windows: int = WINDOWS, seconds: float = SECONDS, pages: int = PAGES, spread_seconds: float = SPREAD_SECONDS
) -> str:
    """Its part of the page."""
    with (
        pages_of(pages) as (our_urls, our_counts),
        pages_of(pages) as (bare_urls, bare_counts),
        pages_of(min(PLAIN_PAGES, pages)) as (plain_urls, plain_counts),
        rig(OURS) as ours,
        rig(PLAIN) as plain,
        process("benchmarks.bare_loop") as bare,
    ):
        assert bare.stdin is not None  # noqa: S101 # it is a pipe
        bare.stdin.write(json.dumps([1, spread_seconds, bare_urls]) + "\n")
        bare.stdin.flush()
        rigs = {
            each: Load(len(urls), 100_000, 1, urls=urls, spread_seconds=spread_seconds)
            for each, urls in ((ours, our_urls), (plain, plain_urls))
        }
        ways = (
            Counts(ours.workers[0].popen.pid, our_counts),
            Counts(bare.pid, bare_counts),
            Counts(plain.workers[0].popen.pid, plain_counts),
        )
        return written(*asyncio.run(_watched(rigs, ways, windows, seconds)))


async def _watched(
    rigs: Mapping[Rig, Load], ways: Sequence[Counts], windows: int, seconds: float
) -> list[list[Sample]]:
    """Samples of each way, between which all have looked at their pages at the same time."""
    await asyncio.gather(*(_begun(each, load) for each, load in rigs.items()))
    await asyncio.sleep(3)  # every monitor has had its first checks
    samples = [[way.now() for way in ways]]
    for _ in range(windows):
        await asyncio.sleep(seconds)
        samples.append([way.now() for way in ways])
    return [list(way) for way in zip(*samples, strict=True)]


async def _begun(each: Rig, load: Load) -> None:
    async with client_of(each.parts.scheduler_url) as client:
        await each.begin(client, load)


def written(ours: Sequence[Sample], bare: Sequence[Sample], plain: Sequence[Sample]) -> str:
    """What was measured."""
    ways = {OURS.name: ours, "bare asyncio loop": bare, PLAIN.name: plain}
    costs = {name: _cpu_per_request(samples) for name, samples in ways.items()}
    rows = [
        (
            name,
            median([cost * 1e3 for cost in costs[name]], ".3f"),
            str(samples[-1].requests),
            str(samples[-1].connections),
        )
        for name, samples in ways.items()
    ]
    met = goals(
        Goal("CPU per check, of the bare loop's", 2, ratios(*list(costs.values())[:2]), why=WHY),
        Goal("connections per check in the windows", 0.01, [_new_connections(ours)], ".3f"),
    )
    return f"{table(('', 'CPU per check, ms', 'checks in all', 'connections in all'), *rows)}\n\n{met}"


def _cpu_per_request(samples: Sequence[Sample]) -> list[float]:
    pairs = pairwise(samples)
    return [
        (after.cpu_seconds - before.cpu_seconds) / (after.requests - before.requests) for before, after in pairs
    ]


def _new_connections(samples: Sequence[Sample]) -> float:
    first, last = samples[0], samples[-1]
    return (last.connections - first.connections) / (last.requests - first.requests)


@contextmanager
def pages_of(number: int) -> Iterator[tuple[list[str], str]]:
    """A process that serves so many pages: their URLs, and that of its counts."""
    with process("benchmarks.http_targets", str(number)) as targets:
        assert targets.stdout is not None  # noqa: S101 # it is a pipe
        *urls, counts = json.loads(targets.stdout.readline())
        yield urls, counts


@contextmanager
def process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is ended with the block."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(  # noqa: S603 # ours
        command,
        env={**os.environ, "PYTHONPATH": IMPORTABLE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.terminate()
