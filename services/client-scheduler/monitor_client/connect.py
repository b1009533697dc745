"""Opens the service on a scheduler, and closes what that takes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from durabletask.azuremanaged.client import AsyncDurableTaskSchedulerClient

from monitor_client.gateway import Gateway
from monitor_client.service import MonitorService
from monitor_core.scheduler import build_client
from monitor_core.settings import SchedulerSettings


@asynccontextmanager
async def open_service(
    settings: SchedulerSettings,
    build: Callable[[SchedulerSettings], AsyncDurableTaskSchedulerClient] = build_client,
) -> AsyncIterator[MonitorService]:
    """The service on the scheduler of `settings`; its channel and credential are closed at the end."""
    client = build(settings)
    try:
        yield MonitorService(Gateway(client, settings))
    finally:
        await client.close()
        await _close_credentials(client)


async def _close_credentials(client: AsyncDurableTaskSchedulerClient) -> None:
    """The SDK leaves the credential it was given to its maker, who has given it away."""
    for interceptor in client._interceptors:  # noqa: SLF001 # there is no public way to it
        credential = getattr(interceptor, "_token_credential", None)
        if credential is not None:
            await credential.close()
