"""Requests to a client-scheduler's HTTP API, whose problems become the errors that they were made of."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from azure.core.exceptions import AzureError
from yarl import URL

from monitor_client import errors
from monitor_client.errors import NoCredential, SchedulerUnreachable, ServerRefused, ServiceError
from monitor_core.contract import Problem, RequestError
from monitor_core.settings import SettingsError

_SECONDS: Final = 60.0
_LONGEST_WAIT: Final = 30.0
_ATTEMPTS: Final = 3
_URN: Final = "urn:durable-monitor:"


class HttpApi:
    """One server.

    Args:
        server: its URL, without a path.
        audience: what a token for it has to be for; sent over https only.
    """

    def __init__(self, server: str, audience: str | None) -> None:
        if audience and urlsplit(server).scheme != "https":
            raise SettingsError(
                [Problem("MONITOR_SERVER_AUDIENCE", "goes with an https server: no token in clear")]
            )
        self.server, self._audience = server.rstrip("/"), audience
        self._session: aiohttp.ClientSession | None = None
        self._credential: Any = None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
        if self._credential is not None:
            await self._credential.close()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = _SECONDS,
    ) -> tuple[int, Any]:
        """The status and the JSON of an answer; asked again where the server is too busy.

        Raises:
            ServiceError, RequestError: as the problem of the answer says.
        """
        for attempt in range(_ATTEMPTS):
            async with self.answer(
                method, path, body=body, query=query, headers=headers, seconds=seconds
            ) as answer:
                if answer.status != HTTPStatus.TOO_MANY_REQUESTS or attempt == _ATTEMPTS - 1:
                    return answer.status, await self._read(answer)
                await asyncio.sleep(min(float(answer.headers.get("Retry-After", "1")), _LONGEST_WAIT))
        raise AssertionError("the last attempt returns")

    @asynccontextmanager
    async def answer(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer whose body is still to be read.

        Raises:
            SchedulerUnreachable: there is none.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        try:
            async with self._session.request(
                method,
                URL(self.server + path, encoded=True),
                json=body,
                params=query,
                headers={**await self._authorization(), **(headers or {})},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=10),
            ) as answer:
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = str(error) or "no answer in time"
            raise SchedulerUnreachable(self.server, why) from error

    async def require(self, answer: aiohttp.ClientResponse) -> None:
        """Raise what an answer's problem says; return where it has none."""
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            await self._read(answer)

    async def _read(self, answer: aiohttp.ClientResponse) -> Any:
        text = await answer.text(errors="replace")
        try:
            data = json.loads(text) if text else None
        except ValueError:
            data = None
        if answer.status < HTTPStatus.MULTIPLE_CHOICES and (data is not None or not text):
            return data
        raise error_of(data if isinstance(data, dict) else {}, answer.status, self.server)

    async def _authorization(self) -> dict[str, str]:
        if not self._audience:
            return {}
        if self._credential is None:
            from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 # half a second that few need

            self._credential = DefaultAzureCredential()
        try:
            token = await self._credential.get_token(f"{self._audience}/.default")
        except AzureError as error:
            raise NoCredential(self.server, str(error.message).splitlines()[0]) from error
        return {"Authorization": f"Bearer {token.token}"}


def error_of(problem: Mapping[str, Any], status: int, server: str) -> ServiceError | RequestError:
    """The error that problem details were made of.

    Args:
        problem: the details; empty where the answer had none.
        status: of the answer.
        server: for messages.
    """
    detail = str(problem.get("detail") or f"{server} answers {status}, which is no answer of a client-scheduler")
    found = [Problem(str(one["field"]), str(one["reason"])) for one in problem.get("errors") or ()]
    name = str(problem.get("type", "")).removeprefix(_URN)
    if name == RequestError.__name__ or (found and status == HTTPStatus.BAD_REQUEST):
        return RequestError(found)
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, ServiceError):
        # Its message is whole already: the constructor would make another of it.
        error = kind.__new__(kind)
        Exception.__init__(error, detail)
        return error
    if status == HTTPStatus.BAD_REQUEST:
        return RequestError([Problem("request", detail)])
    return ServerRefused(server, detail)
