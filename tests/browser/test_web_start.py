"""The start form in a real browser: fields of every kind, errors where they belong, explanations."""

import asyncio
import json
import shlex
from typing import Any

import pytest
from playwright.async_api import Page, expect

from browser.fakes import served
from browser.world import World
from monitor_core.kinds import BUILT_IN
from support.fake_scheduler import FakeScheduler, Instance, request, status

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def sent(page: Page, name: str = "Start") -> Any:
    """What the form sends, which goes no further."""
    await page.route("**/monitors", lambda route: route.abort())
    async with page.expect_request(lambda one: one.method == "POST") as asked:
        await page.get_by_role("button", name=name, exact=True).click()
    return (await asked.value).post_data_json


async def test_errors_stand_at_their_fields_and_the_first_has_the_focus(page: Page, world: World) -> None:
    await page.goto(f"{world.url}/start")
    await page.get_by_label("Timeout (seconds)", exact=True).fill("-3")
    await page.get_by_label("Labels").fill("bad name!: x")
    await page.get_by_role("button", name="Start", exact=True).click()
    job, url = page.locator("#f-job_id"), page.locator("#http-check-url")
    await expect(page.locator("#f-job_id-error")).to_have_text("is required")
    await expect(page.locator("#http-check-url-error")).to_have_text("is required")
    await expect(page.locator("#f-timeout_seconds-error")).to_contain_text("should be greater than or equal to 0")
    await expect(page.locator("#f-labels-error")).to_contain_text("bad name!")
    await expect(job).to_be_focused()
    await expect(url).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#problem")).to_contain_text("4 of its fields cannot be used")
    await job.fill("errors")
    await url.fill("ftp://example.com")
    await page.get_by_label("Timeout (seconds)", exact=True).fill("30")
    await page.get_by_label("Labels").fill("")
    await page.get_by_label("Success when").fill("code = 200")
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator("#http-check-url-error")).to_contain_text("should be an absolute http or https URL")
    await expect(job).not_to_have_attribute("aria-invalid", "true")
    await url.fill(world.job_url("errors"))
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator("#f-success_when-error")).not_to_be_empty()
    await expect(page.get_by_label("Success when")).to_be_focused()


async def test_an_error_in_a_folded_part_unfolds_it(page: Page, world: World) -> None:
    await page.goto(f"{world.url}/start?kind=simulated")
    await page.get_by_label("Job ID").fill("folded")
    await page.get_by_text("More settings").click()
    await page.get_by_label("Backoff").fill("0.5")
    await page.get_by_text("More settings").click()
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.get_by_label("Backoff")).to_be_focused()


async def test_every_kind_has_its_fields_and_only_those_of_the_chosen_one_are_sent(
    page: Page, world: World
) -> None:
    await page.goto(f"{world.url}/start")
    kind = page.get_by_label("Kind", exact=True)
    assert await kind.locator("option").all_inner_texts() == sorted(BUILT_IN)
    for name, spec in BUILT_IN.items():
        await kind.select_option(name)
        shown = await page.locator(f"[data-kind='{name}'] [data-field]:visible").count()
        assert shown == len(spec.model_fields) - 1, name
        assert await page.locator("[data-kind]:visible").count() == 1
    await kind.select_option("tcp")
    await page.get_by_label("Job ID").fill("port")
    await page.locator("#tcp-check-host").fill("example.com")
    await page.locator("#tcp-check-port").fill("443")
    await page.locator("#tcp-check-tls").check()
    assert await sent(page) == {
        "job_id": "port",
        "check": {"kind": "tcp", "host": "example.com", "port": 443, "tls": True},
    }


async def test_a_callback_is_shown_once_and_ends_the_wait(page: Page, world: World) -> None:
    await page.goto(f"{world.url}/start?kind=simulated")
    await page.get_by_label("Job ID").fill("called back")
    await page.locator("#simulated-check-checks").fill("1000")
    await page.get_by_text("More settings").click()
    await page.get_by_label("Callback").check()
    await page.get_by_role("button", name="Start", exact=True).click()
    shown = page.locator("#started")
    await expect(shown).to_be_focused()
    line = await shown.locator("[data-curl]").inner_text()
    await expect(page.locator("#start")).to_be_hidden()
    words = shlex.split(line)
    done = await asyncio.create_subprocess_exec(*words, "--silent", stdout=asyncio.subprocess.PIPE)
    said, _ = await done.communicate()
    assert json.loads(said)["accepted"] is True
    await shown.get_by_role("link", name="See the monitor").click()
    await expect(page).to_have_url(f"{world.url}/m/called%20back")
    await expect(page.locator("main")).to_contain_text("Completed")
    assert "dmc_" not in await page.content()


