"""One monitor of 10,000 checks: whether a check costs at the end what it cost at the start."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from benchmarks.goals import Goal, goals, ratios
from benchmarks.machine import used
from benchmarks.report import median, table
from benchmarks.rig import IMPORTABLE

OURS, PLAIN = 10_000, 1_000


def measure() -> str:
    """Its part of the page."""
    with ThreadPoolExecutor() as threads:
        ours, plain = threads.map(cpu_between_looks, ("ours", "plain"), (OURS, PLAIN))
    return written(ours[::2], ours[1::2], plain)


def written(first: Sequence[float], last: Sequence[float], plain: Sequence[float]) -> str:
    """What these CPU seconds for a hundred checks each say."""
    head = ("", "CPU per check, ms")
    rows = [
        ("Durable Monitor, the first 100 checks", median([each * 10 for each in first], ".2f")),
        (f"Durable Monitor, 100 of the last 500 of {OURS:,}", median([each * 10 for each in last], ".2f")),
        ("plain loop, the first 100 checks", f"{plain[0] * 10:.2f}"),
        (f"plain loop, the last 100 of {PLAIN:,}", f"{plain[-1] * 10:.2f}"),
    ]
    met = goals(
        Goal(f"CPU of the last 100 of {OURS:,} checks, of the first 100's", 1.1, ratios(last, first)),
    )
    return f"{table(head, *rows)}\n\n{met}"


def cpu_between_looks(way: str, checks: int) -> list[float]:
    """The CPU seconds of the process that makes these checks, from one look to the next."""
    command = [sys.executable, "-m", "benchmarks.one_monitor_loops", way, str(checks)]
    with subprocess.Popen(  # noqa: S603 # ours
        command,
        env={**os.environ, "PYTHONPATH": IMPORTABLE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        looks = list(_looks(process))
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return [after - before for before, after in pairwise(looks)]


def _looks(process: subprocess.Popen[str]) -> Iterator[float]:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 # they are pipes
    for _ in process.stdout:
        yield used([process.pid]).cpu_seconds
        process.stdin.write("\n")
        process.stdin.flush()
