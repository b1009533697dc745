"""The pages over real HTTP: their status, what is kept and for how long, what goes wrong, what is escaped."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import aiohttp
import grpc
import pytest
from starlette.requests import Request

from monitor_client.api import create_app
from monitor_client.api.access import Principal, Role
from monitor_client.web.home import LONGEST_TRAIL
from support.fake_scheduler import FakeScheduler, Instance, failing, once, request, rpc_error, status
from support.serving import serving


@pytest.fixture
def scheduler() -> FakeScheduler:
    return FakeScheduler()


@pytest.fixture
def base(scheduler: FakeScheduler) -> Iterator[str]:
    with serving(create_app(scheduler.service(), "http://scheduler")) as url:
        yield url


async def got(url: str) -> tuple[int, str, Mapping[str, str]]:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_a_page_shows_a_moment_and_is_never_kept(base: str, scheduler: FakeScheduler) -> None:
    scheduler.put(request(), "run-1", Instance(shown=status()))
    for path in ("/", "/m/job-1", "/start"):
        async with aiohttp.ClientSession() as http, http.get(base + path) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            assert answer.headers["Cache-Control"] == "no-store"


async def test_what_a_page_is_made_of_is_kept_for_as_long_as_it_stays_the_same(base: str) -> None:
    _, text, _ = await got(base)
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
    assert len(found) >= 3
    async with aiohttp.ClientSession() as http:
        for path in found:
            async with http.get(base + path) as answer:
                assert answer.status == 200
                assert "immutable" in answer.headers["Cache-Control"]
        name = found[0].rpartition("/")[2]
        async with http.get(f"{base}/static/another-version/{name}") as answer:
            assert answer.headers["Cache-Control"] == "no-cache"
        async with http.get(f"{base}/static/x/../pages.py") as answer:
            assert answer.status == 404
        async with http.get(f"{base}/static/x/nothing.js") as answer:
            assert answer.status == 404


async def test_every_script_finds_the_ones_it_imports(base: str) -> None:
    _, text, _ = await got(f"{base}/start")
    prefix = re.findall(r"/static/\w+", text)[0]
    todo, seen = {"list.js", "monitor.js", "start.js"}, set[str]()
    while todo - seen:
        name = min(todo - seen)
        code, script, _ = await got(f"{base}{prefix}/{name}")
        assert code == 200, name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script), name
        seen.add(name)
        todo |= set(re.findall(r'from "\./([\w.]+)"', script))
    assert {"bind.js", "api.js", "live.js"} <= seen


async def test_what_goes_wrong_is_a_page_with_the_status_of_the_api(base: str, scheduler: FakeScheduler) -> None:
    code, text, _ = await got(f"{base}/m/%3Cb%3E")
    assert code == 404
    assert "no monitor of &#39;&lt;b&gt;&#39;" in text
    assert (await got(f"{base}/m/%FF"))[0] == 400
    assert (await got(f"{base}/start?from=none"))[0] == 404
    scheduler.before = once(failing(rpc_error(grpc.StatusCode.UNAVAILABLE, "gone")))
    code, text, _ = await got(base)
    assert code == 503
    assert "<h1>Service Unavailable</h1>" in text


async def test_all_that_comes_from_outside_is_escaped(base: str, scheduler: FakeScheduler) -> None:
    bad = "<script>alert(1)</script>"
    asked = request(bad, success_when=f"status == '{bad}'", labels={"a": f'"{bad}'})
    moved = [{"at": "2026-01-01T12:00:00Z", "status": bad}]
    shown = status(job_id=bad, observed=bad, summary=bad, error=bad, transitions=moved)
    scheduler.put(asked, "run-1", Instance(shown=shown))
    job = "%3Cscript%3Ealert%281%29%3C%2Fscript%3E"
    for path in ("/", f"/?prefix={job}&label=a%3D{job}", f"/m/{job}", f"/start?from={job}", f"/?verdict={job}"):
        _, text, _ = await got(base + path)
        assert bad not in text, path
        assert "alert(1)" in text, path


async def test_the_first_page_is_one_call_and_the_trail_back_is_bounded(
    base: str, scheduler: FakeScheduler
) -> None:
    for number in range(60):
        scheduler.put(request(f"job-{number}"), "run-1", Instance())
    trail = "&".join(f"past={number}" for number in range(2 * LONGEST_TRAIL))
    _, text, _ = await got(f"{base}/?token=0&{trail}")
    assert scheduler.names() == ["query"]
    following = re.findall(r'rel="next" href="([^"]+)"', text)[0]
    assert following.count("past=") == LONGEST_TRAIL
    assert "token=50" in following


async def test_creation_is_asked_of_the_scheduler(base: str, scheduler: FakeScheduler) -> None:
    await got(f"{base}/?within=1d")
    since = scheduler.given("query")[0]["query"].created_time_from
    assert abs(datetime.now(UTC) - timedelta(days=1) - since) < timedelta(minutes=1)
    code, text, _ = await got(f"{base}/?within=1y&state=what")
    assert code == 200
    assert "within: " in text
    assert "state: " in text


async def test_a_deadline_that_has_stopped_is_not_counted_down_in_the_first_markup(
    base: str, scheduler: FakeScheduler
) -> None:
    paused = status(paused=True, deadline_stopped_at="2026-01-01T12:00:02Z", next_check_time=None)
    scheduler.put(request(), "run-1", Instance(shown=paused))
    _, text, _ = await got(f"{base}/m/job-1")
    assert re.search(r'data-until="status.deadline"[^>]*>stopped<', text)
    assert "Its deadline has stopped." in text


async def test_an_instance_without_a_result_says_why_it_has_ended(base: str, scheduler: FakeScheduler) -> None:
    scheduler.put(request(), "run-1", Instance(shown=status()))
    await scheduler.terminate_orchestration("monitor-job-1")
    _, text, _ = await got(f"{base}/m/job-1")
    assert "terminated from outside" in text


async def test_the_pages_are_no_part_of_the_api(base: str) -> None:
    _, text, _ = await got(f"{base}/openapi.json")
    assert '"/start"' not in text
    assert '"/monitors"' in text


class Reader:
    """Whoever asks may read."""

    async def principal(self, request: Request) -> Principal:
        return Principal("reader", frozenset({Role.READ}))

    def admit_outsider(self, request: Request) -> None:
        """Whoever it is."""


async def test_who_may_only_read_is_offered_nothing_that_would_be_refused(scheduler: FakeScheduler) -> None:
    scheduler.put(request(), "run-1", Instance(shown=status()))
    with serving(create_app(scheduler.service(), "http://scheduler", authenticator=Reader())) as base:
        _, text, _ = await got(f"{base}/m/job-1")
        assert "data-dialog" not in text
        assert "takes the role Monitor.Operate" in text
        _, text, _ = await got(f"{base}/start")
        assert "which you do not have" in text
    with serving(create_app(scheduler.service(), "http://scheduler")) as base:
        _, text, _ = await got(f"{base}/m/job-1")
        assert "data-dialog" in text
        assert "Monitor.Operate" not in text
