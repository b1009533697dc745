"""Runs benchmarks, prints what they measured, and writes it into docs/benchmarks.md.

python -m benchmarks            all of them, in less than ten minutes
python -m benchmarks telemetry  one
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "benchmarks.md"
FOLDERS: Final = ("dev", "tests", "services/shared", "services/worker", "services/client-scheduler")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]

# The line above makes what they import importable.
from benchmarks import (  # noqa: E402
    ceiling,
    command_line,
    conditions,
    http,
    listing,
    one_monitor,
    processes,
    report,
    sleeping,
    slots,
    starting,
    telemetry,
    turn30,
    turns,
)

BENCHMARKS: Final[Mapping[str, Callable[[], str]]] = {
    "turns": turns.measure,
    "turn30": turn30.measure,
    "sleeping": sleeping.measure,
    "one-monitor": one_monitor.measure,
    "slots": slots.measure,
    "http": http.measure,
    "processes": processes.measure,
    "start": starting.measure,
    "list": listing.measure,
    "cli": command_line.measure,
    "scheduler": ceiling.measure,
    "conditions": conditions.measure,
    "telemetry": telemetry.measure,
}
"""Each gives its part of the page, as Markdown."""
FIRST: Final = "turns"
BESIDE: Final = ("turn30", "sleeping", "one-monitor", "conditions", "telemetry")
"""They run beside the first, which mostly waits and takes more than half of the time there is: two of them wait as
well, the others compare with themselves."""


def main(names: Sequence[str]) -> int:
    """Run the benchmarks of these names, or all; the exit code."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"No such benchmark: {', '.join(unknown)}. There is: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    began = time.monotonic()
    if names:
        for name in names:
            _write(name, BENCHMARKS[name]())
        return 0
    code = _first_and_beside()
    for name in BENCHMARKS:
        if name not in {FIRST, *BESIDE}:
            _write(name, BENCHMARKS[name]())
    print(f"{time.monotonic() - began:.0f} s for all of it.")
    return code


def _first_and_beside() -> int:
    """Write what both say when both have ended: there is one page."""
    command = [sys.executable, "-m", "benchmarks", *BESIDE]
    with subprocess.Popen(command, cwd=ROOT) as beside:  # noqa: S603 # ours
        part = BENCHMARKS[FIRST]()
        code = beside.wait()
    _write(FIRST, part)
    return code


def _write(name: str, measured: str) -> None:
    part = f"{measured}\n\n{report.where_and_how(name)}"
    print(part, flush=True)
    PAGE.write_text(report.with_summary(report.with_part(PAGE.read_text(), name, part)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
