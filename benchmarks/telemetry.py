"""What telemetry costs: a check in a worker's turn, and a command line from its start to its end."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.report import median, table

ROUNDS: Final = 5
"""Each in turn for all ways, so that what the machine does besides falls on all of them."""
STARTS: Final = 5
TURNS: Final[Mapping[str, int]] = {"http": 2, "simulated": 10}
"""How many in a round. What is simulated costs next to nothing, so that what is left is what telemetry costs."""
_ROOT: Final = Path(__file__).parent.parent
_CLIENT: Final = "services/client-scheduler/client.py"


@dataclass(frozen=True)
class Way:
    """A way to make turns."""

    name: str
    how: str
    sends: bool = False


WAYS: Final = (
    Way("without an observer", "unobserved"),
    Way("observed, no exporter", "observed"),
    Way("observed, sent by OTLP over HTTP", "observed", sends=True),
)


def measure() -> str:
    """Both tables, as Markdown."""
    with _process("benchmarks.counterparts") as counterparts:
        where = json.loads(_line(counterparts))
        return f"{_checks(where)}\n\n{_starts(where)}"


def _checks(where: Mapping[str, str]) -> str:
    with ExitStack() as ends:
        makers = [ends.enter_context(_maker(way, where)) for way in WAYS]
        return "\n\n".join(_check(kind, turns, makers) for kind, turns in TURNS.items())


def _check(kind: str, turns: int, makers: Sequence[subprocess.Popen[str]]) -> str:
    for maker in makers:
        _asked(maker, kind, turns)  # warms up
    rounds = [[_asked(maker, kind, turns) * 1e6 for maker in makers] for _ in range(ROUNDS)]
    costs = list(zip(*rounds, strict=True))
    ratios = [[cost / plain for cost, plain in zip(costs[number], costs[0], strict=True)] for number in range(3)]
    rows = [
        (way.name, median(cost), median(ratio, ".2f"))
        for way, cost, ratio in zip(WAYS, costs, ratios, strict=True)
    ]
    return table(
        (
            f"a check of kind `{kind}`, in turns of 150",
            "CPU, µs: median (range)",
            "of that without: median (range)",
        ),
        *rows,
    )


def _starts(where: Mapping[str, str]) -> str:
    here = {"ENDPOINT": where["scheduler"]}
    sent = {**here, "OTEL_EXPORTER_OTLP_ENDPOINT": where["collector"]}
    ways = {
        "`client.py --help`": (["--help"], here),
        "`client.py --help`, with an exporter": (["--help"], sent),
        "`client.py list`": (["list"], here),
        "`client.py list`, with an exporter": (["list"], sent),
    }
    rounds = [[_ran(arguments, more) for arguments, more in ways.values()] for _ in range(STARTS)]
    rows = [
        (name, median([cpu for _, cpu in runs], ".2f"), median([wall for wall, _ in runs], ".2f"))
        for name, runs in zip(ways, zip(*rounds, strict=True), strict=True)
    ]
    return table(("from start to end", "CPU, s: median (range)", "time, s: median (range)"), *rows)


def _ran(arguments: Sequence[str], more: Mapping[str, str]) -> tuple[float, float]:
    """How long a command line took, and its CPU seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, _CLIENT, *arguments]
    subprocess.run(command, cwd=_ROOT, env=_environment(more), check=True, capture_output=True)  # noqa: S603 # ours
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@contextmanager
def _maker(way: Way, where: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    more = {"OTEL_EXPORTER_OTLP_ENDPOINT": where["collector"]} if way.sends else {}
    with _process("benchmarks.observed_turns", way.how, where["target"], more=more) as maker:
        yield maker


@contextmanager
def _process(
    module: str, *arguments: str, more: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A Python process that ends when its standard input does."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(  # noqa: S603 # ours
        command,
        cwd=_ROOT,
        env=_environment(more or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's, without settings of ours and of OpenTelemetry's."""
    not_ours = ("OTEL_", "APPLICATIONINSIGHTS_", "MONITOR_", "ENDPOINT", "TASKHUB", "LOG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(not_ours)}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **more}


def _asked(maker: subprocess.Popen[str], kind: str, turns: int) -> float:
    """CPU seconds of a check."""
    assert maker.stdin is not None  # noqa: S101 # it is a pipe
    maker.stdin.write(f"{kind} {turns}\n")
    maker.stdin.flush()
    return float(_line(maker))


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101 # it is a pipe
    return process.stdout.readline()
