"""A monitor's changes as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Each event is the monitor as it is then, whole, so a client that reconnects has missed nothing that still counts.
The event's id is `run.revision.checks`, and of the last one the verdict too; who comes back after that is answered
with 204, which ends it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from monitor_client.api.paths import JobId
from monitor_client.api.problems import Refused, problem_of
from monitor_client.errors import ServiceError
from monitor_client.live import Live
from monitor_client.service import MonitorService
from monitor_client.view import MonitorView

STREAM_SECONDS: Final = 300.0
"""A stream may last as long as its monitor, and a role does not: who comes back has to show it again."""
_RETRY_MILLISECONDS: Final = 2000
_FULL_SECONDS: Final = "10"

LastEventId = Annotated[str | None, Header(description="The id of the last event that was received.")]


class NothingNew(Exception):
    """The client has had the last event."""


class Seats:
    """As many viewers at a time as the service has seats: each holds a connection open."""

    def __init__(self, most: int) -> None:
        self._free = most

    async def __call__(self) -> AsyncIterator[None]:
        """Take one until the answer has ended.

        Raises:
            Refused: all are taken (503).
        """
        if self._free <= 0:
            detail = "as many watch as this service lets: come back later, or ask for the monitor itself"
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": _FULL_SECONDS})
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


def router(service: MonitorService, live: Live, most_viewers: int, stream_seconds: float) -> APIRouter:
    """The route `/monitors/{job_id}/events`.

    Args:
        service: the monitors.
        live: shares the watching of them.
        most_viewers: how many may watch at a time.
        stream_seconds: how long a stream lasts; whoever watches comes back by itself.
    """
    routes = APIRouter(tags=["monitors"], dependencies=[Depends(Seats(most_viewers))])

    async def known(job_id: JobId, last_event_id: LastEventId = None) -> str:
        # Before the first byte: what is wrong by now still has a status code of its own.
        view = await service.get(job_id, deliveries=False)
        if view.verdict is not None and last_event_id == event_id(view):
            raise NothingNew
        return job_id

    @routes.get(
        "/monitors/{job_id}/events",
        response_class=EventSourceResponse,
        responses={HTTPStatus.NO_CONTENT: {"description": "It has ended, and the client has had the last event."}},
    )
    async def watch_monitor(job_id: Annotated[str, Depends(known)]) -> AsyncIterator[ServerSentEvent]:
        """The monitor as it is, then on every change, until it ends: server-sent events.

        `monitor` holds a monitor as `GET /monitors/{job_id}` gives it, but for its `deliveries`, which are null:
        they go on after the verdict, so ask for the monitor itself. `verdict` holds the last one, `problem` a
        problem where it can be watched no longer. While nothing changes there is a comment every 15 s. After 5 min
        it ends, to be asked for anew. 503 where as many watch as the service lets.
        """
        async with aclosing(live.views(job_id)) as views:
            try:
                async for view in _for(stream_seconds, views):
                    yield event_of(view)
            except ServiceError as error:
                yield ServerSentEvent(event="problem", data=problem_of(error).model_dump(mode="json"))

    return routes


async def _for(seconds: float, views: AsyncIterator[MonitorView]) -> AsyncIterator[MonitorView]:
    """The views of so long a time."""
    until = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(until):
                view = await anext(views)
        except (StopAsyncIteration, TimeoutError):
            return
        yield view


def install(app: FastAPI) -> None:
    """Have a client that has had everything told so."""

    async def told(_: Request, __: Exception) -> Response:
        return Response(status_code=HTTPStatus.NO_CONTENT)

    app.add_exception_handler(NothingNew, told)


def event_id(view: MonitorView) -> str:
    """What tells one state of a monitor from the next."""
    status, result = view.status, view.result
    revision = result.revision if result else status.revision if status else 0
    checks = result.checks_performed if result else status.check_count if status else 0
    # A verdict may fall without another check: who has had the event before it has not had this one.
    ended = f".{view.verdict}" if view.verdict else ""
    return f"{view.run}.{revision}.{checks}{ended}"


def event_of(view: MonitorView) -> ServerSentEvent:
    """The event `monitor` that shows a view; `verdict` where it is the last."""
    return ServerSentEvent(
        event="monitor" if view.verdict is None else "verdict",
        id=event_id(view),
        retry=_RETRY_MILLISECONDS,
        data=view.model_dump(mode="json"),
    )
