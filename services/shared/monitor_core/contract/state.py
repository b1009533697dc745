"""What a monitor carries from one generation of its orchestration to the next."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, JsonValue

from monitor_core.contract.base import Model, Utc
from monitor_core.contract.command import CommandOutcome
from monitor_core.contract.request import LONGEST_TURN_SECONDS, MonitorRequest
from monitor_core.contract.schedule import Schedule
from monitor_core.contract.turn import CheckError, ObservationSummary


class Transition(Model):
    """A change of the observed status."""

    at: Utc
    status: str


class Paused(Model):
    """A pause."""

    since: Utc
    deadline_stops: bool


class Revision(Model):
    """A change of the deadline or of the request: the audit of a running monitor."""

    revision: int
    at: Utc
    command_id: str
    command: str
    changes: dict[str, str] = Field(description="Field to `old -> new`.")


class Progress(Model):
    """Everything that changes while a monitor runs: all that continue-as-new has to keep."""

    started_at: Utc
    deadline: Utc
    schedule: Schedule
    revision: int = 0
    turn: int = Field(0, description="Number of the last turn that was scheduled.")
    prompt: bool = Field(True, description="Whether the next turn is to come back after its first check.")
    allowed_seconds: float = Field(LONGEST_TURN_SECONDS, description="How long the worker let the last turn be.")
    checks_performed: int = 0
    last_check_at: Utc | None = None
    observation: ObservationSummary | None = None
    error: CheckError | None = Field(None, description="The last check's error; null where it had none.")
    consecutive_errors: int = 0
    consecutive_successes: int = 0
    checkpoint: Mapping[str, JsonValue] | None = Field(
        None, description="What the last check left for the next one: a baseline, say. Never a secret."
    )
    pause: Paused | None = None
    stopped_seconds: float = Field(0.0, description="How long pauses have stopped the deadline so far.")
    edited: MonitorRequest | None = Field(None, description="The request as it is now, once it was edited.")
    revisions: tuple[Revision, ...] = ()
    transitions: tuple[Transition, ...] = ()
    commands: tuple[CommandOutcome, ...] = ()
    reminded_at: Utc | None = Field(None, description="Up to when reminders have been told; null before any.")

    def with_(self, **changes: object) -> Self:
        """A copy with `changes`; pydantic does not validate them, mypy's plug-in does not see them."""
        return self.model_copy(update=changes)


class MonitorInput(Model):
    """The orchestration's input: the request, the run, and after continue-as-new the progress so far."""

    request: MonitorRequest
    run: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Identifies this start of the job (a UUID).")
    progress: Progress | None = None
    callback_digest: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the run's callback token, which nobody keeps."
    )
