"""What a monitor shows until it ends, and what it leaves behind."""

from collections.abc import Mapping

from pydantic import Field

from monitor_core.contract.base import Model, Utc
from monitor_core.contract.command import CommandOutcome
from monitor_core.contract.schedule import Schedule
from monitor_core.contract.state import Revision, Transition
from monitor_core.contract.turn import CheckError, ObservationSummary
from monitor_core.contract.verdict import DecidedBy, Verdict


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
