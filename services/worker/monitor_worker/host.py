"""What the worker's process owes its host: health over HTTP, a drain on SIGTERM, and an end in any case."""

import gc
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from types import FrameType

from aiohttp import web

_log = logging.getLogger(__name__)
EXIT_STUCK = 70
_YOUNG_OBJECTS = 20_000


class HealthServer:
    """`/healthz`: the process works. `/readyz`: it holds a stream of work items and is not draining."""

    def __init__(self, host: str, port: int, is_alive: Callable[[], bool], is_ready: Callable[[], bool]) -> None:
        self._host, self._port = host, port
        app = web.Application()
        app.router.add_get("/healthz", _probe(is_alive))
        app.router.add_get("/readyz", _probe(is_ready))
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> str:
        """Listen; the address as a URL.

        Raises:
            OSError: the port is taken.
        """
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()


def _probe(holds: Callable[[], bool]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"}) if holds() else web.json_response({"status": "no"}, status=503)

    return answer


def spare_the_collector() -> None:
    """Look for cycles less often, and not in what is there from the start: a twelfth of the worker's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


def listen_for_signals() -> threading.Event:
    """From now on the first SIGTERM or SIGINT sets the event; a second one ends the process at once."""
    asked = threading.Event()

    def handle(number: int, _: FrameType | None) -> None:
        if asked.is_set():
            os._exit(128 + number)
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return asked


def end_after(seconds: float, last_words: Callable[[], object] = lambda: None) -> threading.Timer:
    """End the process when `seconds` are over, unless the timer is cancelled: a drain may hang.

    Args:
        seconds: how long.
        last_words: done before; it takes a moment at most.
    """

    def end() -> None:
        _log.error("The drain took longer than %g s: ending all the same", seconds)
        try:
            last_words()
        finally:
            os._exit(EXIT_STUCK)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer
