"""Telling a running monitor something: the commands as actions of the resource."""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Body, Response

from monitor_client.api.paths import JobId
from monitor_client.api.problems import Refused
from monitor_client.service import MonitorService
from monitor_core.contract import CommandOutcome, Model, parse_command

OUTCOME_SECONDS: Final = 5.0


class Action(StrEnum):
    """What a monitor can be told: the commands of the contract."""

    CANCEL = "cancel"
    CHECK_NOW = "check-now"
    COMPLETE = "complete"
    EDIT = "edit"
    EXTEND = "extend"
    PAUSE = "pause"
    RESUME = "resume"


class Sent(Model):
    """A command that has not been answered yet: the monitor takes it as soon as a worker runs it."""

    id: str
    name: str


Answer = CommandOutcome | Sent
Given = Annotated[dict[str, Any] | None, Body(description="The command's fields; `id` makes it safe to repeat.")]


def router(service: MonitorService) -> APIRouter:
    """The routes `/monitors/{job_id}/{action}`."""
    routes = APIRouter(tags=["monitors"])

    @routes.post(
        "/monitors/{job_id}/{action}",
        responses={HTTPStatus.ACCEPTED: {"model": Sent, "description": "It has not been answered yet."}},
    )
    async def control(job_id: JobId, action: Action, response: Response, given: Given = None) -> Answer:
        """Tell a running monitor something, and wait up to 5 s for what becomes of it."""
        fields = {"id": uuid4().hex, **(given or {}), "name": action.value.replace("-", "_")}
        outcome = await service.send(job_id, parse_command(fields), wait_seconds=OUTCOME_SECONDS)
        if outcome is None:
            response.status_code = HTTPStatus.ACCEPTED
            return Sent(id=str(fields["id"]), name=fields["name"])
        if not outcome.accepted:
            raise Refused(HTTPStatus.CONFLICT, outcome.message)
        return outcome

    return routes
