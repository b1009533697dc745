"""Reads server-sent events, as far as a client-scheduler sends them: JSON, one line of data each."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, Final

from aiohttp import StreamReader

from monitor_client.errors import NoClientScheduler

_SILENCE_SECONDS: Final = 60.0
"""The server says something every 15 s, if only that it is there."""


async def events_of(stream: StreamReader, server: str) -> AsyncGenerator[tuple[str, Any], None]:
    """Each event's name and data.

    Args:
        stream: the body of the answer.
        server: for messages.

    Raises:
        TimeoutError: nothing came for a minute.
        NoClientScheduler: they are no such events.
    """
    name, data = "", ""
    while line := await _line(stream, server):
        text = line.rstrip("\r\n")
        field, _, value = text.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data += value
        elif not text and data:
            yield name, _json(data, server)
            name, data = "", ""


async def _line(stream: StreamReader, server: str) -> str:
    try:
        line = await asyncio.wait_for(stream.readline(), _SILENCE_SECONDS)
    except ValueError:
        raise NoClientScheduler(server, "sends an event that is too large") from None
    return line.decode(errors="replace")


def _json(data: str, server: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise NoClientScheduler(server, "sends events that are not JSON") from None
