"""Opens the service on a scheduler, and closes what that takes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from monitor_client.face import Monitors
from monitor_client.gateway import Gateway
from monitor_client.service import MonitorService
from monitor_core.scheduler import Client, build_client, close_client
from monitor_core.settings import ClientSettings, SchedulerSettings


@asynccontextmanager
async def open_monitors(settings: ClientSettings) -> AsyncIterator[Monitors]:
    """The monitors, through the server of `settings` where they name one, else on their scheduler."""
    if settings.server is None:
        async with open_service(settings) as service:
            yield service
        return
    from monitor_client.http_api import HttpApi  # noqa: PLC0415 # few go that way
    from monitor_client.remote import RemoteMonitors  # noqa: PLC0415 # few go that way

    api = HttpApi(settings.server, settings.server_audience)
    try:
        yield RemoteMonitors(api)
    finally:
        await api.close()


@asynccontextmanager
async def open_service(
    settings: ClientSettings,
    build: Callable[[SchedulerSettings], Client] = build_client,
) -> AsyncIterator[MonitorService]:
    """The service on the scheduler of `settings`; its channel and credential are closed at the end."""
    client = build(settings.scheduler)
    try:
        yield MonitorService(Gateway(client, settings.scheduler), kinds=settings.kinds)
    finally:
        await close_client(client)
