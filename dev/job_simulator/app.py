"""The simulator put together as one ASGI application."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI

from job_simulator.jobs import Jobs
from job_simulator.ledger import CAPACITY, Ledger, LedgerMiddleware
from job_simulator.problems import handle_errors
from job_simulator.routes import router


def utc_now() -> datetime:
    """The time of the day, in UTC."""
    return datetime.now(UTC)


def create_app(
    *,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = utc_now,
    auto_create: bool = False,
    ledger_capacity: int = CAPACITY,
) -> FastAPI:
    """The simulator as an application of its own, with no job yet.

    Args:
        clock: monotonic seconds; jobs advance by it.
        now: UTC; what is shown to people.
        auto_create: a GET of an unknown job creates it, as its query says.
        ledger_capacity: how many requests the ledger keeps, the newest.
    """
    # No documentation pages: they would load their scripts from elsewhere.
    app = FastAPI(title="Job simulator (development only)", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.jobs = Jobs(clock, now)
    app.state.ledger = Ledger(clock, now, ledger_capacity)
    app.state.auto_create = auto_create
    app.add_middleware(LedgerMiddleware, ledger=app.state.ledger)
    handle_errors(app)
    app.include_router(router)
    return app
