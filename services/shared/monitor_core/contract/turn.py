"""One turn of polling: what the orchestrator asks of a worker, and what the worker reports."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import Field, JsonValue

from monitor_core.contract.base import Model, Utc
from monitor_core.contract.request import LONGEST_TURN_SECONDS, Polling
from monitor_core.contract.schedule import Schedule

LONGEST_CHECKPOINT: Final = 4096
"""Characters of a checkpoint as JSON: it is carried in the state, from turn to turn."""


class ErrorClass(StrEnum):
    """What an error of a check says about the next one."""

    TRANSIENT = "transient"
    """May be gone at the next check: tolerated `consecutive_errors` times in a row."""
    PERMANENT = "permanent"
    """Will stay (forbidden, say): ends the monitor as Error."""
    MISCONFIGURED = "misconfigured"
    """The request itself cannot work: ends the monitor as Error."""


class CheckError(Model):
    """A check that gave no answer to judge. Data, never an exception across the engine."""

    error_class: ErrorClass
    message: str = Field(max_length=1000)
    at: Utc


class ObservationSummary(Model):
    """What of an observation is kept in the history: never a body, never a secret."""

    at: Utc = Field(description="When the check started.")
    status: str = Field(max_length=100, description="The observed status, in the target's own word.")
    summary: str | None = Field(None, max_length=300)
    latency_seconds: float = Field(ge=0)
    success: bool | None = Field(None, description="Whether success_when held; null where it gave no answer.")
    failure: bool | None = Field(None, description="Whether failure_when held; null where it gave no answer.")


class Turn(Model):
    """The input of the activity. `(run, revision, turn)` names it and comes back in its report."""

    run: str
    revision: int
    turn: int
    job_id: str
    check: Mapping[str, JsonValue]
    success_when: str | None
    failure_when: str | None
    polling: Polling
    check_timeout_seconds: float
    required_successes: int
    deadline: Utc
    schedule: Schedule
    turn_seconds: float = Field(description="How long to go on checking; 0 is one check.")
    checks_performed: int = Field(description="Checks recorded before this turn.")
    last_status: str | None
    consecutive_successes: int
    checkpoint: Mapping[str, JsonValue] | None = Field(
        None, description="What the last check left for the next one; null before the first."
    )


class TurnEnd(StrEnum):
    """Why a turn came back."""

    STATUS = "status"
    CONDITION = "condition"
    ERROR = "error"
    OVER = "over"
    DEADLINE = "deadline"
    DRAIN = "drain"


class TurnReport(Model):
    """The output of the activity: its last check whole, the ones before it as a count.

    Nothing is lost by that: a turn comes back at the first check that changes the status, decides or fails.
    """

    run: str
    revision: int
    turn: int
    ended_by: TurnEnd
    checks: int = Field(ge=0)
    last_check_at: Utc | None
    lateness_seconds: float = Field(0, ge=0, description="The largest lateness of the turn's checks.")
    schedule: Schedule = Field(description="The tick that is due next.")
    put_off_seconds: float = Field(
        0,
        ge=0,
        description="How long the check, which may not be made now, is to be left; 0 where it may.",
    )
    consecutive_successes: int = 0
    observation: ObservationSummary | None = None
    error: CheckError | None = None
    checkpoint: Mapping[str, JsonValue] | None = Field(
        None, description="What the last check left for the next one; null leaves the one before."
    )
    final: bool = Field(False, description="Whether a check was made at or after the deadline.")
    allowed_seconds: float = Field(
        LONGEST_TURN_SECONDS, description="How long the worker's turns may be just now."
    )
