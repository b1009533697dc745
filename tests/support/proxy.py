"""A TCP proxy that loses, delays and cuts: what lies between a worker and its scheduler, when it is at its worst.

with proxied("127.0.0.1:8080") as proxy:
    ...  # http://{proxy.address} is the scheduler
    proxy.refuse()  # nothing listens there any more, connections are reset
    proxy.restore()
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

PATIENCE: Final = 30
_CHUNK: Final = 65_536
_SLOW_CHUNK: Final = 512


@dataclass(eq=False)
class Pair:
    """A connection from a client, and the one to the server that it goes on by."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter

    def reset(self) -> None:
        """End both at once, by a reset."""
        for writer in (self.client, self.server):
            _reset(writer)


@dataclass
class Proxy:
    """Passes everything on until told otherwise. Use it from any thread.

    Args:
        host: of the server.
        port: of the server.
    """

    host: str
    port: int
    address: str = ""
    slow_seconds: float = 0.0
    """Pause after each half a kilobyte."""
    accepted: int = 0
    """Connections so far."""
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _pairs: set[Pair] = field(default_factory=set)
    _server: asyncio.Server | None = None

    def refuse(self) -> None:
        """Reset every connection, and listen no more."""
        self._do(self._refuse)

    def restore(self) -> None:
        """Listen again, at the same address."""
        self._do(self._listen)

    def reset(self) -> None:
        """Reset every connection; new ones are welcome."""
        self._do(self._reset)

    def half_open(self) -> None:
        """Reset the server's side of every connection, and let the client believe that nothing has happened."""
        self._do(self._cut_off)

    def _do(self, action: Callable[[], "asyncio.Future[None] | object"]) -> None:
        async def run() -> None:
            made = action()
            if asyncio.iscoroutine(made):
                await made

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(PATIENCE)

    async def _listen(self) -> None:
        host, _, port = self.address.partition(":")
        self._server = await asyncio.start_server(self._serve, host or "127.0.0.1", int(port or 0))
        self.address = "{}:{}".format(*self._server.sockets[0].getsockname()[:2])

    def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
        self._reset()

    def _reset(self) -> None:
        for pair in tuple(self._pairs):
            pair.reset()

    def _cut_off(self) -> None:
        for pair in tuple(self._pairs):
            self._pairs.discard(pair)
            _reset(pair.server)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            answers, server = await asyncio.open_connection(self.host, self.port)
        except OSError:
            _reset(client)
            return
        pair = Pair(client, server)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._pump(reader, server, pair), self._pump(answers, client, pair))
        finally:
            self._pairs.discard(pair)
            pair.reset()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: Pair) -> None:
        with suppress(OSError):
            while data := await reader.read(_SLOW_CHUNK if self.slow_seconds else _CHUNK):
                if pair not in self._pairs:
                    continue  # half open: what the client says goes nowhere
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(self.slow_seconds)
        if pair in self._pairs:
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    line: socket.socket | None = writer.get_extra_info("socket")
    if line is not None and not writer.transport.is_closing():
        with suppress(OSError):
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def proxied(server: str) -> Iterator[Proxy]:
    """A proxy of `HOST:PORT` on a free port of 127.0.0.1."""
    host, _, port = server.rpartition(":")
    proxy = Proxy(host, int(port))
    thread = threading.Thread(target=proxy._loop.run_forever)
    thread.start()
    try:
        proxy.restore()
        yield proxy
    finally:
        proxy.refuse()
        proxy._do(_cancel_others)
        proxy._loop.call_soon_threadsafe(proxy._loop.stop)
        thread.join(PATIENCE)
        proxy._loop.close()


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
