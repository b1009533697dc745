"""The application: its routes, and what holds for all of them."""

from collections.abc import Mapping
from typing import Final

from fastapi import Depends, FastAPI
from limits import RateLimitItemPerSecond

from monitor_client import web
from monitor_client.api import batch, control, events, explain, health, monitors, openapi, operations, problems
from monitor_client.api import kinds as kinds_of
from monitor_client.api.access import Anyone, Authenticator, Gate
from monitor_client.api.parameters import require_known_parameters
from monitor_client.api.paths import EncodedPaths, HeadAsGet
from monitor_client.api.protection import LimitedRate, LimitedSize, SecurityHeaders
from monitor_client.api.unexpected import Unexpected
from monitor_client.live import Live
from monitor_client.service import MonitorService
from monitor_core.contract import VERSION
from monitor_core.kinds import BUILT_IN, CheckSpec

_THIS_MACHINE: Final = Anyone(frozenset({"localhost", "127.0.0.1", "::1"}))


def create_app(
    service: MonitorService,
    endpoint: str,
    *,
    authenticator: Authenticator = _THIS_MACHINE,
    requests_per_second: int = 50,
    most_viewers: int = 1000,
    outcome_seconds: float = control.OUTCOME_SECONDS,
    stream_seconds: float = events.STREAM_SECONDS,
    kinds: Mapping[str, type[CheckSpec]] = BUILT_IN,
) -> FastAPI:
    """The application on an open service, whose closing stays with the caller.

    Args:
        service: the monitors.
        endpoint: the scheduler's, for messages.
        authenticator: finds out who is asking.
        requests_per_second: how many one caller may make.
        most_viewers: how many may watch monitors at a time, through server-sent events.
        outcome_seconds: how long a command's outcome is waited for.
        stream_seconds: how long a stream of events lasts, before it is asked again who watches.
        kinds: what may be checked.
    """
    # No documentation pages: they would load their scripts from elsewhere.
    app = FastAPI(
        title="Durable Monitor",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    openapi.install(app, kinds)
    events.install(app)
    # The last one is the outermost: each sees only what those outside of it let through.
    app.add_middleware(HeadAsGet)
    app.add_middleware(LimitedSize)
    app.add_middleware(LimitedRate, rate=RateLimitItemPerSecond(requests_per_second))
    app.add_middleware(Gate, authenticator=authenticator)
    app.add_middleware(EncodedPaths)
    app.add_middleware(Unexpected)
    app.add_middleware(SecurityHeaders)
    app.include_router(health.router(service, endpoint))
    app.state.live = Live(service.watch)
    for routes in (
        monitors.router(service, kinds),
        batch.router(service, kinds),
        control.router(service, outcome_seconds),
        events.router(service, app.state.live, most_viewers, stream_seconds),
        operations.router(service),
        explain.router(service, kinds),
        kinds_of.router(kinds),
    ):
        app.include_router(routes, dependencies=[Depends(require_known_parameters)])
    app.include_router(web.router(service, kinds))
    return app
