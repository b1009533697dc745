"""Monitors over HTTP: whose a start is, where a monitor is found, pages of many, and what is wrong said well."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import grpc
import pytest
from durabletask.client import OrchestrationStatus as Runtime

from monitor_client import errors
from monitor_client.api import create_app
from monitor_client.api.problems import problem_of
from monitor_core.contract import CommandOutcome, RequestError
from support.asking import ask
from support.fake_scheduler import (
    FakeScheduler,
    Instance,
    failing,
    notice,
    request,
    result,
    rpc_error,
    status,
    told,
)
from support.lively_scheduler import end
from support.serving import serving

START = {"job_id": "job-1", "check": {"kind": "simulated"}}


@pytest.fixture
def scheduler() -> FakeScheduler:
    return FakeScheduler()


@pytest.fixture
def base(scheduler: FakeScheduler) -> Iterator[str]:
    app = create_app(scheduler.service(), "http://scheduler", requests_per_second=10_000, outcome_seconds=0.3)
    with serving(app) as url:
        yield url


async def test_a_start_says_where_the_monitor_is(base: str) -> None:
    started = await ask("POST", f"{base}/monitors", {**START, "polling": {"interval_seconds": 7}})
    assert (started.status, started.json["how"]) == (202, "started")
    assert started.headers["Location"] == f"{base}/monitors/job-1"
    assert started.headers["Operation-Location"] == f"{base}/operations/job-1"
    assert started.headers["Retry-After"] == "7"
    assert (await ask("GET", started.headers["Location"])).json["state"] == "Pending"
    assert (await ask("GET", started.headers["Operation-Location"])).json["status"] == "NotStarted"


async def test_a_start_that_is_sent_again_finds_itself_and_the_same_attaches(
    base: str, scheduler: FakeScheduler
) -> None:
    first = await ask("POST", f"{base}/monitors", START, Repeatability_Request_ID="r-1")
    again = await ask("POST", f"{base}/monitors", START, Repeatability_Request_ID="r-1")
    other = await ask("POST", f"{base}/monitors", START, Repeatability_Request_ID="r-2")
    assert [one.json["how"] for one in (first, again, other)] == ["started", "mine", "attached"]
    assert [one.json["run"] for one in (first, again, other)] == ["r-1"] * 3
    instance = scheduler.instances["monitor-job-1"]
    end(instance)
    late = await ask("POST", f"{base}/monitors?restart=true", START, Repeatability_Request_ID="r-1")
    assert late.json["how"] == "mine", "a late duplicate starts nothing anew"


async def test_another_start_conflicts_and_names_what_differs(base: str) -> None:
    await ask("POST", f"{base}/monitors", START)
    other = {**START, "timeout_seconds": 60, "polling": {"interval_seconds": 9}}
    refused = await ask("POST", f"{base}/monitors", other)
    assert refused.status == 409
    assert [one["field"] for one in refused.problem["errors"]] == ["polling.interval_seconds", "timeout_seconds"]


async def test_an_ended_one_is_started_anew_only_on_request(base: str, scheduler: FakeScheduler) -> None:
    await ask("POST", f"{base}/monitors", START)
    end(scheduler.instances["monitor-job-1"])
    refused = await ask("POST", f"{base}/monitors", START)
    assert (refused.status, refused.problem["type"]) == (409, "urn:durable-monitor:AlreadyEnded")
    assert (await ask("POST", f"{base}/monitors?restart=true", START)).json["how"] == "restarted"


@pytest.mark.parametrize(
    "job_id",
    [
        "a/b/../c",
        "100%",
        "%2F",
        "...",
        ".hidden",
        "naïve ☃ 作业",
        "a?b#c&d=e",
        "events",
        "cancel",
        "operations",
        "a:batch",
        "\\",
        "x" * 128,
        "作" * 128,
    ],
)
async def test_any_job_id_has_a_url_of_its_own(base: str, scheduler: FakeScheduler, job_id: str) -> None:
    assert len(job_id.encode()) <= 384
    started = await ask("POST", f"{base}/monitors", {**START, "job_id": job_id})
    assert started.status == 202
    for header in ("Location", "Operation-Location"):
        found = await ask("GET", started.headers[header])
        assert (found.status, job_id in found.json.values()) == (200, True)
    told = await ask("POST", f"{started.headers['Location']}/cancel")
    assert (told.status, told.headers["Location"]) == (202, started.headers["Location"])
    assert len(scheduler.given("event")) == 1
    page = await ask("GET", f"{base}/monitors?prefix={quote(job_id[:40])}")
    assert [one["job_id"] for one in page.json["value"]] == [job_id]


@pytest.mark.parametrize("job_id", [".", ".."])
async def test_but_a_step_in_a_path_can_have_none(base: str, scheduler: FakeScheduler, job_id: str) -> None:
    refused = await ask("POST", f"{base}/monitors", {**START, "job_id": job_id})
    assert (refused.status, refused.problem["errors"][0]["field"]) == (400, "job_id")
    many = await ask("POST", f"{base}/monitors:batch", {"requests": [{**START, "job_id": job_id}]})
    assert many.json["results"][0]["problem"]["status"] == 400
    assert scheduler.instances == {}


def many(scheduler: FakeScheduler, count: int) -> None:
    for number in range(count):
        asked = request(f"job-{number:05}", labels={"team": "red" if number % 2 else "blue"})
        scheduler.put(asked, f"run-{number}", Instance(shown=status(job_id=asked.job_id)))


async def test_the_first_page_of_ten_thousand_costs_one_call(base: str, scheduler: FakeScheduler) -> None:
    many(scheduler, 10_000)
    page = await ask("GET", f"{base}/monitors?limit=100")
    assert (len(page.json["value"]), scheduler.names()) == (100, ["query"])


async def test_links_lead_through_all_pages_and_keep_the_filters(base: str, scheduler: FakeScheduler) -> None:
    many(scheduler, 25)
    link, seen, pages = f"{base}/monitors?limit=10&state=running&prefix=job-&label=team%3Dred", [], 0
    while link:
        page = await ask("GET", link)
        seen += [one["job_id"] for one in page.json["value"]]
        link, pages = page.json["next_link"], pages + 1
    assert seen == [f"job-{number:05}" for number in range(1, 25, 2)]
    assert pages == len(scheduler.calls) == 3


async def test_links_are_those_that_the_caller_can_follow(base: str, scheduler: FakeScheduler) -> None:
    many(scheduler, 2)
    seen: Any = {"Host": "localhost", "X_Forwarded_Proto": "https", "X_Forwarded_For": "203.0.113.9"}
    page = await ask("GET", f"{base}/monitors?limit=1", **seen)
    assert page.json["next_link"].startswith("https://localhost/monitors?limit=1&token=")
    assert "Strict-Transport-Security" in page.headers
    started = await ask("POST", f"{base}/monitors", {**START, "job_id": "new"}, **seen)
    assert started.headers["Location"] == "https://localhost/monitors/new"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("token=garbage", "token"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("state=odd", "state"),
        ("label=red", "label.0"),
        ("verdict=Perhaps", "verdict"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-01-01T00:00:00", "created_after"),
        ("created_before=0001-01-01T00:00:00%2B10:00", "created_before"),
        ("prefix=" + "x" * 129, "prefix"),
    ],
)
async def test_a_list_asked_for_wrongly_names_the_field(base: str, query: str, field: str) -> None:
    refused = await ask("GET", f"{base}/monitors?{query}")
    assert (refused.status, [one["field"] for one in refused.problem["errors"]]) == (400, [field])


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        (
            "GET",
            "/monitors?nosuch=1&limit=2",
            "nosuch: is not a known parameter: there are created_after, created_before",
        ),
        ("GET", "/monitors?stat=running", "stat: is not a known parameter: did you mean state?"),
        ("POST", "/monitors?restrat=true", "restrat: is not a known parameter: did you mean restart?"),
        ("GET", "/monitors/job-1?a=1&a=2", "a: is not a known parameter"),
        ("POST", "/monitors/job-1/pause?deadline=stops", "deadline: is not a known parameter"),
        ("GET", "/monitors/job-1/events?x=1", "x: is not a known parameter"),
        ("GET", "/kinds?x=1", "x: is not a known parameter"),
    ],
)
async def test_a_parameter_that_there_is_not_is_refused_by_its_name(
    base: str, scheduler: FakeScheduler, method: str, path: str, says: str
) -> None:
    refused = await ask(method, f"{base}{path}", START if method == "POST" else None)
    assert (refused.status, refused.problem["type"]) == (400, "urn:durable-monitor:RequestError")
    assert refused.problem["detail"].startswith(says)
    assert not scheduler.instances


async def test_a_monitor_is_deleted_once_it_has_ended(base: str, scheduler: FakeScheduler) -> None:
    await ask("POST", f"{base}/monitors", START)
    assert (await ask("DELETE", f"{base}/monitors/job-1")).problem["type"] == "urn:durable-monitor:StillRunning"
    end(scheduler.instances["monitor-job-1"])
    assert (await ask("DELETE", f"{base}/monitors/job-1")).status == 204
    assert (await ask("DELETE", f"{base}/monitors/job-1")).problem["status"] == 404


async def test_many_starts_each_have_their_own_result(base: str, scheduler: FakeScheduler) -> None:
    asked = [START, {"job_id": "bad"}, {**START, "timeout_seconds": 1}, {**START, "job_id": "job-2"}]
    many = (await ask("POST", f"{base}/monitors:batch", {"requests": asked})).json["results"]
    assert [one["job_id"] for one in many] == ["job-1", "bad", "job-1", "job-2"]
    assert [(one["problem"] or {}).get("status") for one in many].count(400) == 1
    assert [(one["problem"] or {}).get("status") for one in many].count(409) == 1
    assert len(scheduler.instances) == 2
    odd = (
        await ask("POST", f"{base}/monitors:batch", {"requests": [7, None, [], {**START, "job_id": "job-3"}]})
    ).json
    assert [one["problem"] and one["problem"]["errors"][0]["field"] for one in odd["results"]] == [
        "request"
    ] * 3 + [None]
    assert odd["results"][3]["started"]["how"] == "started", "what is no object hinders no other"
    wrongs: list[dict[str, Any]] = [{"requests": []}, {"requests": [START] * 1001}, {"requests": 1}, {}]
    for wrong in (*wrongs, {"requests": [START], "restart": 1}):
        assert (await ask("POST", f"{base}/monitors:batch", wrong)).problem["status"] == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/monitors/", 404),
        ("GET", "/monitors/job-1", 404),
        ("POST", "/monitors/job-1/explode", 404),
        ("GET", "/monitors/%FF", 400),
        ("PUT", "/monitors", 405),
        ("OPTIONS", "/monitors", 405),
        ("PATCH", "/monitors/job-1", 405),
        ("HEAD", "/monitors/job-1/events", 405),
    ],
)
async def test_every_refusal_is_a_problem(base: str, method: str, path: str, status: int) -> None:
    refused = await ask(method, base + path)
    assert refused.status == status
    if method != "HEAD":
        assert refused.problem["status"] == status
    if status == 405:
        assert (
            refused.headers["Allow"]
            == {
                "/monitors": "GET, POST",
                "/monitors/job-1": "DELETE, GET",
                "/monitors/job-1/events": "GET",
            }[path]
        )


async def test_head_is_get_without_its_body(base: str) -> None:
    for path in ("/monitors", "/kinds", "/healthz", "/openapi.json"):
        head, get = await ask("HEAD", base + path), await ask("GET", base + path)
        assert (head.status, head.text) == (200, "")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b'"x"', "should be an object"),
        (b'{"job_id": "a", "check": {"kind": "http", "url": "https://a.example/", "body": NaN}}', "no NaN"),
        (b'{"job_id": "a", "check": {"kind": "simulated", "\\ud800": 1}}', "only whole Unicode"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested"),
        (b"", "body"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(base: str, data: bytes, says: str) -> None:
    for path in ("/monitors", "/explain"):
        refused = await ask("POST", base + path, data=data)
        assert (refused.status, says in refused.problem["detail"]) == (400, True), refused.text


async def test_a_defect_is_a_problem_that_says_nothing_of_the_inside(
    base: str, scheduler: FakeScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler.before = lambda _: failing(ZeroDivisionError("inside"))()
    with caplog.at_level(logging.ERROR):
        broken = await ask("GET", f"{base}/monitors/job-1")
    assert (broken.status, broken.problem["type"]) == (500, "about:blank")
    assert "inside" not in broken.text
    assert "default-src 'none'" in broken.headers["Content-Security-Policy"]
    assert "ZeroDivisionError: inside" in caplog.text


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.UNAVAILABLE, 503),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 503),
        (grpc.StatusCode.PERMISSION_DENIED, 502),
        (grpc.StatusCode.INTERNAL, 502),
    ],
)
async def test_a_scheduler_that_cannot_be_used_is_a_problem(
    base: str, scheduler: FakeScheduler, code: grpc.StatusCode, status: int
) -> None:
    scheduler.before = lambda _: failing(rpc_error(code, "oops"))()
    for method, path in (("GET", "/monitors"), ("GET", "/monitors/a"), ("GET", "/operations/a")):
        failed = await ask(method, base + path)
        assert (failed.status, failed.problem["status"]) == (status, status)
        assert ("Retry-After" in failed.headers) == (status == 503)


ERRORS: dict[type[Exception], tuple[Exception, int]] = {
    type(error): (error, code)
    for error, code in [
        (errors.SchedulerUnreachable("e", "w"), 503),
        (errors.NoCredential("e", "w"), 503),
        (errors.NotAllowed("e", "h", "w"), 502),
        (errors.SchedulerRefused("e", "c", "w"), 502),
        (errors.NotFound("j", "h"), 404),
        (errors.AlreadyEnded("j", "Failed", "w"), 409),
        (errors.StillRunning("j"), 409),
        (errors.WrongToken(), 401),
        (errors.Conflict("j", {"f": ""}), 409),
        (errors.Contested("j"), 409),
        (errors.RunReplaced("j", "a", "b"), 409),
        (errors.Unreadable("i", "w"), 502),
        (errors.NotExplained("j", "w"), 502),
        (errors.NotTaken("j", "w"), 503),
        (errors.NotAnswered("j", "w"), 504),
        (errors.ServerRefused("s", "w"), 502),
        (errors.GaveUp(60, errors.SchedulerUnreachable("e", "w")), 503),
        (errors.NoClientScheduler("s", "w"), 502),
        (errors.NotAdmitted("s", "w", "a"), 502),
        (errors.ServerBusy("s", "w", 1), 502),
        (errors.ServerFull("s", "w", 1), 502),
        (errors.ServerUnreachable("s", "w"), 503),
        (errors.NoServerToken("s", "w"), 503),
        (
            errors.CommandRefused(
                CommandOutcome(
                    id="c", name="resume", at=datetime(2026, 1, 1, tzinfo=UTC), accepted=False, message="m"
                )
            ),
            409,
        ),
    ]
}


def subclasses(of: type[Exception]) -> Iterator[type[Exception]]:
    for one in of.__subclasses__():
        yield one
        yield from subclasses(one)


@pytest.mark.parametrize("kind", [*subclasses(errors.ServiceError)], ids=lambda kind: kind.__name__)
def test_every_error_of_the_service_is_a_problem(kind: type[Exception]) -> None:
    error, code = ERRORS[kind]
    problem = problem_of(error)
    assert (problem.status, problem.type) == (code, f"urn:durable-monitor:{kind.__name__}")
    assert problem.detail == str(error)


def test_so_is_a_request_that_cannot_be_accepted() -> None:
    assert problem_of(RequestError([])).status == 400


@pytest.mark.parametrize(
    ("instance", "state", "code"),
    [
        (Instance(shown=status()), "Running", None),
        (Instance(shown=status(paused=True)), "Running", None),
        (Instance(runtime=Runtime.PENDING), "NotStarted", None),
        (Instance(runtime=Runtime.COMPLETED, output=result()), "Succeeded", None),
        (Instance(runtime=Runtime.COMPLETED, output=result(final_status="Timeout")), "Failed", "Timeout"),
        (Instance(runtime=Runtime.TERMINATED), "Canceled", "Cancelled"),
        (Instance(runtime=Runtime.TERMINATED, shown=status(status="Completed")), "Succeeded", None),
    ],
)
async def test_a_monitor_as_an_operation(
    base: str, scheduler: FakeScheduler, instance: Instance, state: str, code: str | None
) -> None:
    scheduler.put(request(), "run-1", instance)
    found = await ask("GET", f"{base}/operations/job-1")
    assert (found.json["status"], found.json.get("error", {}).get("code")) == (state, code)
    assert ("Retry-After" in found.headers) == (state in {"Running", "NotStarted"})


async def test_kinds_are_those_of_the_app_with_all_that_a_form_needs(base: str) -> None:
    found = {one["name"]: one for one in (await ask("GET", f"{base}/kinds")).json["value"]}
    http = found["http"]
    assert list(found) == sorted(found)
    assert http["fields"]["properties"]["url"]
    assert {"name": "code", "type": "int"}.items() <= next(
        one.items() for one in http["variables"] if one["name"] == "code"
    )
    assert http["natural_success"]
    assert found["blob"]["needs"] == "azure-storage-blob"
    for one in found.values():
        assert all((one["waits_for"], one["variables"], one["example"]["check"]["kind"] == one["name"]))
        json.dumps(one)


async def test_explain_answers_with_the_explanation_or_says_why_not(base: str, scheduler: FakeScheduler) -> None:
    said: dict[str, Any] = {"success_when": "nope == 1"}
    refused = await ask("POST", f"{base}/explain", {**START, **said})
    assert (refused.status, "column" in refused.problem["detail"]) == (400, True)
    assert scheduler.calls == []


async def test_a_monitor_shows_what_became_of_what_is_told_unless_that_is_not_asked_for(
    base: str, scheduler: FakeScheduler
) -> None:
    hook = {"to": {"kind": "webhook", "url": "https://example.com/"}}
    scheduler.put(request(on_verdict=[hook]), "run-1", Instance(shown=status()))
    scheduler.deliver(notice(), 0, Instance(output=told(), runtime=Runtime.COMPLETED))
    (one,) = (await ask("GET", f"{base}/monitors/job-1")).json["deliveries"]
    assert one == {
        "id": notice().id,
        "position": 0,
        "kind": "webhook",
        "occasion": "verdict",
        "outcome": "delivered",
        "attempts": 1,
        "detail": "HTTP 204",
        "as_of": "2026-01-01T12:00:02Z",
        "next_attempt_at": None,
    }
    scheduler.calls.clear()
    assert (await ask("GET", f"{base}/monitors/job-1?deliveries=false")).json["deliveries"] is None
    assert (await ask("GET", f"{base}/operations/job-1")).status == 200
    assert "query" not in scheduler.names()
