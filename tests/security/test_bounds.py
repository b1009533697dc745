"""Nobody can ask for more than a page, a body, a filter or a request is meant to hold."""

from collections.abc import Iterator
from typing import Any

import pytest

from monitor_client.api import create_app
from monitor_core.contract import MonitorRequest, RequestError, parse_request
from monitor_core.kinds import BUILT_IN
from support.asking import ask
from support.fake_scheduler import FakeScheduler, Instance, request
from support.serving import serving

LABELS = "&".join(f"label=name{number}%3Dvalue" for number in range(33))


@pytest.fixture
def scheduler() -> FakeScheduler:
    return FakeScheduler()


@pytest.fixture
def base(scheduler: FakeScheduler) -> Iterator[str]:
    with serving(create_app(scheduler.service(), "http://scheduler", requests_per_second=10_000)) as url:
        yield url


@pytest.mark.parametrize(
    "query",
    [
        "limit=501",
        "limit=-1",
        "limit=1e9",
        f"limit={'9' * 5000}",
        LABELS,
        "prefix=" + "x" * 129,
        "job_id=a&job_id=b",
        "offset=0",
    ],
)
async def test_no_list_is_longer_than_a_page(base: str, scheduler: FakeScheduler, query: str) -> None:
    refused = await ask("GET", f"{base}/monitors?{query}")
    assert refused.problem["status"] == 400
    assert scheduler.calls == []


@pytest.mark.parametrize("query", [LABELS, "prefix=" + "x" * 129, "limit=501&prefix=" + "x" * 20_000])
async def test_no_page_asks_for_more_than_the_api_does(base: str, scheduler: FakeScheduler, query: str) -> None:
    shown = await ask("GET", f"{base}/?{query}")
    assert (shown.status, scheduler.calls) == (200, [])
    assert "at most" in shown.text


async def test_a_page_of_everything_is_one_call_for_so_many(base: str, scheduler: FakeScheduler) -> None:
    for number in range(600):
        scheduler.put(request(f"job-{number}"), "run-1", Instance())
    for path in ("/monitors?limit=500", "/monitors", "/"):
        scheduler.calls.clear()
        assert (await ask("GET", base + path)).status == 200
        (asked,) = scheduler.given("query")
        assert asked["query"].max_instance_count <= 500


@pytest.mark.parametrize("target", ["/monitors?prefix=", "/monitors/", "/m/"])
async def test_no_address_is_longer_than_a_head(base: str, target: str) -> None:
    assert (await ask("GET", f"{base}{target}{'x' * 100_000}")).status == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("job_id", "x" * 129),
        ("labels", {f"name{number}": "" for number in range(33)}),
        ("labels", {"x" * 64: ""}),
        ("labels", {"a": "x" * 257}),
        ("success_when", "true" + " " * 2000),
        ("timeout_seconds", 366 * 24 * 3600 + 1),
        ("timeout_seconds", 1e400),
        ("check_timeout_seconds", 61),
        ("polling", {"interval_seconds": 0.09}),
        ("polling", {"turn_seconds": 61}),
        ("tolerance", {"consecutive_errors": 1_000_001}),
        ("on_verdict", [{"channel": {"kind": "webhook", "url": "https://example.com/"}}] * 11),
        ("check", {"kind": "http", "url": "https://example.com/" + "x" * 5000}),
        ("check", {"kind": "http", "url": "https://example.com/", "headers": {f"X-{n}": "" for n in range(100)}}),
    ],
)
def test_no_request_holds_more_than_it_may(field: str, value: Any) -> None:
    asked = {"job_id": "job-1", "check": {"kind": "simulated"}}
    assert isinstance(parse_request(asked, BUILT_IN), MonitorRequest)
    with pytest.raises(RequestError, match=field):
        parse_request({**asked, field: value}, BUILT_IN)
