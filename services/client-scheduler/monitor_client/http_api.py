"""Requests to a client-scheduler's HTTP API: JSON, and errors as the service's own.

TLS is always verified. The token goes over https alone, and to this one server: redirections are not followed.
"""

import asyncio
import io
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from opentelemetry import propagate
from yarl import URL

from monitor_client.errors import ServerUnreachable
from monitor_client.server_problems import error_of, retry_seconds
from monitor_client.server_token import ServerToken, default_credential
from monitor_core.contract import Problem
from monitor_core.settings import SettingsError

_SECONDS: Final = 60.0
_CONNECT_SECONDS: Final = 10.0
_ATTEMPTS: Final = 5
_LINE_BYTES: Final = 4 * 1024 * 1024
"""A monitor is one line of its events, and its request may have a quarter of a megabyte."""
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class HttpApi:
    """One server.

    Args:
        server: its URL, without a path.
        audience: what a token for it has to be for; None to send none.
        credential: makes the credential that tokens are of.
        proxies: by scheme; those that this machine's tools use.
        trusted: whose certificates count; True for those that this machine trusts.

    Raises:
        SettingsError: a token would go in clear.
    """

    def __init__(
        self,
        server: str,
        audience: str | None = None,
        *,
        credential: Callable[[], AsyncTokenCredential] = default_credential,
        proxies: Callable[[], Mapping[str, str]] = getproxies,
        trusted: ssl.SSLContext | Literal[True] = True,
    ) -> None:
        parts = urlsplit(server)
        if audience and parts.scheme != "https":
            raise SettingsError(
                [Problem("MONITOR_SERVER_AUDIENCE", "goes with an https server: no token in clear")]
            )
        self.server = server.rstrip("/")
        self._token = ServerToken(self.server, audience, credential) if audience else None
        is_direct = parts.hostname in _LOCAL or proxy_bypass(parts.netloc)
        self._proxy = None if is_direct else proxies().get(parts.scheme)
        self._trusted = trusted
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
        if self._token is not None:
            await self._token.close()

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
        """The status and the JSON of an answer; asked again, a few times, where too much was asked before.

        Raises:
            ServiceError, RequestError: as the problem of the answer says.
        """
        for left in reversed(range(_ATTEMPTS)):
            async with self.answer(
                method, path, body=body, query=query, headers=headers, seconds=seconds
            ) as answer:
                if answer.status != HTTPStatus.TOO_MANY_REQUESTS or not left:
                    return answer.status, await self._read(answer)
                pause = retry_seconds(answer.headers.get("Retry-After"))
            await asyncio.sleep(pause)
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
            ServerUnreachable: there is none, or it broke off.
        """
        if self._session is None:
            # As many as ask: a watch holds its connection.
            connector = aiohttp.TCPConnector(limit=0, ssl=self._trusted)
            self._session = aiohttp.ClientSession(connector=connector, read_bufsize=_LINE_BYTES)
        content = {} if body is None else {"Content-Type": "application/json"}
        token = {"Authorization": f"Bearer {await self._token.get()}"} if self._token else {}
        traced: dict[str, str] = {}
        propagate.inject(traced)  # traceparent, where there is a trace
        try:
            async with self._session.request(
                method,
                URL(self.server + path, encoded=True),
                # A stream: aiohttp warns of more than a megabyte in one piece.
                data=None if body is None else io.BytesIO(json.dumps(body).encode()),
                params=query,
                headers={**traced, **content, **token, **(headers or {})},
                allow_redirects=False,
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS),
            ) as answer:
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServerUnreachable(self.server, _why(error)) from error

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
        raise error_of(data, answer.status, self.server, answer.headers.get("Retry-After"))


def _why(error: Exception) -> str:
    """What is wrong, in a few words: aiohttp's own repeat the URL, or the bytes that it could not read."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorError(os_error=OSError() as inner) if not isinstance(inner, ssl.SSLError):
            number = inner.errno or 0
            return (os.strerror(number) if number > 0 else str(inner.strerror)).lower()
        case aiohttp.ServerDisconnectedError():
            return "it closed the connection without an answer"
        case aiohttp.ClientResponseError():
            return "what answers speaks no HTTP"
        case _:
            return str(error) or type(error).__name__
