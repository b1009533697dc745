"""The pages on a scheduler in memory: for what the real one cannot be brought to at will."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page

from monitor_client.api import create_app
from support.fake_scheduler import FakeScheduler, Instance, request
from support.serving import serving

ENDPOINT = "http://127.0.0.1:8080"


@asynccontextmanager
async def served(scheduler: FakeScheduler, page: Page) -> AsyncIterator[str]:
    """Serve the application on `scheduler` for a page; its URL."""
    with serving(create_app(scheduler.service(), ENDPOINT)) as url:
        yield url
        await page.goto("about:blank")  # its events would keep the server from ending


def several(count: int, **fields: Any) -> FakeScheduler:
    """A scheduler with so many monitors, job-000 and so on."""
    scheduler = FakeScheduler()
    for number in range(count):
        scheduler.put(request(f"job-{number:03}", **fields), f"run-{number}", Instance())
    return scheduler
