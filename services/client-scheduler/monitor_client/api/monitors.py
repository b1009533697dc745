"""The monitors as resources: start, look at, list, control, delete."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from pydantic import AwareDatetime, Field

from monitor_client.api.paths import JobId, encoded
from monitor_client.identity import Started
from monitor_client.listing import MOST_AT_A_TIME, Selection
from monitor_client.service import MonitorService
from monitor_client.view import MonitorView
from monitor_core.contract import (
    Model,
    MonitorRequest,
    Problem,
    RequestError,
    Verdict,
    parse_request,
)
from monitor_core.kinds import CheckSpec

Json = Annotated[dict[str, Any], Body()]
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


Limit = Annotated[int, Query(ge=1, le=MOST_AT_A_TIME, description="How many to look at, at most.")]


def _selected(
    *,
    state: Literal["running", "ended"] | None = None,
    created_after: AwareDatetime | None = None,
    created_before: AwareDatetime | None = None,
    prefix: Annotated[str, Query(max_length=128)] = "",
    verdict: Verdict | None = None,
    label: Annotated[list[str], Query(max_length=32, description="NAME=VALUE; repeatable.")] = [],  # noqa: B006
) -> Selection:
    labels = dict(_label(text) for text in label)
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

    @routes.post("/monitors", status_code=HTTPStatus.ACCEPTED)
    async def start(
        request: Request, response: Response, given: Json, *, restart: bool = False, run: Run = None
    ) -> Started:
        """Start a monitor, or join the one that waits for the very same."""
        asked = parse_request(given, kinds)
        started = await service.start(asked, run=run, restart=restart)
        response.headers.update(_where(request, started, asked))
        return started

    @routes.get("/monitors")
    async def list_monitors(
        request: Request, selection: Selected, *, token: str | None = None, limit: Limit = 50
    ) -> MonitorList:
        """A page of monitors. It may be short where the verdict or labels select, though others follow."""
        page = await service.list(selection, token=token, limit=limit)
        link = str(request.url.include_query_params(token=page.token)) if page.token else None
        return MonitorList(value=page.monitors, next_link=link, unreadable=page.unreadable)

    @routes.get("/monitors/{job_id}")
    async def get(job_id: JobId) -> MonitorView:
        """How a monitor stands, or how it ended."""
        return await service.get(job_id)

    @routes.delete("/monitors/{job_id}", status_code=HTTPStatus.NO_CONTENT)
    async def purge(job_id: JobId) -> None:
        """Delete a monitor that has ended."""
        await service.purge(job_id)

    return routes


def _label(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise RequestError([Problem("label", f"should be NAME=VALUE (got {text!r})")])
    return name, value


def _where(request: Request, started: Started, asked: MonitorRequest) -> dict[str, str]:
    job = encoded(started.job_id)
    base = str(request.base_url).rstrip("/")
    return {
        "Location": f"{base}/monitors/{job}",
        "Operation-Location": f"{base}/operations/{job}",
        "Retry-After": retry_after(asked.polling.interval_seconds),
    }


def retry_after(interval_seconds: float) -> str:
    """When it is worth looking again: whole seconds, 1 to 30."""
    return str(round(min(max(interval_seconds, 1), 30)))
