"""How many actions a second the local scheduler carries: what is measured with it has to stay well below."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.loads import PLAIN, Load, Way
from benchmarks.report import median, table
from benchmarks.rig import IMPORTABLE, Rig, Span, client_of
from stack import stack

WINDOWS: Final = 5
SECONDS: Final = 1.0
PROCESSES: Final = 2
INSTANCES: Final = 200
ECHO: Final = Way("echo", PLAIN.command, "echo", None)
_LOAD: Final = Load(monitors=INSTANCES, checks=1, interval_seconds=1)
_SETTLE_SECONDS: Final = 2.0


def measure(windows: int = WINDOWS, seconds: float = SECONDS) -> str:
    """Its part of the page."""
    with TemporaryDirectory(prefix="benchmark-") as folder, stack() as parts:
        running = Rig(parts, Path(folder), ECHO, workers=0)
        address = parts.scheduler_url.removeprefix("http://")
        for _ in range(PROCESSES):
            parts.start("echo", ["-m", "benchmarks.echo", address], {"PYTHONPATH": IMPORTABLE})
        asyncio.run(_watched(running, windows, seconds))
        return written(running.spans)


async def _watched(running: Rig, windows: int, seconds: float) -> None:
    async with client_of(running.parts.scheduler_url) as client:
        await running.begin(client, _LOAD)
        await asyncio.sleep(_SETTLE_SECONDS)
        for _ in range(windows):
            await running.watch(seconds)


def written(spans: Sequence[Span]) -> str:
    """What was measured."""
    rates = [sum(span.actions.values()) / (span.ended - span.began) for span in spans]
    cores = [span.scheduler.cpu_seconds / (span.ended - span.began) for span in spans]
    each = [core / rate * 1e3 for core, rate in zip(cores, rates, strict=True)]
    row = (median(rates), median(cores, ".2f"), median(each, ".3f"))
    return table(("actions a second", "cores that the scheduler uses", "its CPU per action, ms"), row)
