"""The kind `azure_operation`: a table after the public protocol, then real servers."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from azure.core import AsyncPipelineClient
from azure.core.exceptions import DecodeError, HttpResponseError
from azure.core.pipeline.policies import RequestIdPolicy
from azure.core.polling.async_base_polling import AsyncLROBasePolling
from azure.core.polling.base_polling import BadResponse, LocationPolling, OperationResourcePolling
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from job_simulator.server import JobSimulator
from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass, parse_request
from monitor_core.contract.turn import LONGEST_CHECKPOINT
from monitor_core.kinds import BUILT_IN, AzureOperationCheck
from monitor_worker.checks.azure_answer import next_url, observed
from monitor_worker.checks.azure_operation import AzureOperationDriver
from monitor_worker.checks.azure_place import recalled, to_recall
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.http_answer import Answer
from monitor_worker.checks.targets import TargetGuard
from support.arm import TOKEN, Arm, arm, credential_of, problem, resources
from support.tls import client_context

CONTEXT = CheckContext("job", "run.0.1.1", 1, 10.0)
NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
_REFUSED = r"is not a public address|can never be a target|its host is no name or address"
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
        if body is None:
            return web.Response(status=code, headers=named)
        return web.json_response(body, status=code, headers=named)

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


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "168.63.129.16", "10.0.0.1", "100.64.0.1", "127.0.0.2", "2130706434", "[::ffff:7f00:2]"],
)
async def test_no_hostile_place_is_reached_by_whatever_way(host: str) -> None:
    hostile = f"http://{host}:1/2"
    answers: dict[str, Handler] = {"/1": always(202, Location=hostile), "/3": always(307, Location=hostile)}
    async with serving(answers) as (base, _):
        own = base.removeprefix("http://")
        for url in (hostile, f"{base}/1", f"{base}/3"):
            with pytest.raises(CheckFailed, match=_REFUSED) as caught:
                await checked(url, "location", own)
            assert caught.value.error_class is ErrorClass.MISCONFIGURED
        answers["/1"] = always(204)
        async with polling(f"{base}/1", "location", own) as poller:
            poller.remember(hostile)
            assert (await poller.check()).status == "Succeeded", "it is asked at the spec's URL"


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


class Poller:
    """A driver, and the checkpoint that its checks leave for each other."""

    def __init__(self, spec: AzureOperationCheck, given: Resources, tls: ssl.SSLContext | None = None) -> None:
        self.spec, self.mask, self.context = spec, given.secrets.masker, CONTEXT
        self.driver = AzureOperationDriver(given, tls)

    async def check(self, seconds: float = 30.0) -> Observation:
        self.context = replace(self.context, timeout_seconds=seconds)
        seen = await self.driver.check(self.spec, self.context)
        if seen.checkpoint is not None:
            assert len(json.dumps(seen.checkpoint)) <= LONGEST_CHECKPOINT
            self.context = replace(self.context, checkpoint=json.loads(json.dumps(seen.checkpoint)))
        return seen

    def remember(self, url: str) -> None:
        self.context = replace(self.context, checkpoint=to_recall(self.spec, url, str))


@asynccontextmanager
async def polling(url: str, rule: Rule = "operation", *allow: str, **fields: Any) -> AsyncIterator[Poller]:
    guard = TargetGuard(allow or ["127.0.0.1:*"])
    poller = Poller(AzureOperationCheck(url=url, rule=rule, **fields), Resources(guard))
    try:
        yield poller
    finally:
        await poller.driver.close()


async def test_the_next_check_begins_where_the_operation_moved_to() -> None:
    answers: dict[str, Handler] = {"/1": always(202, Location="/2?sig=a"), "/2": always(202, Location="/2?sig=b")}
    async with serving(answers) as (base, asked), polling(f"{base}/1", "location") as poller:
        await poller.check()
        await poller.check()
        answers["/2"] = always(202)
        await poller.check()
        answers["/2"] = always(204)
        assert (await poller.check()).status == "Succeeded"
    assert [request.path_qs for request in asked] == ["/1", "/2?sig=a", "/2?sig=b", "/2?sig=b", "/2?sig=b"]


async def test_a_move_that_is_too_long_for_one_check_goes_on_in_the_next() -> None:
    endless = {f"/{n}": always(202, Location=f"/{n + 1}") for n in range(9)}
    async with serving(endless) as (base, asked), polling(f"{base}/0", "location") as poller:
        await poller.check()
        await poller.check()
    assert [request.path for request in asked] == [f"/{n}" for n in range(8)]


async def test_what_was_remembered_is_forgotten_where_the_operation_is_back_or_another() -> None:
    answers: dict[str, Handler] = {"/1": always(202, Location="/2"), "/2": always(202, Location="/1")}
    async with serving(answers) as (base, asked), polling(f"{base}/1", "location") as poller:
        await poller.check()
        assert poller.context.checkpoint == {}
        poller.remember(f"{base}/2")
        poller.spec = AzureOperationCheck(url=f"{base}/1?edited", rule="location")
        await poller.check()
    assert [request.path_qs for request in asked] == ["/1", "/2", "/1?edited", "/2"]


@pytest.mark.parametrize(
    "checkpoint", [{}, {"url": 5}, {"url": "http://127.0.0.1:1/"}, {"etag": "x"}, {"of": None}]
)
async def test_a_checkpoint_of_something_else_is_none(checkpoint: dict[str, Any]) -> None:
    async with serving({"/1": always(202)}) as (base, asked), polling(f"{base}/1", "location") as poller:
        poller.context = replace(CONTEXT, checkpoint=checkpoint)
        assert (await poller.check()).status == "InProgress"
    assert len(asked) == 1


@pytest.mark.parametrize("code", [401, 403, 404, 410, 400, 200])
async def test_where_nothing_is_learnt_any_more_the_spec_s_url_is_asked(code: int) -> None:
    answers: dict[str, Handler] = {"/1": always(200, {"status": "Running"}), "/2": always(code, {})}
    async with serving(answers) as (base, asked), polling(f"{base}/1") as poller:
        poller.remember(f"{base}/2")
        assert (await poller.check()).status == "Running"
        await poller.check()
    assert [request.path for request in asked] == ["/2", "/1", "/1"], "it is forgotten"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/2", "http://10.0.0.1/2", "https://[/", "ftp://a.example/", "/2", ""]
)
async def test_a_remembered_url_that_cannot_be_asked_is_left(url: str) -> None:
    async with serving({"/1": always(200, {"status": "Running"})}) as (base, _), polling(f"{base}/1") as poller:
        poller.remember(url)
        assert (await poller.check()).status == "Running"
        assert poller.context.checkpoint == {}


async def test_a_remembered_url_that_is_silent_leaves_time_to_ask_the_spec_s() -> None:
    hangs = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        await hangs.wait()
        return web.Response()

    answers = {"/1": always(200, {"status": "Running"}), "/2": hang}
    async with serving(answers) as (base, asked), polling(f"{base}/1") as poller:
        poller.remember(f"{base}/2")
        assert (await poller.check(seconds=1.0)).status == "Running"
        hangs.set()
    assert [request.path for request in asked] == ["/2", "/1"]


@pytest.mark.parametrize("code", [408, 425, 429, 500, 503])
async def test_a_remembered_url_that_is_busy_is_left_alone_and_kept(code: int) -> None:
    answers: dict[str, Handler] = {"/1": always(410), "/2": always(code, {}, Retry_After="9")}
    async with serving(answers) as (base, asked), polling(f"{base}/1") as poller:
        poller.remember(f"{base}/2")
        found = await poller.check()
        assert poller.context.checkpoint is not None
        assert poller.context.checkpoint["url"] == f"{base}/2"
    assert (found.status, found.retry_after_seconds, len(asked)) == (f"HTTP {code}", 9, 1)


@pytest.mark.parametrize(
    ("there", "at_first", "error_class", "words"),
    [
        (404, 410, ErrorClass.TRANSIENT, "404"),
        (410, 503, ErrorClass.TRANSIENT, "503"),
        (403, 410, ErrorClass.PERMANENT, "410"),
    ],
)
async def test_where_both_fail_the_one_that_may_pass_counts(
    there: int, at_first: int, error_class: ErrorClass, words: str
) -> None:
    async with serving({"/1": always(at_first), "/2": always(there)}) as (base, _), polling(f"{base}/1") as poller:
        poller.remember(f"{base}/2")
        found = await poller.check()
        assert poller.context.checkpoint, "nothing better is known"
    assert found.error is not None
    assert (found.error.error_class, words in str(found.error)) == (error_class, True)


async def test_a_url_too_long_or_with_a_secret_in_it_is_followed_and_not_remembered() -> None:
    answers: dict[str, Handler] = {"/2": always(202)}
    async with serving(answers) as (base, asked), polling(f"{base}/1", "location") as poller:
        poller.mask.add("s3cr3t-of-another")
        for query in ("x" * 4090, "token=s3cr3t-of-another"):
            answers["/1"] = always(202, Location=f"/2?{query}")
            await poller.check()
            assert poller.context.checkpoint == {}
    assert [request.path for request in asked] == ["/1", "/2"] * 2


def test_a_url_as_long_as_azure_signs_it_is_taken_and_remembered() -> None:
    signed = "https://management.azure.com/subscriptions/s/operations/o?t=1&c=" + "M" * 3200 + "&s=" + "x" * 350
    spec = AzureOperationCheck(url=signed)
    moved = signed.replace("t=1", "t=2")
    assert recalled(spec, to_recall(spec, moved, str)) == moved


@asynccontextmanager
async def as_worker(
    url: str = "{arm}/o", rule: Rule = "location", **fields: Any
) -> AsyncIterator[tuple[Arm, Poller]]:
    """A worker with an identity, asking about an operation of an Azure Resource Manager."""
    async with arm() as azure, credential_of(azure) as credential:
        spec = AzureOperationCheck(url=url.format(arm=azure.url), rule=rule, **fields)
        poller = Poller(spec, resources(azure, credential), client_context())
        try:
            yield azure, poller
        finally:
            await poller.driver.close()


async def test_an_azure_resource_manager_is_shown_the_worker_s_identity() -> None:
    async with as_worker(rule="operation") as (azure, poller):
        azure.script("/o", web.json_response({"status": "Running"}), web.json_response({"status": "Succeeded"}))
        assert [(await poller.check()).status for _ in range(2)] == ["Running", "Succeeded"]
    assert azure.tokens == [azure.url]


async def test_anyone_else_is_shown_nothing_unless_the_check_says_who_asks() -> None:
    async with as_worker() as (azure, poller), serving({"/1": always(204)}) as (base, asked):
        poller.spec = AzureOperationCheck(url=f"{base}/1", rule="location")
        await poller.check()
        audience = {"type": "managed_identity", "audience": azure.url}
        poller.spec = AzureOperationCheck.model_validate(
            {"url": f"{base}/1", "rule": "location", "auth": audience}
        )
        with pytest.raises(CheckFailed, match=f"add {azure.url}={base} to MONITOR_ALLOWED_AUDIENCES") as caught:
            await poller.check()
    assert caught.value.error_class is ErrorClass.MISCONFIGURED
    assert ["Authorization" in request.headers for request in asked] == [False]
    assert azure.tokens == []


async def test_another_origin_that_the_operation_moves_to_is_shown_nothing_of_the_first_one_s() -> None:
    async with arm() as other, as_worker(headers={"X-A": "b"}) as (azure, poller):
        other.script("/2", web.Response(status=204))
        azure.script("/o", web.Response(status=202, headers={"Location": f"{other.url}/2"}))
        azure.script("/3", web.Response(status=204))
        assert (await poller.check()).status == "HTTP 401"
        assert poller.context.checkpoint is None
        poller.remember(f"{other.url}/2")
        await poller.check()
        poller.remember(f"{azure.url}/3")
        assert (await poller.check()).status == "Succeeded"
    assert len(other.asked) == 3
    assert all(not {"Authorization", "X-A"} & set(request.headers) for request in other.asked)
    assert all({"Authorization", "X-A"} <= set(request.headers) for request in azure.asked)


async def test_a_place_that_wants_what_was_held_back_is_named_with_the_setting() -> None:
    async with arm() as other, as_worker() as (azure, poller):
        azure.script("/o", web.Response(status=202, headers={"Location": f"{other.url}/2"}))
        audience = {"type": "managed_identity", "audience": azure.url}
        poller.spec = AzureOperationCheck.model_validate({**poller.spec.as_wire(), "auth": audience})
        with pytest.raises(CheckFailed, match=f"add {azure.url}={other.url} to MONITOR_ALLOWED_AUDIENCES"):
            await poller.check()
    assert "Authorization" not in other.asked[0].headers


async def test_another_azure_resource_manager_is_shown_its_own_token() -> None:
    async with arm() as other, arm() as azure, credential_of(azure) as credential:
        given = resources(azure, credential, f"{other.url}={other.url}")
        poller = Poller(AzureOperationCheck(url=f"{azure.url}/o", rule="location"), given, client_context())
        azure.script("/o", web.Response(status=202, headers={"Location": f"{other.url}/2"}))
        other.script("/2", web.Response(status=204))
        assert (await poller.check()).status == "Succeeded"
        await poller.driver.close()
    assert azure.tokens == [azure.url, other.url]


async def test_a_redirect_to_another_origin_carries_no_token() -> None:
    async with arm() as other, as_worker() as (azure, poller):
        azure.script("/o", web.Response(status=307, headers={"Location": f"{other.url}/o"}))
        found = await poller.check()
    assert found.status == "HTTP 401"
    assert "Authorization" not in other.asked[0].headers


async def test_a_token_that_is_repeated_leaves_no_trace_but_in_what_is_masked() -> None:
    body = {"status": TOKEN, "error": {"code": TOKEN, "message": TOKEN}}
    async with as_worker(rule="operation") as (azure, poller):
        moved = {"Operation-Location": f"/o/{TOKEN}"}
        azure.script("/o", web.json_response(body, headers=moved))
        azure.script(f"/o/{TOKEN}", web.json_response(body), problem(403, TOKEN, TOKEN))
        seen = await poller.check()
        assert poller.context.checkpoint == {}
        failed = await poller.check()
    shown = [seen.status, seen.summary, failed.status, failed.summary, failed.error]
    assert all(TOKEN not in poller.mask(str(text)) for text in shown)


async def test_the_example_runs() -> None:
    example = AzureOperationCheck.example
    async with as_worker() as (azure, poller):
        here = json.loads(json.dumps(dict(example)).replace("https://management.azure.com", azure.url))
        check = parse_request({"job_id": "job", **here}, BUILT_IN).check
        poller.spec = AzureOperationCheck.model_validate(dict(check))
        azure.script(URL(poller.spec.url).path, web.json_response({"status": "Succeeded"}))
        seen = await poller.check()
    success = conditions(None, None, AzureOperationCheck).success
    assert success is not None
    assert success.holds(seen.variables)


Script = dict[str, list[tuple[int, object, dict[str, str]]]]
RUNNING: tuple[int, object, dict[str, str]] = (200, {"status": "Running"}, {})
MOVES_ON: tuple[int, object, dict[str, str]] = (202, None, {})


def ends(status: str) -> tuple[int, object, dict[str, str]]:
    return 200, {"status": status}, {}


def moves(url: str) -> tuple[int, object, dict[str, str]]:
    return 202, None, {"Location": url}


@pytest.mark.parametrize(
    ("started", "script", "end"),
    [
        ({"Azure-AsyncOperation": "{base}/1"}, {"/1": [RUNNING, RUNNING, ends("Succeeded")]}, "Succeeded"),
        ({"Operation-Location": "{base}/1"}, {"/1": [ends("running"), ends("SUCCEEDED")]}, "Succeeded"),
        ({"Operation-Location": "/1?a=b"}, {"/1": [RUNNING, ends("succeeded")]}, "Succeeded"),
        ({"Azure-AsyncOperation": "{base}/1"}, {"/1": [ends("NotStarted"), ends("failed")]}, "Failed"),
        ({"Azure-AsyncOperation": "{base}/1"}, {"/1": [ends("Cancelled"), ends("CANCELED")]}, "Canceled"),
        ({"Azure-AsyncOperation": "{base}/1"}, {"/1": [ends("Completed"), ends("Succeeded")]}, "Succeeded"),
        ({"Operation-Location": "{base}/1"}, {"/1": [(202, {"status": "x"}, {}), ends("Succeeded")]}, "Succeeded"),
        ({"Operation-Location": "{base}/1"}, {"/1": [(201, {"status": "Succeeded"}, {})]}, "Succeeded"),
        ({"Location": "{base}/1"}, {"/1": [MOVES_ON, MOVES_ON, (200, None, {})]}, "Succeeded"),
        ({"Location": "/1"}, {"/1": [MOVES_ON, (201, {"status": "Failed"}, {})]}, "Succeeded"),
        ({"Location": "/1"}, {"/1": [(204, None, {})]}, "Succeeded"),
        (
            {"Location": "{base}/1"},
            {"/1": [moves("/2")], "/2": [MOVES_ON, moves("/3?x=1")], "/3": [MOVES_ON, (204, None, {})]},
            "Succeeded",
        ),
        ({"Location": "/1?s=a"}, {"/1": [moves("/1?s=b"), moves("/1?s=c"), (200, None, {})]}, "Succeeded"),
        ({"Azure-AsyncOperation": "/1", "Location": "/2"}, {"/1": [RUNNING, ends("Failed")]}, "Failed"),
    ],
)
async def test_azure_core_asks_the_same_urls_and_comes_to_the_same_end(
    started: dict[str, str], script: Script, end: str
) -> None:
    """The poller of Azure's SDK over the same server and the same answers."""
    theirs = await _polled_by_azure_core(started, script)
    async with _scripted(started, script) as (base, asked):
        headers = {name: value.format(base=base) for name, value in started.items()}
        adopt = {"url": f"{base}/start", "method": "POST", "status_code": 202, "headers": headers}
        poller = Poller(
            AzureOperationCheck.model_validate({"adopt": adopt}), Resources(TargetGuard(["127.0.0.1:*"]))
        )
        for _ in range(10):
            seen = await poller.check()
            assert seen.error is None
            if seen.status in {"Succeeded", "Failed", "Canceled"}:
                break
        await poller.driver.close()
        ours = [request.path_qs for request in asked]
    assert (ours, seen.status) == (theirs[0][1:], end)
    assert theirs[1].lower() == end.lower()


