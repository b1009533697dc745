"""The pages in every state that they have: what is looked at for accessibility and fit, and shown in docs/."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Page, expect

from browser.world import World
from support.receiver import code

MONITORS: Final = ("nightly-export", "vm-provisioning", "site-is-up", "vendor-job", "report-ready", "key-rotation")


@dataclass(frozen=True)
class Scene:
    """A page, and what is done there until it is in the state that is meant."""

    name: str
    path: str
    prepare: Callable[[Page], Awaitable[Any]] | None = None

    async def enter(self, page: Page, url: str) -> None:
        """Go there, and wait until it stands."""
        await page.goto(url + self.path)
        if self.prepare is not None:
            await self.prepare(page)


def populate(world: World) -> None:
    """Monitors in every state."""
    export = {"kind": "http", "url": world.job_url("export", duration_seconds=600, steps="Copying,Checking")}
    world.start(MONITORS[0], export, polling={"interval_seconds": 10}, labels={"env": "prod", "team": "data"})
    world.start(MONITORS[1], polling={"interval_seconds": 30}, timeout_seconds=3600, labels={"env": "prod"})
    up = {"kind": "http", "url": world.job_url("up", duration_seconds=0)}
    world.start(MONITORS[2], up, success_when="code == 200")
    world.start(MONITORS[3], {"kind": "http", "url": world.job_url("vendor", status_code=403)})
    failing = {"kind": "simulated", "checks": 3, "outcome": "Failed"}
    world.receiver.plan("/gone", then=code(410))
    world.receiver.plan("/busy", then=code(503, retry_after=3600))
    told = [world.hook("/chat", transitions=True), world.hook("/gone"), world.hook("/busy")]
    world.start(MONITORS[4], failing, polling={"interval_seconds": 0.2}, labels={"env": "test"}, on_verdict=told)
    world.start(MONITORS[5])
    world.until_ended(*MONITORS[2:5])
    world.until_told(MONITORS[4], 5)
    while not world.get(f"/monitors/{MONITORS[5]}")["status"]:
        time.sleep(0.05)
    world.post(f"/monitors/{MONITORS[5]}/pause", {"deadline": "stops"})
    world.post(f"/monitors/{MONITORS[0]}/extend", {"seconds": 900})


async def _live(page: Page) -> None:
    await expect(page.locator("#news")).not_to_be_empty()


async def _cancelling(page: Page) -> None:
    await page.get_by_role("button", name="Cancel…").click()


async def _editing_badly(page: Page) -> None:
    await page.get_by_role("button", name="Edit…").click()
    await page.get_by_role("dialog").get_by_label("Interval").fill("soon")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#edit-interval_seconds-error")).not_to_be_empty()


async def _outcome(page: Page) -> None:
    await page.get_by_role("button", name="Check now").click()
    await expect(page.locator("#outcome")).not_to_be_empty()


async def _unfolded(page: Page) -> None:
    for summary in await page.locator("summary:visible").all():
        await summary.click()


async def _wrong(page: Page) -> None:
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator("#problem")).to_be_visible()


async def _explained(page: Page) -> None:
    await page.get_by_role("button", name="Explain").click()
    await expect(page.locator("#explanation")).to_be_visible()


SCENES: Final = (
    Scene("list", "/"),
    Scene("list-filtered-to-nothing", "/?verdict=Timeout"),
    Scene("list-wrong-filter", "/?label=env"),
    Scene("monitor", "/m/nightly-export", _live),
    Scene("monitor-cancelling", "/m/nightly-export", _cancelling),
    Scene("monitor-editing-badly", "/m/nightly-export", _editing_badly),
    Scene("monitor-outcome", "/m/vm-provisioning", _outcome),
    Scene("monitor-paused", "/m/key-rotation", _live),
    Scene("monitor-completed", "/m/site-is-up", _live),
    Scene("monitor-failed", "/m/report-ready", _live),
    Scene("monitor-error", "/m/vendor-job", _live),
    Scene("not-found", "/m/there-is-none"),
    Scene("start", "/start", _unfolded),
    Scene("start-wrong", "/start", _wrong),
    Scene("start-explained", "/start?from=nightly-export", _explained),
)
EMPTY: Final = Scene("list-empty", "/")
