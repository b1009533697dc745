"""Monitors through a client-scheduler's HTTP API: the same face as the service's own, whose errors it raises."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

from pydantic import ValidationError

from monitor_client.bulk import Outcome
from monitor_client.errors import (
    CommandRefused,
    NoClientScheduler,
    NotAnswered,
    RunReplaced,
    SchedulerUnreachable,
    ServerBusy,
    ServerFull,
    ServiceError,
)
from monitor_client.http_api import HttpApi
from monitor_client.identity import Started
from monitor_client.listing import MonitorPage, Selection
from monitor_client.patience import Patience
from monitor_client.server_events import events_of
from monitor_client.server_problems import error_of
from monitor_client.view import MonitorView
from monitor_core.contract import Command, CommandOutcome, Explanation, Model, MonitorRequest, RequestError

_BATCH: Final = 1000
_BATCH_BYTES: Final = 7 * 1024 * 1024
"""The server takes 8 MiB."""
_RETRY_SECONDS: Final = 1.0
M = TypeVar("M", bound=Model)


class _Page(Model):
    value: tuple[MonitorView, ...]
    next_link: str | None
    unreadable: int = 0


class _Item(Model):
    started: Started | None = None
    problem: dict[str, Any] | None = None


class _Items(Model):
    results: tuple[_Item, ...]


class RemoteMonitors:
    """Monitors behind a server; the methods are those of `MonitorService`, and raise what it raises.

    Besides, each raises what tells of the server: `ServerUnreachable`, `ServerRefused` and its kinds.
    """

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    async def start(self, request: MonitorRequest, *, run: str | None = None, restart: bool = False) -> Started:
        """As `MonitorService.start`."""
        _, data = await self._api.ask(
            "POST",
            "/monitors",
            body=_wire(request),
            query={"restart": "true" if restart else "false"},
            # Sent again, it finds itself.
            headers={"Repeatability-Request-ID": run or uuid4().hex},
        )
        return self._read(Started, data)

    async def start_many(
        self, requests: Iterable[MonitorRequest], *, restart: bool = False
    ) -> AsyncIterator[Outcome]:
        """As `MonitorService.start_many`, up to 1,000 in one request."""
        first = 0
        for some in _batches(requests):
            for position, outcome in enumerate(await self._started(some, restart=restart), first):
                yield position, outcome
            first += len(some)

    async def _started(
        self, some: list[dict[str, Any]], *, restart: bool
    ) -> list[Started | ServiceError | RequestError]:
        try:
            _, data = await self._api.ask("POST", "/monitors:batch", body={"requests": some, "restart": restart})
            items = self._read(_Items, data).results
        except (ServiceError, RequestError) as error:
            return [error] * len(some)
        if len(items) != len(some):
            return [NoClientScheduler(self._api.server, "answers for another number of monitors")] * len(some)
        return [self._outcome(item) for item in items]

    async def get(self, job_id: str, *, deliveries: bool = True) -> MonitorView:
        """As `MonitorService.get`."""
        query = {} if deliveries else {"deliveries": "false"}
        _, data = await self._api.ask("GET", _path(job_id), query=query)
        return self._read(MonitorView, data)

    async def list(self, selection: Selection, *, token: str | None = None, limit: int = 50) -> MonitorPage:
        """As `MonitorService.list`."""
        given = selection.model_dump(mode="json", exclude_none=True, exclude={"labels"})
        labels = [f"{name}={value}" for name, value in selection.labels.items()]
        query = (
            {**given, "limit": limit} | ({"token": token} if token else {}) | ({"label": labels} if labels else {})
        )
        _, data = await self._api.ask("GET", "/monitors", query=query)
        page = self._read(_Page, data)
        following = parse_qs(urlsplit(page.next_link or "").query).get("token")
        return MonitorPage(
            monitors=page.value, token=following[0] if following else None, unreadable=page.unreadable
        )

    async def watch(
        self,
        job_id: str,
        run: str | None = None,
        *,
        poll_seconds: float = 0.5,
        on_unreachable: Callable[[str], None] = lambda _: None,
    ) -> AsyncIterator[MonitorView]:
        """As `MonitorService.watch`; the server says when to look, `poll_seconds` does not count.

        A stream that breaks off is taken up again; one that the server has no room for is made up for by looks.
        """
        del poll_seconds
        patience, last = Patience(on_unreachable), None
        while True:
            pause = _RETRY_SECONDS
            try:
                async with aclosing(self._views(job_id)) as views:
                    async for view in views:
                        patience.renew()
                        run = _pinned(view, run)
                        if view != last:
                            yield view
                        last = view
                        if view.verdict is not None:
                            return
            except ServerBusy as error:
                patience.bear(error)
                pause = error.retry_seconds
            except SchedulerUnreachable as error:
                patience.bear(error)
            await asyncio.sleep(pause)

    async def send(self, job_id: str, command: Command, *, wait_seconds: float = 5) -> CommandOutcome | None:
        """As `MonitorService.send`; the server waits 5 s for the outcome."""
        del wait_seconds
        fields = command.model_dump(mode="json", exclude_none=True, exclude={"name"})
        path = f"{_path(job_id)}/{command.name.replace('_', '-')}"
        try:
            status, data = await self._api.ask("POST", path, body=fields)
        except CommandRefused as error:
            return error.outcome
        return None if status == HTTPStatus.ACCEPTED else self._read(CommandOutcome, data)

    async def purge(self, job_id: str) -> None:
        """As `MonitorService.purge`."""
        await self._api.ask("DELETE", _path(job_id))

    async def explain(self, request: MonitorRequest, *, wait_seconds: float | None = None) -> Explanation:
        """As `MonitorService.explain`; without `wait_seconds` the server decides how long a worker may take."""
        longest = request.check_timeout_seconds + 60
        try:
            async with asyncio.timeout(wait_seconds):
                _, data = await self._api.ask("POST", "/explain", body=_wire(request), seconds=longest)
        except TimeoutError as error:
            why = f"{self._api.server} has not answered within {wait_seconds:g} s"
            raise NotAnswered(request.job_id, why) from error
        return self._read(Explanation, data)

    async def _views(self, job_id: str) -> AsyncGenerator[MonitorView, None]:
        try:
            async with self._api.answer("GET", f"{_path(job_id)}/events") as answer:
                await self._api.require(answer)
                # Each event is the monitor whole: there is none before it to be sent again.
                async with aclosing(events_of(answer.content, self._api.server)) as events:
                    async for event, data in events:
                        yield self._view(event, data)
        except ServerFull as error:
            yield await self.get(job_id, deliveries=False)
            await asyncio.sleep(error.retry_seconds)

    def _view(self, event: str, data: Any) -> MonitorView:
        if event == "problem":
            raise error_of(data, HTTPStatus.INTERNAL_SERVER_ERROR, self._api.server)
        return self._read(MonitorView, data)

    def _outcome(self, item: _Item) -> Started | ServiceError | RequestError:
        if item.started is not None:
            return item.started
        return error_of(item.problem, HTTPStatus.INTERNAL_SERVER_ERROR, self._api.server)

    def _read(self, model: type[M], data: Any) -> M:
        try:
            # A newer server may say more than this version knows: that is no reason not to take the rest.
            return model.model_validate(data, extra="ignore")
        except ValidationError as error:
            raise NoClientScheduler(
                self._api.server, f"answers with something else than {model.__name__}"
            ) from error


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


def _batches(requests: Iterable[MonitorRequest]) -> Iterator[list[dict[str, Any]]]:
    some, size = list[dict[str, Any]](), 0
    for request in requests:
        wire = _wire(request)
        length = len(json.dumps(wire)) + 2
        if some and (len(some) == _BATCH or size + length > _BATCH_BYTES):
            yield some
            some, size = [], 0
        some.append(wire)
        size += length
    if some:
        yield some
