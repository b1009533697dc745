"""One monitor in a real browser: live to its verdict, controlled, and honest about what it no longer knows."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from durabletask.client import OrchestrationStatus
from playwright.async_api import Locator, Page, expect

from browser.fakes import served
from browser.world import World
from monitor_core.contract import instance_id
from support.fake_scheduler import (
    FakeScheduler,
    Instance,
    failing,
    notice,
    once,
    request,
    result,
    rpc_error,
    status,
    told,
)
from support.receiver import code

pytestmark = pytest.mark.asyncio(loop_scope="session")
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"


def badge(page: Page) -> Locator:
    return page.locator("h1 + .badge")


def fact(page: Page, name: str) -> Locator:
    """What stands beside a name."""
    return page.locator(".facts > div").filter(has=page.locator(f"dt:text-is('{name}')")).locator("dd")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


async def seconds_to(page: Page, name: str) -> int:
    """A countdown, in seconds."""
    said = await fact(page, name).locator(".ahead").inner_text()
    found = re.search(r"(?:(\d+) min ?)?(?:(\d+) s)?$", said.removesuffix(" left"))
    assert found, said
    return int(found[1] or 0) * 60 + int(found[2] or 0)


async def shown(page: Page, world: World, job_id: str, state: str = "Running") -> None:
    await page.goto(f"{world.url}/m/{job_id}")
    await expect(badge(page)).to_have_text(state)


async def test_started_by_the_form_it_is_watched_to_its_verdict(page: Page, world: World) -> None:
    await page.goto(f"{world.url}/start")
    await page.get_by_label("Job ID").fill("by the form/1")
    await page.locator("#http-check-url").fill(world.job_url("form", duration_seconds=3, steps="Copying,Checking"))
    await page.get_by_label("Interval (seconds)", exact=True).fill("0.5")
    await page.get_by_label("Labels").fill("env: test\nteam=web")
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.wait_for_url("**/m/by%20the%20form%2F1")
    await expect(page.get_by_role("heading", level=1)).to_have_text("by the form/1")
    await expect(fact(page, "Observed")).to_contain_text("Copying")
    await expect(fact(page, "Labels")).to_have_text("env=testteam=web")
    assert 0 < await seconds_to(page, "Deadline") <= 31
    await expect(badge(page)).to_have_text("Completed")
    await expect(page.locator(".evidence .verdict")).to_have_text(
        "Completed: the success condition holds: observed Succeeded"
    )
    await expect(fact(page, "Decided by")).to_have_text("poll")
    await expect(page.locator(".transition strong")).to_have_text(["Copying", "Checking", "Succeeded"])
    await expect(page.locator("#news")).to_have_text("Completed, observed Succeeded")
    await expect(button(page, "Cancel…")).to_be_hidden()


async def test_it_is_cancelled_by_the_keyboard_after_a_confirmation_then_purged(page: Page, world: World) -> None:
    world.start("cancelled", labels={"env": "prod"})
    await shown(page, world, "cancelled")
    opener = button(page, "Cancel…")
    await opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Cancel this monitor?")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(opener).to_be_focused()
    await expect(badge(page)).to_have_text("Running")
    await opener.press("Enter")
    await dialog.get_by_label("Reason").fill("not needed")
    await page.keyboard.press("Enter")
    await expect(badge(page)).to_have_text("Cancelled")
    await expect(page.locator(".evidence .verdict")).to_have_text(
        "Cancelled: cancelled by an operator: not needed"
    )
    await expect(fact(page, "Decided by")).to_have_text("operator")
    await expect(page.locator("#outcome")).to_be_focused()  # the button that had the focus is gone
    await button(page, "Purge…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Purge").click()
    await expect(page.locator("#banner")).to_contain_text("Purged.")
    await page.get_by_role("link", name="All monitors").click()
    await expect(page).to_have_url(f"{world.url}/")
    answer = await page.goto(f"{world.url}/m/cancelled")
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="Not Found")).to_be_visible()


async def test_a_deadline_that_a_pause_has_stopped_does_not_count_down(page: Page, world: World) -> None:
    world.start("paused", polling={"interval_seconds": 60})
    await shown(page, world, "paused")
    await button(page, "Pause…").click()
    await page.get_by_label("stops: it moves").check()
    await button(page, "Pause").click()
    await expect(badge(page)).to_have_text("Paused")
    await expect(page.locator("#outcome")).to_have_text("pause: paused, the deadline stops")
    await expect(fact(page, "Deadline")).to_contain_text("stopped")
    left = await seconds_to(page, "Deadline")
    await page.wait_for_timeout(2200)
    assert await seconds_to(page, "Deadline") == left
    await expect(fact(page, "Next check")).to_be_hidden()
    await expect(button(page, "Check now")).to_be_hidden()
    await button(page, "Resume").click()
    await expect(badge(page)).to_have_text("Running")
    await expect(fact(page, "Deadline").locator(".ahead")).to_contain_text("in ")
    assert left - 30 < await seconds_to(page, "Deadline") <= left
    await expect(page.locator(".command-outcome li")).to_have_count(2)


async def test_it_is_checked_now_extended_edited_and_completed(page: Page, world: World) -> None:
    world.start("controlled", polling={"interval_seconds": 300})
    await shown(page, world, "controlled")
    await expect(fact(page, "Checks")).to_contain_text("1")
    await button(page, "Check now").click()
    await expect(page.locator("#outcome")).to_have_text("check now: checking now")
    await expect(page.locator(".command-outcome li strong")).to_have_text("check now")
    await expect(fact(page, "Checks")).to_contain_text("2")

    await button(page, "Extend…").click()
    await page.get_by_label("Seconds to add").fill("soon")
    await button(page, "Extend").click()
    await expect(page.locator("#extend-seconds-error")).to_contain_text("should be a number")
    await expect(page.get_by_label("Seconds to add")).to_be_focused()
    await page.get_by_label("Seconds to add").fill("1200")
    await button(page, "Extend").click()
    await expect(page.locator("#outcome")).to_contain_text("extend: the deadline is")
    await expect(fact(page, "Deadline").locator(".ahead")).to_contain_text(re.compile(r"in 2\d min"))

    await button(page, "Edit…").click()
    await page.get_by_role("dialog").get_by_label("Success when").fill("status == ")
    await button(page, "Save").click()
    await expect(page.locator("#edit-success_when-error")).not_to_be_empty()
    await page.get_by_role("dialog").get_by_label("Success when").fill("check > 1000")
    await page.get_by_role("dialog").get_by_label("Interval").fill("120")
    await button(page, "Save").click()
    await expect(page.locator("#outcome")).to_have_text("edit: changed interval_seconds, success_when")
    await expect(fact(page, "Interval")).to_contain_text("2 min")
    await expect(fact(page, "Revision")).to_contain_text("2")

    await button(page, "Complete…").click()
    await page.get_by_role("dialog").get_by_label("Failed").check()
    await page.get_by_role("dialog").get_by_label("Reason").fill("the vendor called")
    await button(page, "Complete").click()
    await expect(badge(page)).to_have_text("Failed")
    await expect(fact(page, "Decided by")).to_have_text("push")
    await expect(page.locator(".revision li")).to_have_count(2)
    await expect(page.locator(".revision li").last).to_contain_text("success_when: None -> check > 1000")


async def test_it_comes_back_by_itself_after_the_service_has_been_away(page: Page, world: World) -> None:
    world.start("away", polling={"interval_seconds": 60})
    await shown(page, world, "away")
    world.service.stop()
    try:
        await expect(page.locator("#banner")).to_contain_text("Not current.")
        await button(page, "Check now").click()
        await expect(page.locator("#outcome")).to_contain_text("Nothing was answered.")
    finally:
        world.service.start()
    await expect(page.locator("#banner")).to_be_hidden()
    await button(page, "Check now").click()
    await expect(page.locator("#outcome")).to_have_text("check now: checking now")
    await expect(fact(page, "Checks")).to_contain_text("2")


async def test_with_no_worker_it_says_what_it_waits_for(page: Page) -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "run-1", Instance(runtime=OrchestrationStatus.PENDING))
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/m/job-1")
        await expect(page.get_by_text("No worker has taken it yet.")).to_be_visible()
        await expect(fact(page, "Deadline")).to_be_hidden()


@pytest.mark.parametrize(
    ("run", "said", "way"),
    [("run-2", "This run was replaced", "Show the new run"), (None, "was purged", "All monitors")],
)
async def test_a_run_that_is_no_more_is_said_and_its_last_is_kept(
    page: Page, run: str | None, said: str, way: str
) -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "run-1", Instance(shown=status()))
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/m/job-1")
        await expect(fact(page, "Observed")).to_contain_text("Running")
        await button(page, "Edit…").click()
        scheduler.instances.clear()
        if run:
            scheduler.put(request(), run, Instance(shown=status(run=run, observed="Other")))
        await expect(page.locator("#banner")).to_contain_text(said)
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await expect(fact(page, "Observed")).to_contain_text("Running")
        await expect(button(page, "Cancel…")).to_have_count(0)
        await page.get_by_role("link", name=way).click()
        if run:
            await expect(fact(page, "Observed")).to_contain_text("Other")


async def test_a_run_that_was_replaced_while_the_service_was_away_is_not_taken_for_the_same(
    page: Page, world: World
) -> None:
    world.start("replaced", polling={"interval_seconds": 60})
    await shown(page, world, "replaced")
    await expect(fact(page, "Observed")).to_contain_text("check 1 of 100000")
    world.service.stop()
    try:
        instance = instance_id("replaced")
        world.parts.send(instance, {"id": "1", "name": "cancel"})
        world.parts.result(instance)
        world.parts.client.purge_orchestration(instance)
        world.parts.start("replaced", check={"kind": "simulated", "checks": 7})
    finally:
        world.service.start()
    await expect(page.locator("#banner")).to_contain_text("This run was replaced")
    await expect(fact(page, "Observed")).to_contain_text("check 1 of 100000")
    await page.get_by_role("link", name="Show the new run").click()
    await expect(fact(page, "Observed")).to_contain_text("of 7")


async def test_a_scheduler_that_is_away_is_said_until_it_is_back(page: Page) -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "run-1", Instance(shown=status()))
    async with served(scheduler, page) as url:
        await page.route("**/events", lambda route: route.abort())
        scheduler.before = once(None, *[failing(rpc_error(grpc.StatusCode.UNAVAILABLE, "gone"))] * 3)
        await page.goto(f"{url}/m/job-1")
        await expect(page.locator("#banner")).to_contain_text("Service Unavailable: cannot reach the scheduler")
        await page.unroute("**/events")
        await expect(page.locator("#banner")).to_be_hidden()
        await expect(page.locator("#news")).to_have_text("Running, observed Running")


async def test_a_command_that_no_worker_takes_is_said_to_be_unanswered(page: Page) -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "run-1", Instance(shown=status()))
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/m/job-1")
        await button(page, "Check now").click()
        await expect(page.locator("#outcome")).to_contain_text("check now: sent, and not answered yet")


async def test_nothing_from_outside_becomes_markup(page: Page) -> None:
    scheduler = FakeScheduler()
    asked = request(HOSTILE, success_when=f"status == '{'<b>'}'", labels={"a": HOSTILE})
    live = {"job_id": HOSTILE, "observed": "<i>x</i>", "summary": HOSTILE, "error": HOSTILE}
    moved = [{"at": "2026-01-01T12:00:00Z", "status": HOSTILE}]
    instance = scheduler.put(asked, "run-1", Instance(shown=status(**live, transitions=moved)))
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/?label=a%3D{HOSTILE.replace(' ', '%20')}")
        await page.get_by_role("link", name=HOSTILE, exact=True).click()
        await expect(page.locator("h1")).to_have_text(HOSTILE)
        instance.output = result(job_id=HOSTILE, reason=HOSTILE, transitions=[*moved, *moved])
        instance.runtime = OrchestrationStatus.COMPLETED
        await expect(page.locator(".evidence .verdict")).to_contain_text(HOSTILE)
        await expect(page.locator(".transition strong")).to_have_text([HOSTILE, HOSTILE])
        await expect(page.locator("main img, main i, main b")).to_have_count(0)
        assert "taken" not in (await page.title()).split(" · ")[0].removeprefix(HOSTILE)


def ahead(**fields: float) -> str:
    return (datetime.now(UTC) + timedelta(**fields)).isoformat()


async def test_countdowns_are_right_though_the_clock_of_the_browser_is_wrong(page: Page) -> None:
    scheduler = FakeScheduler()
    running: dict[str, Any] = {"deadline": ahead(minutes=5), "next_check_time": ahead(seconds=50)}
    scheduler.put(request(), "run-1", Instance(shown=status(**running)))
    await page.add_init_script(
        "window.wrong = 7200_000; { const now = Date.now; Date.now = () => now() + wrong; }"
    )
    await page.route("**/healthz", lambda route: route.abort())
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/m/job-1")
        await expect(page.locator("#news")).to_have_text("Running, observed Running")
        assert 280 <= await seconds_to(page, "Deadline") <= 301
        assert 30 <= await seconds_to(page, "Next check") <= 51
        await page.evaluate("window.wrong = -7200_000")  # set while the page stands: the next answer tells
        await expect(fact(page, "Deadline").locator(".ahead")).to_contain_text("h")
        await button(page, "Check now").click()
        await expect(page.locator("#outcome")).to_contain_text("not answered yet")
        await expect(fact(page, "Deadline").locator(".ahead")).to_contain_text("in 4 min")


async def test_moments_are_shown_in_the_zone_of_the_browser_with_utc_beside_them(page: Page) -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "run-1", Instance(shown=status()))
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/m/job-1")
        created = fact(page, "Created").locator("time")
        await expect(created).to_have_attribute("datetime", "2026-01-01T12:00:01Z")
        await expect(created).to_have_attribute("title", "2026-01-01 12:00:01 UTC")
        await expect(created).to_contain_text("Jan 1, 2026, 09:00:01 PM")  # Tokyo


async def test_what_is_said_aloud_is_what_changes_the_picture_not_every_check(page: Page) -> None:
    scheduler = FakeScheduler()
    instance = scheduler.put(request(), "run-1", Instance(shown=status()))
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/m/job-1")
        await expect(page.locator("#news")).to_have_text("Running, observed Running")
        await page.evaluate(
            """() => {
                window.said = [];
                const heard = (changes) => changes.forEach(({target}) => window.said.push(target.textContent));
                new MutationObserver(heard)
                    .observe(document.body, {childList: true, characterData: true, subtree: true});
                window.aloud = () => [...document.querySelectorAll('[role=status], [role=alert]')]
                    .filter((one) => one.checkVisibility()).map((one) => one.textContent.trim()).join('|');
            }"""
        )
        before = await page.evaluate("window.aloud()")
        instance.shown = status(check_count=7)
        await expect(fact(page, "Checks")).to_contain_text("7")
        assert await page.evaluate("window.aloud()") == before
        assert "7" in await page.evaluate("window.said")
        instance.shown = status(check_count=8, observed="Copying")
        await expect(page.locator("#news")).to_have_text("Running, observed Copying")


async def test_what_is_told_is_kept_current_after_the_verdict_too(page: Page, world: World) -> None:
    world.receiver.plan("/flaky", code(503, retry_after=1))
    world.start("told", on_verdict=[world.hook("/flaky")])
    await shown(page, world, "told")
    await expect(page.get_by_text("Nothing has been told yet.")).to_be_visible()
    world.post("/monitors/told/complete", {})
    await expect(badge(page)).to_have_text("Completed")
    delivery = page.locator(".delivery li")
    await expect(delivery.locator(".badge")).to_have_text("delivered")
    await expect(delivery.locator(".badge")).to_have_attribute("data-state", "delivered")
    await expect(delivery).to_contain_text(re.compile("webhook verdict .*attempts: 2.*HTTP 204", re.DOTALL))
    await expect(page.get_by_text("Nothing has been told yet.")).to_be_hidden()


async def test_what_the_server_has_written_of_what_is_told_stays_and_is_text(page: Page) -> None:
    scheduler = FakeScheduler()
    asked = request(on_verdict=[{"to": {"kind": "webhook", "url": "https://example.com/"}}])
    instance = scheduler.put(asked, "run-1", Instance(shown=status()))
    pending = told("pending", detail=f"'{HOSTILE}", next_attempt_at="2036-01-01T12:00:00Z")
    delivery = scheduler.deliver(notice(), 0, Instance(shown=pending))
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/m/job-1")
        row = page.locator(".delivery li")
        await expect(page.locator("#news")).to_have_text("Running, observed Running")
        await expect(row).to_contain_text(f"'{HOSTILE}")
        await expect(row).to_contain_text("the next in ")
        delivery.runtime = OrchestrationStatus.TERMINATED
        instance.shown = status(transitions=[{"at": "2026-01-01T12:00:01Z", "status": "Copying"}])
        await expect(row).to_contain_text("terminated from outside")
        await expect(row.locator(".badge")).to_have_text("failed")
        await expect(row).not_to_contain_text("the next in")
        assert await page.title() != "taken"
    scheduler.put(request("job-2"), "run-1", Instance(shown=status(job_id="job-2")))
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/m/job-2")
        await expect(page.locator("#news")).to_have_text("Running, observed Running")
        await expect(page.locator("#told")).to_have_count(0)
