"""Telling a running monitor something: each command as an action of the resource."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from monitor_client.api.access import Principal
from monitor_client.api.bodies import OptionalJson
from monitor_client.api.callback import pushed
from monitor_client.api.paths import JobId, place_of
from monitor_client.api.problems import declared, headers
from monitor_client.callback import completion
from monitor_client.errors import CommandRefused
from monitor_client.service import MonitorService
from monitor_core.contract import CommandOutcome, Model, Problem, RequestError, parse_command
from monitor_core.contract.command import COMMANDS, AnyCommand

OUTCOME_SECONDS: Final = 5.0
ACTIONS: Final[Mapping[str, str]] = {name.replace("_", "-"): name for name in sorted(COMMANDS)}
"""The path's last part, and the command of the contract that it stands for."""


class Sent(Model):
    """A command that has not been answered yet: the monitor takes it as soon as a worker runs it."""

    id: str = Field(description="Look for it in `status.commands` of the monitor, at Location.")
    name: str


Control = Callable[..., Awaitable[Any]]
_ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.ACCEPTED: {
        "model": Sent,
        "description": "It has not been answered within 5 s; Location is the monitor, whose status will.",
        "headers": headers("Location", "Retry-After"),
    }
}


def router(service: MonitorService, wait_seconds: float = OUTCOME_SECONDS) -> APIRouter:
    """The routes `/monitors/{job_id}/{action}`, one an action."""
    routes = APIRouter(tags=["control"])
    for action, name in ACTIONS.items():
        routes.add_api_route(
            f"/monitors/{{job_id}}/{action}",
            _telling(service, name, wait_seconds),
            methods=["POST"],
            name=f"{name}_monitor" if name != "check_now" else name,
            response_model=CommandOutcome,
            response_description="It was applied; the outcome is repeated where `id` was sent before.",
            responses={**_ACCEPTED, **declared(HTTPStatus.CONFLICT)},
            description=f"{(COMMANDS[name].__doc__ or '').strip()}\n\nWaits up to 5 s for what becomes of it.",
        )
    return routes


def _telling(service: MonitorService, name: str, wait_seconds: float) -> Control:
    async def tell(request: Request, job_id: JobId, given: OptionalJson) -> CommandOutcome | JSONResponse:
        if "name" in given:
            raise RequestError([Problem("name", "is not a known field: the path says it")])
        principal: Principal = request.state.principal
        command: AnyCommand
        if principal.callback is not None:
            command = completion(principal.callback, given)
            outcome = await pushed(service, job_id, principal.callback, command, wait_seconds)
        else:
            command = parse_command({"id": uuid4().hex, **given, "name": name})
            outcome = await service.send(job_id, command, wait_seconds=wait_seconds)
        if outcome is None:
            sent = Sent(id=command.id, name=command.name).model_dump(mode="json")
            where = {"Location": place_of(request, "monitors", job_id), "Retry-After": "1"}
            return JSONResponse(sent, HTTPStatus.ACCEPTED, headers=where)
        if not outcome.accepted:
            raise CommandRefused(outcome)
        return outcome

    return tell
