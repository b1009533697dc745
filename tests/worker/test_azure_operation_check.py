"""The kind `azure_operation`: a table after the public protocol, then real servers."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from azure.core.exceptions import DecodeError
from azure.core.polling.base_polling import BadResponse, LocationPolling, OperationResourcePolling
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from job_simulator.server import JobSimulator
from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass
from monitor_core.kinds import AzureOperationCheck
from monitor_worker.checks.azure_answer import next_url, observed
from monitor_worker.checks.azure_operation import AzureOperationDriver
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.http_answer import Answer
from monitor_worker.checks.targets import TargetGuard

CONTEXT = CheckContext("job", "run.0.1.1", 1, 10.0)
NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
Rule = Literal["operation", "location", "resource"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(code: int, body: object = None, **headers: str) -> Answer:
    """An answer with a JSON body; bytes are sent as they are, None is no body."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = CIMultiDict({"Content-Type": "application/json", **named})
    return Answer("GET", URL("https://arm.example/o?sig=secret"), code, CIMultiDictProxy(given), content, 0.01)


def seen(rule: Rule, code: int, body: object = None, **headers: str) -> Observation:
    return observed(answer(code, body, **headers), rule, NOW)


def state(value: object) -> dict[str, Any]:
    return {"id": "r", "properties": {"provisioningState": value}}


@pytest.mark.parametrize(
    ("rule", "code", "body", "status"),
    [
        ("operation", 200, {"status": "Succeeded"}, "Succeeded"),
        ("operation", 200, {"status": "SUCCEEDED"}, "Succeeded"),
        ("operation", 200, {"status": "failed"}, "Failed"),
        ("operation", 200, {"status": "canceled"}, "Canceled"),
        ("operation", 200, {"status": "Cancelled"}, "Cancelled"),
        ("operation", 200, {"status": "Completed"}, "Completed"),
        ("operation", 200, {"status": "InProgress"}, "InProgress"),
        ("operation", 200, {"status": "running"}, "running"),
        ("operation", 202, {"status": "Succeeded"}, "Succeeded"),
        ("operation", 201, {"status": "Running"}, "Running"),
        ("operation", 200, {"status": "Running", **state("Succeeded")}, "Running"),
        ("operation", 200, state("succeeded"), "Succeeded"),
        ("operation", 202, None, "InProgress"),
        ("operation", 202, b"<html>", "InProgress"),
        ("location", 202, None, "InProgress"),
        ("location", 202, {"status": "Succeeded"}, "InProgress"),
        ("location", 200, None, "Succeeded"),
        ("location", 200, b"\x00", "Succeeded"),
        ("location", 201, {"id": "r"}, "Succeeded"),
        ("location", 204, None, "Succeeded"),
        ("resource", 200, state("Creating"), "Creating"),
        ("resource", 201, state("creating"), "creating"),
        ("resource", 200, state("SUCCEEDED"), "Succeeded"),
        ("resource", 200, state("Failed"), "Failed"),
        ("resource", 200, {"status": "Failed", "properties": {}}, "Succeeded"),
        ("resource", 200, {"id": "r", "properties": None}, "Succeeded"),
        ("resource", 200, state(None), "Succeeded"),
        ("resource", 202, {"id": "r"}, "InProgress"),
        ("resource", 202, None, "InProgress"),
    ],
)
def test_the_state_is_read_as_the_rule_has_it(rule: Rule, code: int, body: object, status: str) -> None:
    found = seen(rule, code, body)
    assert found.error is None
    assert (found.status, found.variables["status"], found.variables["code"]) == (status, status, code)
    natural = conditions(None, None, AzureOperationCheck)
    assert natural.success is not None
    assert natural.failure is not None
    assert natural.success.holds(found.variables) is (status == "Succeeded")
    assert natural.failure.holds(found.variables) is (status in {"Failed", "Canceled"})


