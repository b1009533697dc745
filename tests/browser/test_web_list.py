"""The list in a real browser: it teaches where it is empty, filters, pages, and is kept current."""

import re

import pytest
from durabletask.client import OrchestrationStatus
from playwright.async_api import Page, expect

from browser.fakes import served, several
from browser.world import World
from support.fake_scheduler import FakeScheduler, Instance, request, result, status

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def refreshed(page: Page) -> None:
    """Have it look again now, as when its tab is come back to: the tests need not wait for its next time."""
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


async def test_an_empty_list_teaches_and_shows_the_first_monitor_when_it_comes(page: Page) -> None:
    scheduler = FakeScheduler()
    async with served(scheduler, page) as url:
        await page.goto(url)
        await expect(page.get_by_role("heading", name="Nothing is being waited for")).to_be_visible()
        await expect(page.locator("code").first).to_contain_text("python client.py start")
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.get_by_role("button", name="Copy the command for curl").click()
        await expect(page.locator("#news")).to_have_text("Copied")
        assert f"curl {url}/monitors --json" in await page.evaluate("navigator.clipboard.readText()")
        scheduler.put(request(), "run-1", Instance(shown=status()))
        await refreshed(page)
        await expect(page.locator("#news")).to_contain_text("1 new.")
        await page.get_by_role("link", name="Show the list as it is now").click()
        await expect(page.get_by_role("link", name="job-1")).to_be_visible()


async def test_it_leads_to_the_start_form(page: Page) -> None:
    async with served(FakeScheduler(), page) as url:
        await page.goto(url)
        await page.get_by_role("link", name="Start one in the form").click()
        await expect(page.get_by_label("Kind")).to_have_value("simulated")


async def test_pages_lead_on_and_back_and_each_costs_one_call(page: Page) -> None:
    scheduler = several(120)
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/?prefix=job-")
        rows = page.locator("[data-job]")
        await expect(rows).to_have_count(50)
        await page.get_by_role("link", name="Next").click()
        await expect(rows.first).to_contain_text("job-050")
        await page.get_by_role("link", name="Next").click()
        await expect(rows).to_have_count(20)
        await expect(page.get_by_role("link", name="Next")).to_have_count(0)
        await page.get_by_role("link", name="Back").click()
        await expect(rows.first).to_contain_text("job-050")
        await page.get_by_role("link", name="Back").click()
        await expect(rows.first).to_contain_text("job-000")
        await expect(page.get_by_role("link", name="Back")).to_have_count(0)
        await expect(page.get_by_label("ID begins with")).to_have_value("job-")
    asked = [given["query"].max_instance_count for given in scheduler.given("query")]
    # Five pages, each drawn once and refreshed at least once; none is ever walked through.
    assert set(asked) == {50}
    assert len(asked) <= 15


async def test_a_row_is_kept_current_where_it_stands(page: Page) -> None:
    scheduler = several(2)
    instance = scheduler.instances["monitor-job-001"]
    async with served(scheduler, page) as url:
        await page.goto(url)
        row = page.locator("[data-job='job-001']")
        await expect(row).to_contain_text("no worker has taken it yet" if instance.shown is None else "")
        link = row.get_by_role("link", name="job-001")
        await link.focus()
        instance.shown = status(job_id="job-001", run="run-1", observed="<b>Provisioning</b>")
        await expect(row).to_contain_text("<b>Provisioning</b>")  # by its own poll; and as text
        await expect(row.locator("b")).to_have_count(0)
        await expect(link).to_be_focused()
        instance.output = result(job_id="job-001", run="run-1", final_status="Failed")
        instance.runtime = OrchestrationStatus.COMPLETED
        await refreshed(page)
        await expect(row.locator(".badge")).to_have_text("Failed")
        await expect(row).to_contain_text("ended")


async def test_what_has_left_the_list_and_a_list_that_is_not_current_are_said(page: Page) -> None:
    scheduler = several(2)
    async with served(scheduler, page) as url:
        await page.goto(url)
        await expect(page.locator("[data-job]")).to_have_count(2)
        del scheduler.instances["monitor-job-000"]
        await refreshed(page)
        await expect(page.locator("#news")).to_contain_text("1 no longer here.")
        await page.route(re.compile(r"/monitors(\?|$)"), lambda route: route.abort())
        await refreshed(page)
        await expect(page.locator("#news")).to_contain_text("Not current: Nothing was answered.")


async def test_filters_select_by_stage_verdict_label_beginning_and_creation(page: Page, world: World) -> None:
    quick = {"kind": "simulated", "checks": 1, "outcome": "Failed"}
    world.start("filter-a", labels={"env": "prod", "team": "one"})
    world.start("filter-b", quick, labels={"env": "prod"})
    world.start("filter-c", {"kind": "simulated", "checks": 1}, labels={"env": "test"})
    world.until_ended("filter-b", "filter-c")
    jobs = page.locator("[data-job] .what a")
    await page.goto(f"{world.url}/?prefix=filter-")
    await expect(jobs).to_have_count(3)
    for label, value, found in (
        ("Stage", "running", ["filter-a"]),
        ("Stage", "ended", ["filter-b", "filter-c"]),
        ("Verdict", "Failed", ["filter-b"]),
        ("Created", "1h", ["filter-a", "filter-b", "filter-c"]),
    ):
        await page.goto(f"{world.url}/?prefix=filter-")
        await page.get_by_label(label, exact=True).select_option(value)
        await page.get_by_role("button", name="Filter").click()
        await page.wait_for_url("**/?*state=*")
        assert sorted(await jobs.all_inner_texts()) == found, label
    await page.get_by_label("Label", exact=True).fill("env=prod")
    await page.get_by_role("button", name="Filter").click()
    await expect(jobs).to_have_count(2)
    await page.get_by_role("link", name="env=test").or_(page.get_by_role("link", name="team=one")).first.click()
    await expect(jobs).to_have_text(["filter-a"])


async def test_a_filter_that_cannot_be_used_says_so_at_its_field(page: Page, world: World) -> None:
    await page.goto(f"{world.url}/?label=env")
    field = page.get_by_label("Label", exact=True)
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#label-error")).to_have_text("should be NAME=VALUE (got 'env')")
    await page.goto(f"{world.url}/?verdict=Cancelled&prefix=there-is-none")
    await expect(page.get_by_role("heading", name="None found")).to_be_visible()
    await page.get_by_role("link", name="Clear").click()
    await expect(page).to_have_url(f"{world.url}/")
