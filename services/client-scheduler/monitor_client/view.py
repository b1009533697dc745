"""A monitor as its client sees it: what the engine says of the instance, and what the monitor says of itself."""

from collections.abc import Mapping
from datetime import UTC
from enum import StrEnum
from typing import Any, Final, TypeVar

from durabletask.client import OrchestrationState, OrchestrationStatus
from pydantic import Field, ValidationError

from monitor_client.delivery_view import DeliveryView
from monitor_client.errors import Unreadable
from monitor_core.contract import (
    ORCHESTRATOR,
    Model,
    MonitorInput,
    MonitorRequest,
    MonitorResult,
    MonitorStatus,
    Utc,
    Verdict,
    job_id_of,
)

TERMINATED: Final = "terminated from outside"
TERMINATED_AFTER: Final = "terminated from outside, once it had its verdict"
ENDED: Final = frozenset(
    {OrchestrationStatus.COMPLETED, OrchestrationStatus.FAILED, OrchestrationStatus.TERMINATED}
)
M = TypeVar("M", bound=Model)


class Phase(StrEnum):
    """Where a monitor stands while it has no verdict."""

    PENDING = "Pending"
    """No worker has taken it yet."""
    RUNNING = "Running"
    PAUSED = "Paused"
    """By its operator."""
    SUSPENDED = "Suspended"
    """From outside, by the engine: it takes no command until it is resumed there."""


class MonitorView(Model):
    """One look at a monitor. `run` and `request` are null where the look was without payloads."""

    job_id: str
    instance_id: str
    state: Phase | Verdict
    run: str | None
    request: MonitorRequest | None
    status: MonitorStatus | None
    result: MonitorResult | None
    failure: str | None
    """Why there is a verdict without a result: it was terminated from outside, or our orchestrator failed."""
    created_at: Utc
    last_updated_at: Utc
    deliveries: tuple[DeliveryView, ...] | None = Field(
        None,
        description="What is told of this run, the newest first, at most 100. Null where nobody is to be told; "
        "in lists and events always, which do not look.",
    )
    deliveries_note: str | None = Field(None, description="What is missing among `deliveries`, and why.")

    @property
    def verdict(self) -> Verdict | None:
        """The verdict; None while there is none."""
        return self.state if isinstance(self.state, Verdict) else None

    def after(self, earlier: "MonitorView") -> "MonitorView":
        """This view, with what only an earlier one of the same run has seen.

        The engine shows no custom status for a moment after continue-as-new: the earlier one stands until then.
        """
        known = ("run", "request", "status")
        return self.model_copy(
            update={name: getattr(earlier, name) for name in known if getattr(self, name) is None}
        )

    def document(self) -> dict[str, Any]:
        """What JSON output shows: the result of an ended monitor, else its status. The state is always there."""
        if self.result is not None:
            return self.result.model_dump(mode="json")
        if self.verdict is not None:
            return self._ended_without_result()
        shown = self.status.model_dump(mode="json") if self.status else {"job_id": self.job_id, "run": self.run}
        return {**shown, "status": self.state}

    def _ended_without_result(self) -> dict[str, Any]:
        lasted = self.last_updated_at - self.created_at
        return {
            "job_id": self.job_id,
            "run": self.run,
            "final_status": self.verdict,
            "reason": self.failure,
            "checks_performed": self.status.check_count if self.status else 0,
            "monitoring_duration_seconds": lasted.total_seconds(),
        }


def view_of(state: OrchestrationState) -> MonitorView:
    """The view of an instance. An ended one has to come with its payloads.

    Raises:
        Unreadable: it is no monitor, or one that this version does not understand.
    """
    if state.name != ORCHESTRATOR:
        raise Unreadable(state.instance_id, f"it is no '{ORCHESTRATOR}' but a '{state.name}'")
    given = parsed(MonitorInput, state.serialized_input, state, "input")
    status = parsed(MonitorStatus, state.serialized_custom_status, state, "custom status")
    completed = state.runtime_status is OrchestrationStatus.COMPLETED
    result = parsed(MonitorResult, state.serialized_output, state, "output") if completed else None
    return MonitorView(
        job_id=given.request.job_id if given else status.job_id if status else job_id_of(state.instance_id),
        instance_id=state.instance_id,
        state=_standing(state, status, result),
        run=given.run if given else status.run if status else None,
        request=given.request if given else None,
        status=status,
        result=result,
        failure=_failure(state, status),
        created_at=state.created_at.replace(tzinfo=UTC),
        last_updated_at=state.last_updated_at.replace(tzinfo=UTC),
    )


_PHASES: Final[Mapping[OrchestrationStatus, Phase | Verdict]] = {
    OrchestrationStatus.PENDING: Phase.PENDING,
    OrchestrationStatus.SUSPENDED: Phase.SUSPENDED,
    OrchestrationStatus.TERMINATED: Verdict.CANCELLED,
    OrchestrationStatus.FAILED: Verdict.ERROR,
}


def _standing(
    state: OrchestrationState, status: MonitorStatus | None, result: MonitorResult | None
) -> Phase | Verdict:
    if state.runtime_status is OrchestrationStatus.COMPLETED:
        if result is None:
            raise Unreadable(state.instance_id, "it has ended without a result")
        return result.final_status
    if state.runtime_status in ENDED and (decided := _decided(status)):
        return decided
    running = Phase.PAUSED if status is not None and status.paused else Phase.RUNNING
    return _PHASES.get(state.runtime_status, running)


def _decided(status: MonitorStatus | None) -> Verdict | None:
    """The verdict that a monitor shows: it may be ended from outside while it still tells of it."""
    return Verdict(status.status) if status is not None and status.status in set(Verdict) else None


def _failure(state: OrchestrationState, status: MonitorStatus | None) -> str | None:
    if state.runtime_status is OrchestrationStatus.TERMINATED:
        return TERMINATED_AFTER if _decided(status) else TERMINATED
    if state.runtime_status is not OrchestrationStatus.FAILED:
        return None
    details = state.failure_details
    said = " ".join(f"{details.error_type}: {details.message}".split()) if details else "for no known reason"
    return f"the orchestration itself failed, which is a defect of Durable Monitor: {said}"


def parsed(model: type[M], text: str | None, state: OrchestrationState, part: str) -> M | None:
    """What an instance carries.

    Args:
        model: what it should be.
        text: as the engine keeps it, JSON.
        state: the instance, for the message.
        part: what of it, for the message.

    Raises:
        Unreadable: it is something else.
    """
    if text is None:
        return None
    try:
        # A newer worker may say more than this version knows: that is no reason not to show the rest.
        return model.model_validate_json(text, extra="ignore")
    except ValidationError as error:
        raise Unreadable(state.instance_id, f"its {part} is not a {model.__name__}") from error
