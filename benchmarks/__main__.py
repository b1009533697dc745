"""Runs benchmarks, prints what they measured, and writes it into docs/benchmarks.md.

python -m benchmarks            all of them
python -m benchmarks telemetry  one
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "benchmarks.md"
FOLDERS: Final = ("dev", "tests", "services/shared", "services/worker", "services/client-scheduler")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]

from benchmarks import one_monitor, report, slots, telemetry, turn30, turns  # noqa: E402 # the line above makes what they import importable

BENCHMARKS: Final[Mapping[str, Callable[[], str]]] = {
    "turns": turns.measure,
    "turn30": turn30.measure,
    "slots": slots.measure,
    "one-monitor": one_monitor.measure,
    "telemetry": telemetry.measure,
}
"""Each gives its part of the page, as Markdown."""


def main(names: Sequence[str]) -> int:
    """Run the benchmarks of these names, or all; the exit code."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"No such benchmark: {', '.join(unknown)}. There is: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        part = f"{BENCHMARKS[name]()}\n\n{report.where_and_how(name)}"
        print(part, flush=True)
        PAGE.write_text(report.with_part(PAGE.read_text(), name, part))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
