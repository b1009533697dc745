"""Removes instances that nobody needs any more, whether they have ended or not."""

import asyncio
from typing import Final

from durabletask.client import OrchestrationState

from monitor_client.gateway import Gateway
from monitor_client.view import ENDED

_FASTEST_SECONDS: Final = 0.1
_SLOWEST_SECONDS: Final = 1.0
_TERMINATED_SECONDS: Final = 2.0
"""How long a terminated instance may take to end."""


async def last_state(gateway: Gateway, instance: str, seconds: float) -> OrchestrationState | None:
    """The instance once it has ended, or as it is when the time is over.

    Raises:
        ServiceError: the scheduler cannot be reached, or refuses.
    """
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + seconds, _FASTEST_SECONDS
    while True:
        state = await gateway.read(instance, payloads=True)
        left = until - loop.time()
        if state is None or state.runtime_status in ENDED or left <= 0:
            return state
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, _SLOWEST_SECONDS)


async def remove(gateway: Gateway, instance: str, *, ended: bool) -> None:
    """Delete an instance; one that has not `ended` is terminated first.

    Where that takes long it stays, terminated, for the scheduler's retention policy.

    Raises:
        ServiceError: as `last_state`.
    """
    if not ended:
        await gateway.terminate(instance)
        await last_state(gateway, instance, _TERMINATED_SECONDS)
    await gateway.purge(instance)
