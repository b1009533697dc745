"""A monitor in the form of an Azure long-running operation, so that Azure's own SDKs can wait for one.

https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md, "Long-Running Operations".
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from monitor_client.api.monitors import retry_after
from monitor_client.api.paths import JobId
from monitor_client.api.problems import HEADERS
from monitor_client.service import MonitorService
from monitor_client.view import MonitorView, Phase
from monitor_core.contract import Model, Utc, Verdict

Status = Literal["NotStarted", "Running", "Succeeded", "Failed", "Canceled"]
_STATUSES: Final[Mapping[Phase | Verdict, Status]] = {
    Phase.PENDING: "NotStarted",
    Phase.RUNNING: "Running",
    Phase.PAUSED: "Running",
    Phase.SUSPENDED: "Running",
    Verdict.COMPLETED: "Succeeded",
    Verdict.FAILED: "Failed",
    Verdict.TIMEOUT: "Failed",
    Verdict.ERROR: "Failed",
    Verdict.CANCELLED: "Canceled",
}


class OperationError(Model):
    """Why an operation has not succeeded."""

    code: str = Field(description="The verdict.")
    message: str


class Operation(Model):
    """The status monitor of a monitor."""

    id: str
    status: Status
    error: OperationError | None = None
    result: Mapping[str, Any] | None = Field(None, description="The monitor's result, once it has ended.")
    created_at: Utc
    last_updated_at: Utc


def router(service: MonitorService) -> APIRouter:
    """The route `/operations/{job_id}`."""
    routes = APIRouter(tags=["operations"])

    @routes.get(
        "/operations/{job_id}",
        response_model_exclude_none=True,
        responses={HTTPStatus.OK: {"headers": {"Retry-After": HEADERS["Retry-After"]}}},
    )
    async def get_operation(job_id: JobId, response: Response) -> Operation:
        """A monitor's state as that of an Azure long-running operation; Retry-After until it ends."""
        view = await service.get(job_id, deliveries=False)
        if view.verdict is None:
            response.headers["Retry-After"] = retry_after(view.status.interval_seconds if view.status else 1)
        return operation_of(view)

    return routes


def operation_of(view: MonitorView) -> Operation:
    """The operation that a monitor is."""
    return Operation(
        id=view.job_id,
        status=_STATUSES[view.state],
        error=_error(view),
        result=view.document() if view.verdict else None,
        created_at=view.created_at,
        last_updated_at=view.last_updated_at,
    )


def _error(view: MonitorView) -> OperationError | None:
    if view.verdict in {None, Verdict.COMPLETED}:
        return None
    reason = view.result.reason if view.result else view.failure or "it ended without a result"
    return OperationError(code=str(view.verdict), message=reason)
