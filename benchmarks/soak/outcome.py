"""What came of a soak, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.report import machine, table
from benchmarks.soak.growth import LEAST_SECONDS, Held, Samples
from benchmarks.soak.monitors import Tally

MIB: Final = 2**20
MOST_SAID: Final = 100


@dataclass(frozen=True)
class Outcome:
    """What came of a soak.

    Args:
        minutes: how long it was.
        seed: of its plans and faults.
        monitors: how many there were at a time.
        tally: what came of them.
        faults: what was done, and how often.
        samples: what the processes held.
        stray: checks and notices of monitors that were over.
        left: instances that the hub held in the end.
    """

    minutes: float
    seed: int
    monitors: int
    tally: Tally
    faults: Mapping[str, int]
    samples: Samples
    stray: Sequence[str]
    left: int

    @property
    def complaints(self) -> list[str]:
        """Everything that is wrong; nothing where all is well."""
        found = [*self.tally.complaints, *self.stray]
        if self.left:
            found.append(f"the hub holds {self.left} instances, though every monitor was deleted")
        if self.minutes * 60 >= LEAST_SECONDS:
            found += self.samples.complaints()
        return found[:MOST_SAID]

    def as_markdown(self) -> str:
        """The part of the page."""
        return "\n\n".join([self._figures(), self._held(), self._how()])

    def _figures(self) -> str:
        tally = self.tally
        said = {
            "monitors, at a time": f"{sum(tally.verdicts.values())}, {self.monitors}",
            "verdicts": ", ".join(f"{number} {name}" for name, number in sorted(tally.verdicts.items())),
            "lost, told twice, wrong, late, or checked after the verdict": str(
                len(tally.complaints) + len(self.stray)
            ),
            "checks, of them made again after a kill": f"{tally.checks}, {tally.repeated}",
            "ticks missed outside of faults": str(tally.missed),
            "lateness of a check: median, 99 %, most": ", ".join(
                f"{_percentile(tally.late, part):.2f} s" for part in (0.5, 0.99, 1)
            ),
            "faults": ", ".join(f"{name} {number} times" for name, number in sorted(self.faults.items())),
        }
        return table(["", "measured"], *map(list, said.items()))

    def _held(self) -> str:
        rows = [[name, *_both(*self.samples.growth(name))] for name in self.samples.held]
        return table(["once warm → in the end", "memory, MiB", "descriptors", "threads"], *rows)

    def _how(self) -> str:
        return f"{machine()}: `SOAK_MINUTES={self.minutes:g} SOAK_SEED={self.seed} make soak`."


def _both(warm: Held, end: Held) -> list[str]:
    return [
        f"{warm.memory_bytes / MIB:.1f} → {end.memory_bytes / MIB:.1f}",
        f"{warm.descriptors:.0f} → {end.descriptors:.0f}",
        f"{warm.threads:.0f} → {end.threads:.0f}",
    ]


def _percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values) or [0.0]
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]
