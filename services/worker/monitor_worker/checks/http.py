"""The kind `http`: one request, its redirects followed, its answer observed."""

import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from aiohttp import ClientResponse, ClientSession

from monitor_core.contract import ErrorClass
from monitor_core.kinds.http import HttpCheck
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.http_answer import Answer, observation
from monitor_worker.checks.http_connect import guarded_session
from monitor_worker.checks.http_errors import FAILURES, check_failed
from monitor_worker.checks.http_request import REDIRECTS, Request, shown
from monitor_worker.checks.targets import TargetGuard

LARGEST_ANSWER: Final = 1024 * 1024
"""Bytes, decompressed."""


class HttpDriver:
    """Makes the checks of the kind `http` over one pool of connections.

    Args:
        guard: decides which targets may be reached.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        now: the time in UTC, for a Retry-After that is a date.
    """

    def __init__(
        self,
        guard: TargetGuard,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._guard, self._tls, self._now = guard, tls, now
        self._session: ClientSession | None = None
        self._closed = False

    async def check(self, spec: HttpCheck, context: CheckContext) -> Observation:
        """Ask once. The caller cancels it at the context's timeout.

        Raises:
            CheckFailed: there was no answer, or none that can be judged.
        """
        started = time.monotonic()
        request = first = Request.first(spec)
        for _ in range(spec.max_redirects + 1):
            answer = await self._ask(request, context, started)
            if answer.code not in REDIRECTS or not spec.max_redirects:
                return observation(answer, spec.expected_codes, self._now())
            request = request.redirected(answer.code, answer.headers.get("Location"))
        times = f"more than {spec.max_redirects} times, at last to {shown(request.url)}"
        raise CheckFailed(ErrorClass.PERMANENT, f"{shown(first.url)} redirects {times}")

    async def close(self) -> None:
        """Close every connection. No check is made from then on."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _ask(self, request: Request, context: CheckContext, started: float) -> Answer:
        session = self._open_session()
        try:
            async with session.request(
                request.method,
                request.url,
                data=request.body,
                headers=request.all_headers(context),
                allow_redirects=False,
            ) as response:
                content = await _content(response)
        except FAILURES as error:
            # Not chained: aiohttp's exceptions show the URL whole, and with its query what may be a secret.
            raise check_failed(error, request.url) from None
        latency = time.monotonic() - started
        return Answer(request.method, request.url, response.status, response.headers, content, latency)

    def _open_session(self) -> ClientSession:
        if self._closed:
            raise CheckFailed(ErrorClass.TRANSIENT, "the worker is stopping")
        if self._session is None:
            # Only now: a session belongs to the loop that it is made on.
            self._session = guarded_session(self._guard, self._tls)
        return self._session


async def _content(response: ClientResponse) -> bytes:
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > LARGEST_ANSWER:
            reason = (
                f"the answer of {shown(response.url)} is larger than {LARGEST_ANSWER:,} bytes: ask for less of it"
            )
            raise CheckFailed(ErrorClass.PERMANENT, reason)
    return bytes(content)


def create(resources: Resources) -> HttpDriver:
    """The driver of the kind `http`."""
    return HttpDriver(resources.guard)
