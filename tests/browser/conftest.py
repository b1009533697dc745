"""One real browser and one real world for all of these tests; for each a page, which may not complain."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from browser.chromium import launched
from browser.complaints import Complaints
from browser.scenes import populate
from browser.world import World
from browser.world import world as running_world

PATIENCE_MILLISECONDS = 20_000

expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with running_world() as parts:
        yield parts


@pytest.fixture(scope="session")
def populated(world: World) -> World:
    populate(world)
    return world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await launched(playwright)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1100, "height": 800}, timezone_id="Asia/Tokyo")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    complaints = Complaints(page)
    yield page
    await context.close()
    assert complaints.heard == []
