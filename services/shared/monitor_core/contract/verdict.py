"""How a monitor ends."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import Field

from monitor_core.contract.base import Model


class Verdict(StrEnum):
    """The five ways a monitor ends; the same words everywhere."""

    COMPLETED = "Completed"
    FAILED = "Failed"
    TIMEOUT = "Timeout"
    CANCELLED = "Cancelled"
    ERROR = "Error"


EXIT_CODES: Final[Mapping[Verdict, int]] = {
    Verdict.COMPLETED: 0,
    Verdict.FAILED: 1,
    Verdict.TIMEOUT: 3,
    Verdict.CANCELLED: 4,
    Verdict.ERROR: 5,
}
"""The command line's exit code for each verdict (2 is a usage error, 6 no scheduler, 7 a replaced run)."""


class DecidedBy(StrEnum):
    """What brought the verdict about."""

    POLL = "poll"
    PUSH = "push"
    OPERATOR = "operator"
    DEADLINE = "deadline"


class Decision(Model):
    """A verdict, and why."""

    verdict: Verdict
    decided_by: DecidedBy
    reason: str = Field(max_length=1200)
