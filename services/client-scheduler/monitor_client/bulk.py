"""Many starts at a time: side by side, as many as one channel carries well, none hindered by another's failure."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Final, TypeVar

from monitor_client.errors import ServiceError
from monitor_client.identity import Started
from monitor_core.contract import MonitorRequest, RequestError

T = TypeVar("T")
AT_A_TIME: Final = 64
Came = Started | ServiceError | RequestError
Outcome = tuple[int, Came]
"""The position of a request among the others, and what came of it."""


async def start_each(
    requests: Iterable[MonitorRequest], start: Callable[[MonitorRequest], Awaitable[Started]]
) -> AsyncIterator[Outcome]:
    """Start every request; what came of each, as it comes. Closed early, it starts no more."""
    slots = asyncio.Semaphore(AT_A_TIME)

    async def one(position: int, request: MonitorRequest) -> Outcome:
        async with slots:
            try:
                return position, await start(request)
            except (ServiceError, RequestError) as error:
                return position, error

    async with aclosing(side_by_side(one(*numbered) for numbered in enumerate(requests))) as outcomes:
        async for outcome in outcomes:
            yield outcome


async def side_by_side(works: Iterable[Coroutine[Any, Any, T]]) -> AsyncGenerator[T, None]:
    """What comes of each, as it comes. Closed early, or where one raises, the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        for coming in asyncio.as_completed(tasks):
            yield await coming
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
