"""A server that is as bad as its paths say, for whole workers to look at; on a thread of its own.

`/hang` never answers, `/reset` resets, `/drip` sends a byte now and then, `/flood` a gigabyte, `/garbage` no HTTP.
"""

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

PATIENCE: Final = 30
GIGABYTE: Final = 10**9
_PIECE: Final = os.urandom(2**16)
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n"
Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def _hang(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _reset(writer: asyncio.StreamWriter) -> None:
    line: socket.socket = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _drip(writer: asyncio.StreamWriter) -> None:
    for number in range(len(_HEAD) + GIGABYTE):
        writer.write(_HEAD[number : number + 1] or b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _flood(writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD)
    for _ in range(GIGABYTE // len(_PIECE) + 1):
        writer.write(_PIECE)
        await writer.drain()


async def _garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(_PIECE[:5000])
    await writer.drain()


TALKS: Final[Mapping[str, Talk]] = {
    "hang": _hang,
    "reset": _reset,
    "drip": _drip,
    "flood": _flood,
    "garbage": _garbage,
}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        talk = asyncio.ensure_future(TALKS[head.split()[1].decode().strip("/")](writer))
        gone = asyncio.ensure_future(reader.read())  # until who asks hangs up
        await asyncio.wait([talk, gone], return_when=asyncio.FIRST_COMPLETED)
        for task in (talk, gone):
            task.cancel()
        await asyncio.gather(talk, gone, return_exceptions=True)
    writer.close()


@contextmanager
def nasty() -> Iterator[str]:
    """The server; its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(_serve, "127.0.0.1", 0), loop).result(PATIENCE)
    try:
        yield "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_cancel_others(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
