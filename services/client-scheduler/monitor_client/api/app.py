"""The application: its routes, and what holds for all of them."""

from collections.abc import Mapping

from fastapi import FastAPI

from monitor_client.api import batch, control, events, health, monitors, operations, problems
from monitor_client.api.paths import EncodedPaths
from monitor_client.live import Live
from monitor_client.service import MonitorService
from monitor_core.kinds import BUILT_IN, CheckSpec


def create_app(
    service: MonitorService, endpoint: str, *, kinds: Mapping[str, type[CheckSpec]] = BUILT_IN
) -> FastAPI:
    """The application on an open service, whose closing stays with the caller.

    Args:
        service: the monitors.
        endpoint: the scheduler's, for messages.
        kinds: what may be checked.
    """
    # No documentation pages: they would load their scripts from elsewhere.
    app = FastAPI(title="Durable Monitor", docs_url=None, redoc_url=None)
    problems.install(app)
    events.install(app)
    app.add_middleware(EncodedPaths)
    app.include_router(health.router(service, endpoint))
    app.include_router(monitors.router(service, kinds))
    app.include_router(batch.router(service, kinds))
    app.include_router(control.router(service))
    app.include_router(events.router(service, Live(service.watch)))
    app.include_router(operations.router(service))
    return app
