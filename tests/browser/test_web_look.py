"""Every page in every state: accessible, fit for a small screen, light and dark, and of use without a script."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page, ViewportSize, expect

from browser.fakes import served
from browser.scenes import EMPTY, SCENES, Scene
from browser.world import World
from support.fake_scheduler import FakeScheduler, Instance, request, status

pytestmark = pytest.mark.asyncio(loop_scope="session")
SMALL: ViewportSize = {"width": 380, "height": 760}
FIT = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


async def violations(page: Page) -> list[str]:
    """What axe finds, with where."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = (await page.evaluate("axe.run()"))["violations"]
    return [f"{one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in found]


async def looked_at(page: Page, scene: Scene, url: str) -> list[str]:
    """What is wrong with a scene, wide and light, then small and dark."""
    await scene.enter(page, url)
    wrong = await violations(page)
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size(SMALL)
    wrong += await violations(page)
    needed, there = await page.evaluate(FIT)
    return wrong if needed <= there else [*wrong, f"{needed} px wide on {there} px"]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_axe_finds_nothing_in_light_and_dark_and_nothing_scrolls_sideways(
    page: Page, populated: World, scene: Scene
) -> None:
    assert await looked_at(page, scene, populated.url) == []


async def test_the_same_holds_where_there_is_nothing_yet(page: Page) -> None:
    async with served(FakeScheduler(), page) as url:
        assert await looked_at(page, EMPTY, url) == []


async def test_the_same_holds_for_a_banner(page: Page) -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "run-1", Instance(shown=status()))
    async with served(scheduler, page) as url:

        async def purged(page: Page) -> None:
            await expect(page.locator("#news")).not_to_be_empty()
            scheduler.instances.clear()
            await expect(page.locator("#banner")).to_be_visible()

        assert await looked_at(page, Scene("purged", "/m/job-1", purged), url) == []


async def test_dark_is_dark(page: Page, populated: World) -> None:
    await page.goto(populated.url)
    lightness = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert await page.evaluate(lightness) > 200
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(lightness) < 50


async def test_nothing_moves_for_who_wants_no_motion(page: Page, populated: World) -> None:
    await page.goto(f"{populated.url}/m/nightly-export")
    moving = "document.getAnimations().length"
    assert await page.evaluate(moving) > 0
    await page.emulate_media(reduced_motion="reduce")
    assert await page.evaluate(moving) == 0


async def test_the_first_tab_leads_past_the_header(page: Page, populated: World) -> None:
    await page.goto(populated.url)
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()


async def test_the_content_policy_allows_nothing_inline_and_nothing_from_elsewhere(
    page: Page, populated: World
) -> None:
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    for path in ("/", "/m/nightly-export", "/start"):
        answer = await page.goto(populated.url + path)
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy or "default-src 'self'" in policy
        assert answer.headers["cache-control"] == "no-store"
    assert [url for url in asked if not url.startswith(populated.url)] == []


@pytest_asyncio.fixture(loop_scope="session")
async def plain(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(java_script_enabled=False)
    yield await context.new_page()
    await context.close()


async def test_without_a_script_all_can_be_read_and_the_form_says_what_to_do(
    plain: Page, populated: World
) -> None:
    await plain.goto(f"{populated.url}/?prefix=report")
    await plain.get_by_role("link", name="report-ready").click()
    await expect(plain.locator("h1 + .badge")).to_have_text("Failed")
    await expect(plain.locator(".evidence .verdict")).to_contain_text("the failure condition holds")
    await expect(plain.locator(".transition strong")).to_have_text(["Running", "Failed"])
    await plain.goto(f"{populated.url}/start")
    await expect(plain.get_by_text("This form sends JSON, which takes JavaScript.")).to_be_visible()
    await plain.get_by_label("Kind", exact=True).select_option("tcp")
    await plain.get_by_role("button", name="Show its fields").click()
    await expect(plain.locator("#tcp-check-host")).to_be_visible()
    await expect(plain.locator("#http-check-url")).to_be_hidden()
