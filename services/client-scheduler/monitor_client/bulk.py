"""Many starts at a time: side by side, as many as one channel carries well, none hindered by another's failure."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from monitor_client.errors import ServiceError
from monitor_client.identity import Started
from monitor_core.contract import MonitorRequest, RequestError

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

    tasks = [asyncio.create_task(one(position, request)) for position, request in enumerate(requests)]
    try:
        for coming in asyncio.as_completed(tasks):
            yield await coming
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
