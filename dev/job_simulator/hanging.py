"""Keeping a client waiting without keeping anything once it has gone."""

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Unanswered(Response):
    """Nothing at all, until the client goes away."""

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        """Hold the connection."""
        await _gone(receive)


async def gone_within(receive: Receive, seconds: float) -> bool:
    """Wait so many seconds of real time; True, and at once, where the client goes away meanwhile."""
    if seconds <= 0:
        return False
    try:
        await asyncio.wait_for(_gone(receive), seconds)
    except TimeoutError:
        return False
    return True


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