async def test_a_monitor_is_started_again_with_the_very_request_it_had(page: Page) -> None:
    asked = {
        "check": {
            "kind": "http",
            "url": "https://example.com/jobs",
            "method": "POST",
            "headers": {"X-One": "a: b=c"},
            "body": {"deep": [1, "two", None]},
            "expected_codes": ["200", "4xx"],
            "allow_repeat": True,
        },
        "success_when": "code == 200 &&\ntext != '</textarea><b>'",
        "polling": {"interval_seconds": 2.5, "backoff": 2, "turn_seconds": 7, "honor_retry_after": False},
        "timeout_seconds": 90,
        "tolerance": {"consecutive_errors": 0},
        "labels": {"env": "prod", "why": "a=b: c"},
    }
    scheduler = FakeScheduler()
    scheduler.put(request("again/1", **asked), "run-1", Instance(shown=status(job_id="again/1")))
    async with served(scheduler, page) as url:
        await page.goto(f"{url}/start?from=again%2F1")
        given = await sent(page)
    assert request(given.pop("job_id"), **given) == request("again/1", **asked)


async def test_a_body_that_is_a_text_stays_one(page: Page) -> None:
    scheduler = FakeScheduler()
    bodies = ["plain", "5", "true", '"quoted"', "[1"]
    for place, body in enumerate(bodies):
        check = {"kind": "http", "url": "https://example.com/", "method": "PUT", "body": body}
        scheduler.put(request(f"texts-{place}", check=check), "run-1", Instance())
    async with served(scheduler, page) as url:
        for place, body in enumerate(bodies):
            await page.goto(f"{url}/start?from=texts-{place}")
            assert (await sent(page))["check"]["body"] == body


async def test_one_that_has_ended_is_started_anew_on_request(page: Page, world: World) -> None:
    world.start("anew", {"kind": "simulated", "checks": 1})
    world.until_ended("anew")
    await page.goto(f"{world.url}/m/anew")
    await page.get_by_role("link", name="Start again").click()
    await expect(page.get_by_label("Kind", exact=True)).to_have_value("simulated")
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator("#problem")).to_contain_text("has ended as Completed")
    await expect(page.locator("#problem")).to_be_focused()
    before = world.get("/monitors/anew")["run"]
    await page.get_by_role("button", name="Start it anew").click()
    await page.wait_for_url("**/m/anew")
    assert world.get("/monitors/anew")["run"] != before


async def test_one_that_waits_for_something_else_is_shown(page: Page, world: World) -> None:
    world.start("conflict")
    await page.goto(f"{world.url}/start?kind=simulated")
    await page.get_by_label("Job ID").fill("conflict")
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator("#problem")).to_contain_text("is being monitored already")
    await page.get_by_role("link", name="See that monitor").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("conflict")


async def test_explain_shows_what_one_check_sees_and_starts_nothing(page: Page, world: World) -> None:
    await page.goto(f"{world.url}/start")
    await page.get_by_label("Job ID").fill("explained")
    await page.locator("#http-check-url").fill(world.job_url("explained", duration_seconds=600, steps="Copying"))
    await page.get_by_label("Failure when").fill("code == 500")
    await page.get_by_label("Success when").fill("status == 'Copying'")
    await page.get_by_role("button", name="Explain").click()
    shown = page.get_by_role("region", name="What one check sees")
    await expect(shown).to_be_focused()
    await expect(shown.locator(".verdict")).to_contain_text("It would end as Completed")
    await expect(shown.locator(".conditions li")).to_have_count(2)
    await expect(shown.locator(".conditions li").filter(has_text="success_when")).to_contain_text("holds")
    await expect(shown.locator(".conditions li").filter(has_text="failure_when")).to_contain_text("does not hold")
    await expect(shown.locator(".values li").filter(has_text="status").first).to_contain_text("Copying")
    await page.get_by_label("Success when").fill("")
    await page.get_by_label("Failure when").fill("")
    await page.get_by_role("button", name="Explain").click()
    await expect(shown.locator(".verdict")).to_contain_text("the wait would go on: no condition holds")
    await expect(shown.get_by_text("It would end as")).to_be_hidden()
    await expect(shown.locator(".conditions li").first).to_contain_text("the kind's own")
    await expect(shown.locator("dt:text-is('Next check')")).to_be_visible()
    assert world.get("/monitors?prefix=explained")["value"] == []


async def test_explain_has_its_errors_at_the_fields_too(page: Page, world: World) -> None:
    await page.goto(f"{world.url}/start?kind=simulated")
    await page.get_by_label("Job ID").fill("explained")
    await page.get_by_label("Success when").fill("nonsense(")
    await page.get_by_role("button", name="Explain").click()
    await expect(page.locator("#f-success_when-error")).not_to_be_empty()
    await expect(page.get_by_label("Success when")).to_be_focused()