@pytest.mark.parametrize(
    ("rule", "code", "body"),
    [
        ("operation", 200, None),
        ("operation", 204, None),
        ("operation", 200, {}),
        ("operation", 200, []),
        ("operation", 200, "Succeeded"),
        ("operation", 200, b"Succeeded"),
        ("operation", 200, b'{"status": "Succeeded"'),
        ("operation", 200, {"status": ""}),
        ("operation", 200, {"status": None}),
        ("operation", 200, {"status": ["Succeeded"]}),
        ("operation", 200, {"properties": "Succeeded"}),
        ("resource", 200, None),
        ("resource", 204, None),
        ("resource", 200, []),
        ("resource", 200, b"<html>"),
        ("resource", 200, state(5)),
        ("resource", 200, state("")),
    ],
)
def test_a_body_that_tells_nothing_is_an_error_and_never_a_success(rule: Rule, code: int, body: object) -> None:
    found = seen(rule, code, body)
    assert "status" not in found.variables
    assert found.error is not None
    assert found.error.error_class is ErrorClass.TRANSIENT
    assert "from GET https://arm.example/o does not tell the operation's state: it has no `" in str(found.error)
    assert f"check.rule {rule}" in str(found.error)


@pytest.mark.parametrize(
    ("code", "error_class", "words"),
    [
        (203, ErrorClass.PERMANENT, "no answer about an operation"),
        (304, ErrorClass.PERMANENT, "it is elsewhere: change check.url"),
        (400, ErrorClass.PERMANENT, "no answer about an operation"),
        (401, ErrorClass.PERMANENT, "check.auth says who"),
        (403, ErrorClass.PERMANENT, "the role Reader"),
        (404, ErrorClass.TRANSIENT, "perhaps not yet"),
        (405, ErrorClass.PERMANENT, "it takes no GET"),
        (409, ErrorClass.TRANSIENT, "at the moment"),
        (410, ErrorClass.PERMANENT, "gone for good"),
        (429, ErrorClass.TRANSIENT, "asked too often"),
        (500, ErrorClass.TRANSIENT, "on its side"),
        (503, ErrorClass.TRANSIENT, "on its side"),
    ],
)
@pytest.mark.parametrize("rule", ["operation", "location", "resource"])
def test_any_other_code_is_an_error_whatever_the_body_says(
    rule: Rule, code: int, error_class: ErrorClass, words: str
) -> None:
    body = {"status": "Succeeded", **state("Succeeded"), "error": {"code": "Busy", "message": "later"}}
    found = seen(rule, code, body, Retry_After="7")
    assert found.error is not None
    assert (found.error.error_class, found.status, found.retry_after_seconds) == (error_class, f"HTTP {code}", 7)
    assert words in str(found.error)
    assert "secret" not in str(found.error)
    assert "status" not in found.variables
    assert (found.variables["error_code"], found.variables["error_message"]) == ("Busy", "later")


def test_the_variables_are_the_declared_ones() -> None:
    found = seen("operation", 200, {"status": "Running"}, X_A="b")
    assert found.variables == {
        "code": 200,
        "status": "Running",
        "headers": {"content-type": "application/json", "x-a": "b"},
        "body": {"status": "Running"},
        "error_code": "",
        "error_message": "",
    }
    assert set(found.variables) == set(AzureOperationCheck.variables)


def test_a_failed_operation_says_why_in_one_short_line() -> None:
    body = {"status": "failed", "error": {"code": "Quota", "message": "No cores\nleft. " + "x" * 1000}}
    found = seen("operation", 200, body)
    assert found.summary is not None
    assert found.summary.startswith("Failed: Quota: No cores\N{REPLACEMENT CHARACTER}left. xxx")
    assert len(found.summary) == 300
    assert found.variables["error_message"] == body["error"]["message"]  # type: ignore[index] # it is a dict


