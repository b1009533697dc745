"""A scheduler and workers as processes of their own, the same monitors in one way or another, and their costs."""

import asyncio
import itertools
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from durabletask.client import OrchestrationQuery, OrchestrationStatus

from benchmarks.loads import OURS, Load, Way
from benchmarks.machine import Used, used
from monitor_core.scheduler import Client, build_client, close_client
from monitor_core.settings import SchedulerSettings
from stack import PACKAGES, ROOT, Process, Stack, stack

PLUGIN: Final = ROOT / "benchmarks" / "plugin"
IMPORTABLE: Final = os.pathsep.join(map(str, [ROOT, PLUGIN, *(ROOT / folder for folder in PACKAGES)]))
TIMES: Final = "BENCHMARK_TIMES"
AT_A_TIME: Final = 64
_UNDER_WAY: Final = [OrchestrationStatus.RUNNING, OrchestrationStatus.PENDING]
_LOOK_SECONDS: Final = 0.25
_STATS_SECONDS: Final = 0.5
"""The scheduler brings its counts up to date five times a second."""


@dataclass(frozen=True)
class Cost:
    """What a run has cost.

    Args:
        checks: how many were made.
        worker: the workers' CPU and the growth of their memory.
        scheduler_cpu_seconds: of the scheduler.
        actions: what it dispatched, as it is billed, by name.
        seconds: from the first start to the last end.
        lateness: of each check, in seconds: how long after the time that its monitor's first check and its number
            give for it.
        waits: how long each monitor waited for its next check at most, in seconds.
    """

    checks: int
    worker: Used
    scheduler_cpu_seconds: float
    actions: Mapping[str, int]
    seconds: float
    lateness: Sequence[float]
    waits: Sequence[float]

    @property
    def actions_per_check(self) -> float:
        """All that is billed."""
        return sum(self.actions.values()) / self.checks

    @property
    def cpu_per_check(self) -> float:
        """Seconds of the workers' CPU."""
        return self.worker.cpu_seconds / self.checks

    def late(self, percent: float) -> float:
        """That part of the checks was no later than this (seconds)."""
        ordered = sorted(self.lateness)
        return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


@dataclass(frozen=True)
class Span:
    """What was counted from one time to another. Which checks were made is known once the workers have ended."""

    load: Load
    began: float
    ended: float
    worker: Used
    scheduler: Used
    actions: Mapping[str, int]


class Rig:
    """A scheduler with a worker or more, for one load after the other."""

    def __init__(self, parts: Stack, folder: Path, way: Way, workers: int = 1) -> None:
        self.parts, self.way = parts, way
        self._stats, self._times = folder / "stats.json", folder / "times"
        self._times.mkdir()
        self._loads: list[Load] = []
        self.spans: list[Span] = []
        self.scheduler = parts.start_scheduler("--stats-file", str(self._stats))
        self.workers = [self._worker(parts) for _ in range(workers)]

    def _worker(self, parts: Stack) -> Process:
        environment = {
            "PYTHONPATH": IMPORTABLE,
            "MONITOR_PLUGINS": "nothing",
            "MONITOR_ALLOWED_TARGETS": "127.0.0.1:*",
            TIMES: str(self._times),
            **self.way.settings,
        }
        if self.way.command == OURS.command:
            return parts.start_worker(environment)
        worker = parts.start("worker", [*self.way.command], environment)
        worker.said("ready")
        return worker

    def used(self) -> tuple[Used, Used]:
        """What the workers and the scheduler have used so far."""
        return used([one.popen.pid for one in self.workers]), used([self.scheduler.popen.pid])

    def actions(self) -> Counter[str]:
        """What the scheduler has dispatched so far, 0.2 s ago at the latest."""
        return Counter(json.loads(self._stats.read_text())["actions"])

    async def run(self, load: Load) -> None:
        """Start the monitors, and wait until all have ended; all of it counts."""
        async with self._counted(load), client_of(self.parts.scheduler_url) as client:
            await self.begin(client, load)
            await asyncio.sleep((load.checks - 1) * load.interval_seconds)
            await ended(client)
            await self._counts_renewed()

    async def begin(self, client: Client, load: Load) -> None:
        """Start the monitors; their instances are `m-0-0` and so on, the first number being the load's."""
        self._loads.append(load)
        await start(client, self.way, load, f"m-{len(self._loads) - 1}")

    async def watch(self, seconds: float) -> None:
        """Count for that long, or half a second longer, what those do that are under way."""
        await self._counts_renewed()
        async with self._counted(self._loads[-1]):
            await asyncio.sleep(seconds)
            await self._counts_renewed()

    @asynccontextmanager
    async def _counted(self, load: Load) -> AsyncIterator[None]:
        (worker, scheduler), actions, began = self.used(), self.actions(), time.time()
        yield
        (worker_after, scheduler_after), over = self.used(), time.time()
        done = self.actions() - actions
        self.spans.append(Span(load, began, over, worker_after - worker, scheduler_after - scheduler, done))

    async def _counts_renewed(self) -> None:
        """Wait until the scheduler has brought its counts up to date: then they are those of this moment.

        Where nothing has happened it does not, and they are.
        """
        before, until = self._stats.stat().st_mtime_ns, time.monotonic() + _STATS_SECONDS
        while self._stats.stat().st_mtime_ns == before and time.monotonic() < until:  # noqa: ASYNC110 # nobody tells
            await asyncio.sleep(0.01)

    def costs(self) -> list[Cost]:
        """Stop everything; what each load that was run, or each time that was watched, has cost."""
        self.parts.stop()
        made = self.made()
        return [_cost(span, made) for span in self.spans]

    def made(self) -> dict[str, list[float]]:
        """When each monitor was checked, by all workers together; known once they have ended."""
        made: dict[str, list[float]] = {}
        for file in self._times.glob("*.json"):
            for instance, times in json.loads(file.read_text()).items():
                made.setdefault(instance, []).extend(times)
        return {instance: sorted(times) for instance, times in made.items()}


