"""Monitors through a client-scheduler's HTTP API: the same face as the service's own, whose errors it raises."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

from monitor_client.bulk import Outcome
from monitor_client.errors import GaveUp, RunReplaced, SchedulerUnreachable
from monitor_client.http_api import HttpApi, error_of
from monitor_client.identity import Started
from monitor_client.listing import MonitorPage, Selection
from monitor_client.view import MonitorView
from monitor_core.contract import Command, CommandOutcome, Explanation, MonitorRequest

_BATCH: Final = 1000
_PATIENCE_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 1.0
_SILENCE_SECONDS: Final = 60.0
"""The server says something every 15 s, if only that it is there."""


class RemoteMonitors:
    """Monitors behind a server; the methods are those of `MonitorService`."""

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    async def start(self, request: MonitorRequest, *, run: str | None = None, restart: bool = False) -> Started:
        """As `MonitorService.start`."""
        _, data = await self._api.ask(
            "POST",
            "/monitors",
            body=_wire(request),
            query={"restart": _word(restart)},
            # Sent again, it finds itself.
            headers={"Repeatability-Request-ID": run or uuid4().hex},
        )
        return Started.model_validate(data)

    async def start_many(
        self, requests: Iterable[MonitorRequest], *, restart: bool = False
    ) -> AsyncIterator[Outcome]:
        """As `MonitorService.start_many`."""
        asked = list(requests)
        for first in range(0, len(asked), _BATCH):
            some = asked[first : first + _BATCH]
            body = {"requests": [_wire(request) for request in some], "restart": restart}
            _, data = await self._api.ask("POST", "/monitors:batch", body=body)
            for position, item in enumerate(data["results"], first):
                yield position, self._outcome(item)

    async def get(self, job_id: str) -> MonitorView:
        """As `MonitorService.get`."""
        _, data = await self._api.ask("GET", _path(job_id))
        return MonitorView.model_validate(data)

    async def list(self, selection: Selection, *, token: str | None = None, limit: int = 50) -> MonitorPage:
        """As `MonitorService.list`."""
        given = selection.model_dump(mode="json", exclude_none=True, exclude={"labels"})
        labels = [f"{name}={value}" for name, value in selection.labels.items()]
        query = (
            {**given, "limit": limit} | ({"token": token} if token else {}) | ({"label": labels} if labels else {})
        )
        _, data = await self._api.ask("GET", "/monitors", query=query)
        following = parse_qs(urlsplit(data["next_link"] or "").query).get("token")
        views = tuple(MonitorView.model_validate(one) for one in data["value"])
        return MonitorPage(
            monitors=views, token=following[0] if following else None, unreadable=data["unreadable"]
        )

    async def watch(
        self,
        job_id: str,
        run: str | None = None,
        *,
        poll_seconds: float = 0.5,
        on_unreachable: Callable[[str], None] = lambda _: None,
    ) -> AsyncIterator[MonitorView]:
        """As `MonitorService.watch`; the server says when to look, `poll_seconds` does not count."""
        del poll_seconds
        patience = _Patience(on_unreachable)
        while True:
            try:
                async for view in self._events(job_id):
                    patience.renew()
                    run = _pinned(view, run)
                    yield view
                    if view.verdict is not None:
                        return
            except SchedulerUnreachable as error:
                patience.bear(error)
            await asyncio.sleep(_RETRY_SECONDS)

    async def send(self, job_id: str, command: Command, *, wait_seconds: float = 5) -> CommandOutcome | None:
        """As `MonitorService.send`; the server waits 5 s for the outcome."""
        del wait_seconds
        fields = command.model_dump(mode="json", exclude_none=True, exclude={"name"})
        status, data = await self._api.ask(
            "POST", f"{_path(job_id)}/{command.name.replace('_', '-')}", body=fields
        )
        return None if status == HTTPStatus.ACCEPTED else CommandOutcome.model_validate(data)

    async def purge(self, job_id: str) -> None:
        """As `MonitorService.purge`."""
        await self._api.ask("DELETE", _path(job_id))

    async def explain(self, request: MonitorRequest, *, wait_seconds: float | None = None) -> Explanation:
        """As `MonitorService.explain`; the server decides how long it waits for a worker."""
        patience = request.check_timeout_seconds + 60 if wait_seconds is None else wait_seconds
        _, data = await self._api.ask("POST", "/explain", body=_wire(request), seconds=patience)
        return Explanation.model_validate(data)

    async def _events(self, job_id: str) -> AsyncIterator[MonitorView]:
        async with self._api.answer("GET", f"{_path(job_id)}/events") as answer:
            await self._api.require(answer)
            event, data = "", ""
            while line := await asyncio.wait_for(answer.content.readline(), _SILENCE_SECONDS):
                name, _, value = line.decode(errors="replace").rstrip("\r\n").partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    data += value
                elif not name and data:
                    yield self._view(event, json.loads(data))
                    event, data = "", ""

    def _view(self, event: str, data: dict[str, Any]) -> MonitorView:
        if event == "problem":
            raise error_of(data, int(data["status"]), self._api.server)
        return MonitorView.model_validate(data)

    def _outcome(self, item: dict[str, Any]) -> Any:
        if item.get("started") is not None:
            return Started.model_validate(item["started"])
        return error_of(item["problem"], int(item["problem"]["status"]), self._api.server)


class _Patience:
    """How long a server that has answered once may be gone."""

    def __init__(self, on_unreachable: Callable[[str], None]) -> None:
        self._tell = on_unreachable
        self._has_answered = False
        self._gone_since: float | None = None

    def renew(self) -> None:
        """It answers."""
        self._has_answered, self._gone_since = True, None

    def bear(self, error: SchedulerUnreachable) -> None:
        """It does not; raise the error where it never has, or has not for too long."""
        now = asyncio.get_running_loop().time()
        if not self._has_answered:
            raise error
        if self._gone_since is None:
            self._gone_since = now
            self._tell(str(error))
        elif now - self._gone_since >= _PATIENCE_SECONDS:
            raise GaveUp(_PATIENCE_SECONDS, error) from error


def _pinned(view: MonitorView, run: str | None) -> str | None:
    if run is not None and view.run is not None and view.run != run:
        raise RunReplaced(view.job_id, run, view.run)
    return run or view.run


def _path(job_id: str) -> str:
    # A dot alone would be taken for a step in the path.
    part = quote(job_id, safe="")
    return f"/monitors/{part.replace('.', '%2E') if part in {'.', '..'} else part}"


def _wire(request: MonitorRequest) -> dict[str, Any]:
    return request.model_dump(mode="json", exclude_defaults=True)


def _word(value: bool) -> str:  # a query parameter
    return "true" if value else "false"