@pytest.mark.parametrize("error", [None, "text", [], {}, {"code": 5, "message": None}])
def test_an_odd_error_is_none(error: object) -> None:
    found = seen("operation", 200, {"status": "Failed", "error": error})
    assert (found.variables["error_code"], found.variables["error_message"]) == ("", "")
    assert (
        found.summary == f"Failed: 200 OK, {len(json.dumps({'status': 'Failed', 'error': error}))} bytes in 10 ms"
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry_After": "20"}, 20),
        ({"Retry_After": "0", "retry_after_ms": "500"}, 0),
        ({"Retry_After": "Tue, 24 Nov 2026 18:01:00 GMT"}, 60),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"x_ms_retry_after_ms": "250"}, 0.25),
        ({"Retry_After": "soon", "x_ms_retry_after_ms": "soon"}, None),
    ],
)
def test_the_target_may_ask_to_be_left_alone(headers: dict[str, str], seconds: float | None) -> None:
    assert seen("location", 202, None, **headers).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("rule", "code", "headers", "url"),
    [
        ("operation", 200, {"Azure_AsyncOperation": "/a", "Operation_Location": "/b"}, "/a"),
        ("operation", 200, {"Operation_Location": "/b", "Location": "/c"}, "/b"),
        ("operation", 200, {"Location": "/c"}, None),
        ("location", 202, {"Azure_AsyncOperation": "/a", "Location": "/c"}, "/c"),
        ("location", 200, {"Location": "/c"}, None),
        ("location", 201, {"Location": "/c"}, None),
        ("location", 503, {"Location": "/c"}, None),
        ("resource", 200, {"Azure_AsyncOperation": "/a", "Location": "/c"}, None),
    ],
)
def test_an_operation_in_progress_may_name_another_url(
    rule: Rule, code: int, headers: dict[str, str], url: str | None
) -> None:
    given = answer(code, {"status": "Running", **state("Running")}, **headers)
    assert next_url(given, rule, observed(given, rule, NOW)) == url


@pytest.mark.parametrize("code", [200, 201, 202, 204])
@pytest.mark.parametrize(
    "body",
    [
        None,
        b"<html>",
        {},
        {"status": "Running"},
        {"status": "succeeded"},
        {"status": "FAILED"},
        {"status": "Canceled"},
        {"status": "Cancelled"},
        {"status": None},
    ],
)
@pytest.mark.parametrize(
    ("rule", "sdk"), [("operation", OperationResourcePolling()), ("location", LocationPolling())]
)
def test_a_state_that_azure_core_reads_is_read_alike(rule: Rule, sdk: Any, code: int, body: object) -> None:
    given = answer(code, body)
    response = SimpleNamespace(
        status_code=code, headers=given.headers, content=given.content, text=given.content.decode
    )
    try:
        theirs = sdk.get_status(SimpleNamespace(http_response=response))
    except (BadResponse, DecodeError):
        theirs = None
    ours = observed(given, rule, NOW).variables.get("status")
    if theirs is None:
        assert ours == ("InProgress" if code == 202 else None)  # milder: 202 says enough
    else:
        assert ours is not None
        assert ours.lower() == theirs.lower()