def _cost(span: Span, made: Mapping[str, Sequence[float]]) -> Cost:
    def within(at: float) -> bool:
        return span.began <= at < span.ended

    pairs = [(each, lateness(each, span.load.interval_seconds)) for each in made.values()]
    late = [seconds for each, lates in pairs for at, seconds in zip(each, lates, strict=True) if within(at)]
    waits = [[after - before for before, after in itertools.pairwise(each) if within(after)] for each, _ in pairs]
    return Cost(
        checks=len(late),
        worker=span.worker,
        scheduler_cpu_seconds=span.scheduler.cpu_seconds,
        actions=span.actions,
        seconds=span.ended - span.began,
        lateness=late,
        waits=[max(each) for each in waits if each],
    )


def lateness(times: Sequence[float], interval_seconds: float) -> Iterator[float]:
    """How late each check was, by the first one's time and their number."""
    for number, at in enumerate(times):
        yield max(at - times[0] - number * interval_seconds, 0.0)


@contextmanager
def rig(way: Way, workers: int = 1) -> Iterator[Rig]:
    """A rig that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, stack() as parts:
        yield Rig(parts, Path(folder), way, workers)


def cost(way: Way, load: Load, workers: int = 1) -> Cost:
    """What a load costs in one way."""
    with rig(way, workers) as running:
        asyncio.run(running.run(load))
        return running.costs()[0]


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[Client]:
    """A client of a scheduler."""
    client = build_client(SchedulerSettings(endpoint=url))
    try:
        yield client
    finally:
        await close_client(client)


async def start(client: Client, way: Way, load: Load, prefix: str) -> None:
    """Start the monitors, evenly over the load's `spread_seconds`."""
    free, began = asyncio.Semaphore(AT_A_TIME), time.monotonic()

    async def one(number: int) -> None:
        at = began + load.spread_seconds * number / load.monitors
        await asyncio.sleep(at - time.monotonic())
        async with free:
            await client.schedule_new_orchestration(
                way.orchestrator,
                input=way.given(load, number),
                instance_id=f"{prefix}-{number}",
                version=way.version,
            )

    await asyncio.gather(*map(one, range(load.monitors)))


async def ended(client: Client) -> None:
    """Wait until no instance is under way."""
    query = OrchestrationQuery(runtime_status=_UNDER_WAY, max_instance_count=1)
    while (await client.query_page(query, None)).items:  # noqa: ASYNC110 # nobody tells
        await asyncio.sleep(_LOOK_SECONDS)
