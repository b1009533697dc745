"""Which monitors there are, and how each has to end. Everything in it follows from the seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal

Verdict = Literal["Completed", "Failed", "Timeout", "Cancelled", "Error"]
VERDICTS: Final[tuple[Verdict, ...]] = ("Completed", "Completed", "Failed", "Timeout", "Cancelled", "Error")
OFTEN_SECONDS: Final = 2.0
"""The interval of one monitor in so many of `ONE_IN`: it is checked in turns of several checks."""
ONE_IN: Final = 40
CHECKS: Final = 10
"""How many checks one of the others makes in its life, about."""
CHECK_TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Plan:
    """One monitor.

    Args:
        job_id: its job's.
        verdict: how it has to end.
        seconds: from the first check until its job ends or breaks, its deadline comes, or it is cancelled.
        interval_seconds: between its checks.
    """

    job_id: str
    verdict: Verdict
    seconds: float
    interval_seconds: float

    @property
    def longest_seconds(self) -> float:
        """It has ended by then, if nothing disturbs it: an error is seen twice before it counts."""
        return self.seconds + 2 * self.interval_seconds + CHECK_TIMEOUT_SECONDS

    def request(self, target: str) -> dict[str, Any]:
        """What a client asks for."""
        return {
            "job_id": self.job_id,
            "check": {"kind": "http", "url": f"{target}/jobs/{self.job_id}"},
            "polling": {"interval_seconds": self.interval_seconds},
            "timeout_seconds": self.seconds if self.verdict == "Timeout" else 10 * self.longest_seconds,
            "check_timeout_seconds": CHECK_TIMEOUT_SECONDS,
            "tolerance": {"consecutive_errors": 1},
            "on_verdict": [{"to": {"kind": "webhook", "url": f"{target}/told"}}],
        }

    def answer(self, elapsed: float) -> tuple[int, str]:
        """What its job answers so long after it was first asked: a status code, and a status."""
        if elapsed < self.seconds:
            return 200, "Running"
        ends: dict[Verdict, tuple[int, str]] = {
            "Completed": (200, "Succeeded"),
            "Failed": (200, "Failed"),
            "Error": (503, ""),
        }
        return ends.get(self.verdict, (200, "Running"))


def plans(rng: random.Random, mean_seconds: float) -> Iterator[Plan]:
    """Plans without end, of lives of this length on average."""
    for number in count():
        seconds = rng.uniform(0.5, 1.5) * mean_seconds
        interval = OFTEN_SECONDS if number % ONE_IN == 0 else seconds / CHECKS
        yield Plan(f"soak-{number}", rng.choice(VERDICTS), round(seconds, 3), round(interval, 3))
