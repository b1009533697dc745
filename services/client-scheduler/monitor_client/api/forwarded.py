"""Whose request it is where a proxy stands in front of the service: the address and scheme that the proxy saw."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

ANY: Final = "*"
_HEADER: Final = b"x-forwarded-for"


def behind(app: ASGIApp, proxies: str) -> ASGIApp:
    """The application as proxies reach it.

    Args:
        app: what is behind them.
        proxies: whose `X-Forwarded-*` count, as uvicorn takes it: addresses and networks with commas between, or
            `*` for whoever connects, where nobody but one proxy can.
    """
    # uvicorn's own types say the same in words of their own.
    forwarded: ASGIApp = ProxyHeadersMiddleware(app, proxies)  # type: ignore[arg-type, assignment]
    return LastForwarded(forwarded) if proxies == ANY else forwarded


class LastForwarded:
    """Leaves the last address of `X-Forwarded-For` alone.

    A proxy appends the address that it saw to what the caller had written there. uvicorn takes the first where it
    trusts whoever connects: the caller's own word, by which nobody can be counted.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on."""
        if scope["type"] == "http":
            given = [value for name, value in scope["headers"] if name == _HEADER]
            others = [(name, value) for name, value in scope["headers"] if name != _HEADER]
            last = [(_HEADER, given[-1].rpartition(b",")[2].strip())] if given else []
            scope = {**scope, "headers": [*others, *last]}
        await self._app(scope, receive, send)
