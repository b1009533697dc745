"""What the monitors look at, and who is told of their verdicts: one server, which keeps account of both."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from benchmarks.soak.plans import Plan
from support.asked import Asked

REQUEST_ID: Final = "x-ms-client-request-id"


@dataclass
class Account:
    """What was seen of one monitor."""

    plan: Plan
    asked: list[Asked] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    """The notices, as often as they were delivered."""
    first_asked: float | None = None
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once its verdict was told."""


class Target:
    """The accounts of the monitors under way.

    `stray` counts what came for a monitor that is over: a check after the verdict, or one more notice.
    """

    def __init__(self) -> None:
        self.url = ""
        self.accounts: dict[str, Account] = {}
        self.stray: list[str] = []

    def open(self, plan: Plan) -> Account:
        """Expect a monitor."""
        self.accounts[plan.job_id] = Account(plan)
        return self.accounts[plan.job_id]

    def close(self, plan: Plan) -> None:
        """Expect it no more."""
        del self.accounts[plan.job_id]

    async def job(self, request: web.Request) -> web.Response:
        """Answer a check."""
        account = self.accounts.get(request.match_info["job"])
        if account is None:
            self.stray.append(f"a check of {request.path} after it was over")
            return web.Response(status=404)
        now = time.monotonic()
        account.first_asked = now if account.first_asked is None else account.first_asked
        account.asked.append(Asked(datetime.now(UTC), request.headers[REQUEST_ID]))
        code, status = account.plan.answer(now - account.first_asked)
        return web.json_response({"status": status}, status=code)

    async def told(self, request: web.Request) -> web.Response:
        """Take a notice."""
        notice = (await request.json())["data"]
        account = self.accounts.get(notice["job_id"])
        if account is None:
            self.stray.append(f"a notice of {notice['job_id']} after it was over")
        else:
            account.told.append(notice)
            account.heard.set()
        return web.Response(status=204)


@asynccontextmanager
async def serving() -> AsyncIterator[Target]:
    """A target on a free port of the loopback."""
    target = Target()
    app = web.Application()
    app.router.add_get("/jobs/{job}", target.job)
    app.router.add_post("/told", target.told)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        target.url = "http://{}:{}".format(*runner.addresses[0][:2])
        yield target
    finally:
        await runner.cleanup()
