"""How a monitor ends, what it shows until then, and what it leaves behind."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import Field

from monitor_core.contract.base import Model, Utc
from monitor_core.contract.command import CommandOutcome
from monitor_core.contract.schedule import Schedule
from monitor_core.contract.state import Revision, Transition
from monitor_core.contract.turn import CheckError, ObservationSummary


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


class MonitorStatus(Model):
    """The orchestration's custom status (at most 2 KB): what a watcher or a dashboard sees.

    During a turn of several checks it stands as of the last report: `as_of` says when that was.
    """

    job_id: str
    run: str
    status: str = Field(description="Running, or the verdict.")
    kind: str
    check_count: int
    as_of: Utc
    last_check_time: Utc | None
    next_check_time: Utc | None
    deadline: Utc
    turn_seconds: float = Field(description="Length of the turn under way; 0 where each check is reported.")
    interval_seconds: float = Field(5.0, description="As it is now: `edit` may have changed the request's.")
    schedule: Schedule | None = Field(None, description="The tick that was due next as of the last report.")
    observed: str | None = Field(description="The last observed status.")
    summary: str | None
    error: str | None = Field(description="The last check's error; null where it had none.")
    consecutive_errors: int
    paused: bool
    deadline_stopped_at: Utc | None = Field(
        None, description="Since when a pause has stopped the deadline; null while the time runs."
    )
    revision: int
    commands: tuple[CommandOutcome, ...] = Field(description="The last few commands, the newest last.")
    transitions: tuple[Transition, ...]


class MonitorResult(Model):
    """The orchestration's output: the verdict and its evidence."""

    job_id: str
    run: str
    final_status: Verdict
    decided_by: DecidedBy
    reason: str
    checks_performed: int
    monitoring_duration_seconds: float
    started_at: Utc
    ended_at: Utc
    deadline: Utc
    revision: int
    last_observation: ObservationSummary | None
    last_error: CheckError | None
    transitions: tuple[Transition, ...]
    revisions: tuple[Revision, ...] = ()
    labels: Mapping[str, str]
