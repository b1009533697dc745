"""An ASGI application served for real, on this machine and a thread of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from monitor_client.server import config, listening

PATIENCE = 30


@contextmanager
def serving(app: ASGIApp, *, proxies: str = "127.0.0.1") -> Iterator[str]:
    """Serve `app` behind `proxies`, as the service's command does; its URL."""
    listener = listening(("127.0.0.1", 0))
    server = uvicorn.Server(config(app, proxies))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()
