"""Asking over HTTP: one pool of guarded connections, redirects followed, every failure put into words."""

import ssl
import time
from typing import Final, NamedTuple, cast

from aiohttp import ClientResponse

from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import CheckContext, CheckFailed
from monitor_worker.checks.http_answer import Answer
from monitor_worker.checks.http_connect import Pool
from monitor_worker.checks.http_errors import FAILURES, check_failed
from monitor_worker.checks.http_request import REDIRECTS, Request, shown
from monitor_worker.checks.http_response import Response
from monitor_worker.checks.targets import TargetGuard

LARGEST_ANSWER: Final = 1024 * 1024
"""Bytes, decompressed."""


class Asked(NamedTuple):
    """The last request of a chain of redirects, and its answer."""

    request: Request
    answer: Answer


class HttpClient:
    """Sends the requests of one kind's checks. Use it on one event loop.

    Args:
        guard: decides which targets may be reached.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        response: makes the answers, and limits the age of connections.
    """

    def __init__(
        self, guard: TargetGuard, tls: ssl.SSLContext | None = None, response: type[Response] = Response
    ) -> None:
        self._pool = Pool(guard, tls, response)

    async def ask(self, first: Request, context: CheckContext, max_redirects: int) -> Asked:
        """Send a request and follow its redirects.

        Args:
            first: the request.
            context: who asks.
            max_redirects: with 0 a redirect is an answer like any other.

        Raises:
            CheckFailed: there was no answer, or there were more redirects.
        """
        started, request = time.monotonic(), first
        for _ in range(max_redirects + 1):
            answer = await self._send(request, context, started)
            if answer.code not in REDIRECTS or not max_redirects:
                return Asked(request, answer)
            request = request.redirected(answer.code, answer.headers.get("Location"))
        times = f"more than {max_redirects} times, at last to {shown(request.url)}"
        raise CheckFailed(ErrorClass.PERMANENT, f"{shown(first.url)} redirects {times}")

    async def close(self) -> None:
        """Close every connection. Nothing is sent from then on."""
        await self._pool.close()

    async def _send(self, request: Request, context: CheckContext, started: float) -> Answer:
        session = self._pool.session()
        try:
            async with session.request(
                request.method,
                request.url,
                data=request.body,
                headers=request.all_headers(context.request_id),
                allow_redirects=False,
            ) as response:
                content = await _content(response)
                expires = cast("Response", response).certificate_expires
        except FAILURES as error:
            # Not chained: aiohttp's exceptions show the URL whole, and with its query what may be a secret.
            raise check_failed(error, shown(request.url)) from None
        latency = time.monotonic() - started
        return Answer(request.method, request.url, response.status, response.headers, content, latency, expires)


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
