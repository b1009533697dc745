"""A simulator that really listens: in this process's main thread, or beside a test or a demo."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from job_simulator.app import create_app, utc_now

_PATIENCE_SECONDS = 30


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to `host` and `port`; port 0 is a free one.

    Raises:
        OSError: the host is unknown or not of this machine, or the port is taken.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address, family=family)


def url_of(listener: socket.socket) -> str:
    """The base URL of what is served there, without a slash at its end."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Says when it listens, and hangs up on whoever still waits when it stops."""

    def __init__(self, app: FastAPI, on_listening: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app, access_log=False, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop at once: a request that hangs on purpose would keep uvicorn, and then be logged as a crash."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


class JobSimulator:
    """A simulator in a thread of this process: listening within `with`, at `url`.

    Arguments are those of `create_app`, and where to listen. One object serves once.

    Raises:
        OSError: on entering; the host is unknown or not of this machine, or the port is taken.
        RuntimeError: on entering; the server did not come up.
    """

    url: str

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        auto_create: bool = False,
    ) -> None:
        self._address = (host, port)
        self._settled = threading.Event()
        self._server = Server(create_app(clock=clock, now=now, auto_create=auto_create), self._settled.set)
        self._thread = threading.Thread(target=self._run, name="job-simulator", daemon=True)

    def __enter__(self) -> Self:
        self._listener = bind(*self._address)
        self.url = url_of(self._listener)
        self._thread.start()
        self._settled.wait(_PATIENCE_SECONDS)
        if not self._server.started:
            raise RuntimeError(f"the job simulator did not come up on {self.url}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_PATIENCE_SECONDS)

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._listener.close()
            self._settled.set()
