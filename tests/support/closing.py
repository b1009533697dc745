"""Waits for connections to be gone: a loop that ends before leaves them to the collector, in another test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

PATIENCE: Final = 10


@asynccontextmanager
async def connections_closed() -> AsyncIterator[None]:
    """After a block wait until the loop watches no more than before it.

    A connection is there still where its server has not read all of a body, or is told goodbye over TLS.
    """
    before = _watched()
    yield
    async with asyncio.timeout(PATIENCE):
        while _watched() > before:  # noqa: ASYNC110 # nobody tells
            await asyncio.sleep(0.005)


def _watched() -> int:
    selector: Any = vars(asyncio.get_running_loop())["_selector"]
    return len(selector.get_map())
