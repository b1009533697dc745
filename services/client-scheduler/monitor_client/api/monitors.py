"""The monitors as resources: start, look at, list, control, delete."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BeforeValidator, Field

from monitor_client.api.bodies import Json
from monitor_client.api.callback import reachable
from monitor_client.api.paths import JobId, place_of, require_addressable
from monitor_client.api.problems import declared, headers
from monitor_client.identity import Started
from monitor_client.listing import LONGEST_PREFIX, MOST_AT_A_TIME, MOST_LABELS, Selection
from monitor_client.service import MonitorService
from monitor_client.view import MonitorView
from monitor_core.contract import (
    Model,
    MonitorRequest,
    Utc,
    Verdict,
    parse_request,
)
from monitor_core.kinds import CheckSpec

Run = Annotated[
    str | None,
    Header(
        alias="Repeatability-Request-ID",
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="This start's id (a UUID): sent again with the same, it finds itself.",
    ),
]


class MonitorList(Model):
    """A page of monitors."""

    value: tuple[MonitorView, ...]
    next_link: str | None = Field(description="The next page; null where there is none.")
    unreadable: int = Field(0, description="Monitors of a newer version, left out.")


Restart = Annotated[bool, Query(description="Whether a job whose monitor has ended is started anew.")]
Token = Annotated[str | None, Query(description="Of a page's `next_link`: follow that instead.")]
Deliveries = Annotated[
    bool, Query(description="Whether to look for them, which is one more call on the scheduler.")
]
Limit = Annotated[int, Query(ge=1, le=MOST_AT_A_TIME, description="How many to look at, at most.")]


def _no_number(value: object) -> object:
    if isinstance(value, str) and value.replace(".", "", 1).removeprefix("-").isdecimal():
        raise ValueError("should be a time such as 2026-01-01T12:00:00Z")
    return value


Moment = Annotated[Utc, BeforeValidator(_no_number)]
Label = Annotated[str, Field(pattern="^[^=]+=")]


def _said(field: str) -> Any:
    return Query(description=Selection.model_fields[field].description)


def _selected(
    *,
    state: Annotated[Literal["running", "ended"] | None, _said("state")] = None,
    created_after: Annotated[Moment | None, _said("created_after")] = None,
    created_before: Annotated[Moment | None, _said("created_before")] = None,
    prefix: Annotated[str, Field(max_length=LONGEST_PREFIX), _said("prefix")] = "",
    verdict: Annotated[Verdict | None, _said("verdict")] = None,
    label: Annotated[
        list[Label],
        Query(max_length=MOST_LABELS, description="NAME=VALUE, only those with it; repeatable; within a page."),
    ] = [],  # noqa: B006 # never changed
) -> Selection:
    labels = {name: value for name, _, value in (text.partition("=") for text in label)}
    return Selection(
        state=state,
        created_after=created_after,
        created_before=created_before,
        prefix=prefix,
        verdict=verdict,
        labels=labels,
    )


Selected = Annotated[Selection, Depends(_selected)]


def router(service: MonitorService, kinds: Mapping[str, type[CheckSpec]]) -> APIRouter:
    """The routes below `/monitors`."""
    routes = APIRouter(tags=["monitors"])

    @routes.post(
        "/monitors",
        status_code=HTTPStatus.ACCEPTED,
        responses={
            HTTPStatus.ACCEPTED: {"headers": headers("Location", "Operation-Location", "Retry-After")},
            **declared(HTTPStatus.CONFLICT),
        },
    )
    async def start_monitor(
        request: Request, response: Response, given: Json, *, restart: Restart = False, run: Run = None
    ) -> Started:
        """Start a monitor, or join the one that waits for the very same.

        A start that is sent again with the same `Repeatability-Request-ID` finds itself. 409 where the job is
        being monitored otherwise (`errors` names the fields that differ, and how), and where its monitor has
        ended, unless `restart` says to start it anew.
        """
        asked = require_addressable(parse_request(given, kinds))
        started = reachable(request, await service.start(asked, run=run, restart=restart))
        response.headers.update(_where(request, started, asked))
        return started

    @routes.get("/monitors")
    async def list_monitors(
        request: Request, selection: Selected, *, token: Token = None, limit: Limit = 50
    ) -> MonitorList:
        """A page of monitors. It may be short where the verdict or labels select, though others follow."""
        page = await service.list(selection, token=token, limit=limit)
        link = str(request.url.include_query_params(token=page.token)) if page.token else None
        return MonitorList(value=page.monitors, next_link=link, unreadable=page.unreadable)

    @routes.get("/monitors/{job_id}")
    async def get_monitor(job_id: JobId, *, deliveries: Deliveries = True) -> MonitorView:
        """How a monitor stands, or how it ended, and what became of what is told of it."""
        return await service.get(job_id, deliveries=deliveries)

    @routes.delete(
        "/monitors/{job_id}", status_code=HTTPStatus.NO_CONTENT, responses=declared(HTTPStatus.CONFLICT)
    )
    async def delete_monitor(job_id: JobId) -> None:
        """Delete a monitor that has ended; 409 while it runs: cancel it first.

        Its deliveries are deleted, too, but for those that are not over: what is still to be told of it is told.
        """
        await service.purge(job_id)

    return routes


def _where(request: Request, started: Started, asked: MonitorRequest) -> dict[str, str]:
    return {
        "Location": place_of(request, "monitors", started.job_id),
        "Operation-Location": place_of(request, "operations", started.job_id),
        "Retry-After": retry_after(asked.polling.interval_seconds),
    }


def retry_after(interval_seconds: float) -> str:
    """When it is worth looking again: whole seconds, 1 to 30."""
    return str(round(min(max(interval_seconds, 1), 30)))
