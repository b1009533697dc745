"""Whether the scheduler can be used: asked as every reader of a monitor asks it, so that hub and role count too.

`python -m monitor_client.readiness` waits until it can, for containers that start together.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from monitor_client.connect import open_service
from monitor_client.errors import NotFound, SchedulerUnreachable, ServiceError, Unreadable
from monitor_client.failures import tell
from monitor_core.settings import ClientSettings, SettingsError, client_settings
from monitor_core.telemetry import configure_logging

ANSWER_SECONDS: Final = 3.0
PATIENCE_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 0.5
_UNHURRIED_SECONDS: Final = 8.0
"""Longer than the channel's own retries take, after which it says what is wrong."""
_ANY_JOB: Final = "readiness"


class Reader(Protocol):
    """The part of `MonitorService` that asks the scheduler."""

    async def get(self, job_id: str) -> Any:
        """Read a monitor."""


async def require_ready(service: Reader, endpoint: str, *, within_seconds: float = ANSWER_SECONDS) -> None:
    """Return where the scheduler answers; `endpoint` is what the message names.

    Raises:
        ServiceError: it does not, or refuses; the message says why.
    """
    try:
        async with asyncio.timeout(within_seconds):
            await service.get(_ANY_JOB)
    except (NotFound, Unreadable):
        return
    except TimeoutError as error:
        raise SchedulerUnreachable(endpoint, f"no answer within {within_seconds:g} s") from error


async def wait_until_ready(
    settings: ClientSettings,
    patience_seconds: float = PATIENCE_SECONDS,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Return as soon as the scheduler answers.

    Raises:
        ServiceError: it has not within `patience_seconds`; the last reason. A role may take its time too.
    """
    until = clock() + patience_seconds
    while True:
        try:
            # A new channel each time: one that has failed waits longer and longer before it tries again.
            async with open_service(settings) as service:
                return await require_ready(service, settings.scheduler.endpoint, within_seconds=_UNHURRIED_SECONDS)
        except ServiceError:
            if clock() >= until:
                raise
        await sleep(_RETRY_SECONDS)


def main(environment: Mapping[str, str] = os.environ, patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Wait; the exit code, as the command line's."""
    try:
        settings = client_settings(environment)
        configure_logging(settings.log_level, form=settings.log_format)
        asyncio.run(wait_until_ready(settings, patience_seconds))
    except (ServiceError, SettingsError) as error:
        return tell(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
