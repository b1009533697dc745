"""How measurements are said: tables, medians with their spread, the machine, the place on the page."""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_SUMMARY: Final = "summary"


def table(head: Sequence[str], *rows: Sequence[str]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def median(values: Sequence[float], form: str = ".0f") -> str:
    """The median, and the least and the most in parentheses."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def where_and_how(name: str) -> str:
    """The machine, the time and the command."""
    return f"{machine()}: `python -m benchmarks {name}`."


def machine() -> str:
    """The machine and the time."""
    load = os.getloadavg()[0]
    what = f"{os.cpu_count()} cores ({_processor()}), Python {platform.python_version()} on {platform.system()}"
    return f"{datetime.now(UTC).date().isoformat()}, {what}, load {load:.1f} at the end"


def with_part(page: str, name: str, part: str) -> str:
    """The page with this in the place of the benchmark.

    Raises:
        ValueError: it has no such place.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in page or end not in page:
        raise ValueError(f"the page has no {begin} ... {end}")
    pattern = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
    return pattern.sub(lambda _: f"\n{part}\n", page)


def with_summary(page: str) -> str:
    """The page with all its goals counted in one sentence, where it has a place for it."""
    met, missed = (
        len(re.findall(verdict, page, re.MULTILINE)) for verdict in (r"\| met \|$", r"\| \*\*not met\*\*")
    )
    said = f"{met} of {met + missed} goals were met in the runs that this page shows."
    return with_part(page, _SUMMARY, said) if f"<!-- {_SUMMARY} -->" in page else page


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.machine()