@asynccontextmanager
async def _scripted(started: dict[str, str], script: Script) -> AsyncIterator[tuple[str, list[web.Request]]]:
    left = {path: list(answers) for path, answers in script.items()}

    async def start(request: web.Request) -> web.StreamResponse:
        headers = {name: value.format(base=request.url.origin()) for name, value in started.items()}
        return web.Response(status=202, headers=headers)

    async def tell(request: web.Request) -> web.StreamResponse:
        code, body, headers = left[request.path].pop(0)
        named = {name.replace("-", "_"): value for name, value in headers.items()}
        return await always(code, body, **named)(request)

    async with serving({"/start": start, **dict.fromkeys(script, tell)}) as served:
        yield served


def _client(base: str) -> AsyncPipelineClient[Any, Any]:
    return AsyncPipelineClient(base, policies=[RequestIdPolicy()])


async def _polled_by_azure_core(started: dict[str, str], script: Script) -> tuple[list[str], str]:
    algorithms: list[Any] = [
        OperationResourcePolling("azure-asyncoperation"),
        OperationResourcePolling(),
        LocationPolling(),
    ]
    poller: Any = AsyncLROBasePolling(timeout=0, lro_algorithms=algorithms)
    async with _scripted(started, script) as (base, asked), _client(base) as client:
        begun = await client._pipeline.run(client.post(f"{base}/start"))
        poller.initialize(client, begun, lambda response: None)
        with suppress(HttpResponseError):  # of an operation that failed
            await poller.run()
        return [request.path_qs for request in asked], str(poller.status())
