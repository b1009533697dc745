"""What every answer says to browsers, and how much every caller may ask: headers, size, rate."""

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor_client.api.access import Principal
from monitor_client.api.problems import Refused, refusal

LARGEST_BODY: Final = 1024 * 1024
LARGEST_BATCH_BODY: Final = 8 * 1024 * 1024
"""Bytes; a batch holds up to 1,000 requests."""
LARGEST_TOLD: Final = 4 * 1024
"""Bytes of a callback, whose sender may be anybody: its token is looked at only then."""
_BODY_SECONDS: Final = 30
_BATCH: Final = "/monitors:batch"
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_TRANSPORT: Final = "max-age=31536000"


class SecurityHeaders:
    """Adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on; the answer gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _TRANSPORT)
            await send(message)

        await self._app(scope, receive, adding)


class LimitedSize:
    """Refuses a body that is too large, before it is in memory, and one that is not JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, or refuse by problem details."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await _whole(receive, _largest(scope), _declared(scope))
            if body:
                _require_json(scope)
        except Refused as error:
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)


class LimitedRate:
    """Refuses a caller who asks too often. Goes behind the gate, which says who it is.

    Args:
        app: what is behind it.
        rate: how much one caller may ask.
    """

    def __init__(self, app: ASGIApp, rate: RateLimitItem) -> None:
        self._app, self._rate = app, rate
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, or refuse by problem details."""
        principal = _principal(scope)
        if principal is not None and not await self._limiter.hit(self._rate, principal.name):
            detail = f"more than {self._rate} requests: ask less often"
            error = Refused(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": str(self._rate.get_expiry())})
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _principal(scope: Scope) -> Principal | None:
    principal: Principal | None = scope.get("state", {}).get("principal")
    return principal


def _largest(scope: Scope) -> int:
    principal = _principal(scope)
    if principal is not None and principal.callback is not None:
        return LARGEST_TOLD
    return LARGEST_BATCH_BODY if scope["path"] == _BATCH else LARGEST_BODY


def _declared(scope: Scope) -> int:
    value = _header(scope, b"content-length")
    return int(value) if re.fullmatch("[0-9]{1,18}", value) else 0


def _header(scope: Scope, name: bytes) -> str:
    found: list[tuple[bytes, bytes]] = scope["headers"]
    return next((value.decode("latin-1") for key, value in found if key == name), "")


async def _whole(receive: Receive, largest: int, declared: int) -> bytes:
    body, more = bytearray(), declared <= largest
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = (
                    message["type"] == "http.request" and message.get("more_body", False) and len(body) <= largest
                )
    except TimeoutError:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, f"the body took longer than {_BODY_SECONDS} s") from None
    if declared > largest or len(body) > largest:
        detail = f"the body is larger than {largest:,} bytes"
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    return bytes(body)


def _require_json(scope: Scope) -> None:
    media = _header(scope, b"content-type").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        detail = "the body should be application/json: say so in Content-Type"
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def _replayed(body: bytes, receive: Receive) -> Receive:
    left: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay
