"""A real HTTP server for tests that notes what it is asked."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Target:
    """A server that notes what it is asked."""

    answer: Answer
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    port: int = 0
    scheme: str = "http"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.text())
        self.connections.add(request.transport)
        return await self.answer(request)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


def always(response: Callable[[], web.Response]) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return response()

    return answer


def succeeded() -> web.Response:
    return web.json_response({"status": "Succeeded"})


def redirecting(location: str, status: int = 302) -> Answer:
    """`/` redirects, every other path answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            return web.Response(status=status, headers={"Location": location})
        return succeeded()

    return answer


@asynccontextmanager
async def serving(
    answer: Answer | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Target]:
    target = Target(answer or always(succeeded))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", target.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(ssl=tls)
    assert server.port
    target.port, target.scheme = server.port, "https" if tls else "http"
    try:
        yield target
    finally:
        await server.close()