@asynccontextmanager
async def serving(answers: dict[str, Handler]) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server with these paths: its base URL, and what it was asked."""
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return await answers[request.path](request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        yield f"http://127.0.0.1:{server.port}", asked
    finally:
        await server.close()


def always(code: int, body: object = None, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=named) if body is None else web.json_response(body, headers=named)

    return handle


async def checked(url: str, rule: Rule = "operation", allow: str = "127.0.0.1:*", **fields: Any) -> Observation:
    driver = AzureOperationDriver(Resources(TargetGuard([allow])))
    try:
        return await driver.check(AzureOperationCheck(url=url, rule=rule, **fields), CONTEXT)
    finally:
        await driver.close()


async def test_a_url_that_changes_is_followed_within_the_check() -> None:
    answers = {
        "/1": always(202, Location="/2", Retry_After="9"),
        "/2": always(202, Location="3?x=1"),
        "/3": always(204),
    }
    async with serving(answers) as (base, asked):
        found = await checked(f"{base}/1?t=0", "location", headers={"X-A": "b"})
    assert found.status == "Succeeded"
    assert [(request.method, request.path_qs, request.headers["X-A"]) for request in asked] == [
        ("GET", "/1?t=0", "b"),
        ("GET", "/2", "b"),
        ("GET", "/3?x=1", "b"),
    ]


async def test_the_same_monitor_under_a_fresh_signature_is_asked_once() -> None:
    async with serving({"/1": always(202, Location="/1?sig=fresh")}) as (base, asked):
        assert (await checked(f"{base}/1?sig=old", "location")).status == "InProgress"
    assert len(asked) == 1


async def test_urls_that_lead_in_a_circle_or_nowhere_leave_the_last_answer() -> None:
    circle = {"/1": always(202, Location="/2"), "/2": always(202, Location="/1", Retry_After="4")}
    async with serving(circle) as (base, asked):
        found = await checked(f"{base}/1", "location")
    assert (found.status, found.retry_after_seconds, len(asked)) == ("InProgress", 4, 2)
    async with serving({"/1": always(202, Location="ftp://a.example/")}) as (base, asked):
        assert (await checked(f"{base}/1", "location")).status == "InProgress"
    endless = {f"/{n}": always(202, Location=f"/{n + 1}") for n in range(9)}
    async with serving(endless) as (base, asked):
        assert (await checked(f"{base}/0", "location")).status == "InProgress"
    assert len(asked) == 4


async def test_another_origin_sees_none_of_the_headers_and_is_guarded() -> None:
    answers: dict[str, Handler] = {"/2": always(200, {"status": "Succeeded"})}
    async with serving(answers) as (other, asked), serving(answers) as (base, _):
        answers["/1"] = always(200, {"status": "Running"}, Operation_Location=f"{other}/2")
        assert (await checked(f"{base}/1", headers={"X-A": "b"})).status == "Succeeded"
        with pytest.raises(CheckFailed, match="MONITOR_ALLOWED_TARGETS") as caught:
            await checked(f"{base}/1", allow=base.removeprefix("http://"))
    assert caught.value.error_class is ErrorClass.MISCONFIGURED
    assert ["X-A" in request.headers for request in asked] == [False]


async def test_a_redirect_is_followed_and_a_silent_host_is_an_error() -> None:
    async with serving({"/1": always(302, Location="/2"), "/2": always(200, {"status": "Failed"})}) as (base, _):
        assert (await checked(f"{base}/1")).status == "Failed"
    with pytest.raises(CheckFailed, match="cannot connect") as caught:
        await checked(f"{base}/1")
    assert caught.value.error_class is ErrorClass.TRANSIENT


@pytest.mark.parametrize("outcome", ["Succeeded", "Failed", "Canceled"])
async def test_a_job_of_the_simulator_is_adopted_and_seen_to_its_end(outcome: str) -> None:
    elapsed = [0.0]
    with JobSimulator(clock=lambda: elapsed[0]) as simulator:
        job = {"id": "j", "outcome": outcome, "duration_seconds": 10, "retry_after_seconds": 3}
        async with ClientSession() as session, session.post(f"{simulator.url}/jobs", json=job) as response:
            adopt = {
                "url": str(response.url),
                "method": "POST",
                "status_code": response.status,
                "headers": dict(response.headers),
                "body": await response.json(),
            }
        spec = AzureOperationCheck.model_validate({"adopt": adopt})
        assert (spec.url, spec.rule, spec.adopt) == (f"{simulator.url}/jobs/j", "operation", None)
        driver = AzureOperationDriver(Resources(TargetGuard(["127.0.0.1:*"])))
        try:
            found = []
            for elapsed[0] in (0.0, 6.0, 10.0):
                found.append(await driver.check(spec, CONTEXT))
        finally:
            await driver.close()
    assert [one.status for one in found] == ["NotStarted", "Running", outcome]
    assert [one.retry_after_seconds for one in found] == [3, 3, None]
    if outcome == "Failed":
        assert found[-1].summary == "Failed: JobFailed: Job j failed after 10 s, as it was asked to."


async def test_a_failing_and_an_unknown_job_of_the_simulator_are_errors() -> None:
    with JobSimulator() as simulator:
        job = {"id": "j", "status_code": 503, "error_retry_after_seconds": 5}
        async with ClientSession() as session, session.post(f"{simulator.url}/jobs", json=job) as started:
            assert started.status == 202
        found = await checked(f"{simulator.url}/jobs/j")
        unknown = await checked(f"{simulator.url}/jobs/none")
    assert found.error is not None
    assert (found.status, found.retry_after_seconds, found.error.error_class) == (
        "HTTP 503",
        5,
        ErrorClass.TRANSIENT,
    )
    assert unknown.status == "HTTP 404"
    assert unknown.error is not None
