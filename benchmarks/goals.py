"""What is to be reached, as data: a limit, what was measured in each paired run, and whether it is met."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import median, table


@dataclass(frozen=True)
class Goal:
    """One figure with its limit.

    Args:
        text: what is measured, in the reader's words.
        limit: what its median may be at most.
        measured: in each of the runs.
        form: how the figures are written.
        at_least: the limit is a least one.
        why: the reason and what was tried, for where it is not met.
    """

    text: str
    limit: float
    measured: Sequence[float]
    form: str = ".2f"
    at_least: bool = False
    why: str = ""

    @property
    def met(self) -> bool:
        """Whether the median keeps to the limit."""
        middle = statistics.median(self.measured)
        return middle >= self.limit if self.at_least else middle <= self.limit

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Of the table of goals."""
        bound = f"{'>=' if self.at_least else '<='} {self.limit:{self.form}}"
        verdict = "met" if self.met else f"**not met**{': ' + self.why if self.why else ''}"
        return self.text, bound, median(self.measured, self.form), verdict


def goals(*those: Goal) -> str:
    """Their table, as Markdown."""
    return table(("goal", "limit", "measured: median (range)", "verdict"), *(goal.row for goal in those))


def ratios(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """Of each pair of runs."""
    return [one / other for one, other in zip(ours, others, strict=True)]
