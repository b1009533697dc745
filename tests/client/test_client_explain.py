"""Explain as the client sees it: one orchestration of its own, waited for, read and removed."""

import asyncio
from typing import Any

import grpc
import pytest
from durabletask.client import OrchestrationStatus as Runtime
from durabletask.task import FailureDetails

from monitor_client.errors import NotExplained, SchedulerUnreachable, ServiceError, Unreadable
from monitor_client.explanation_rows import explanation_rows
from monitor_client.rows import plain
from monitor_core.contract import EXPLAIN, EXPLAIN_PREFIX, Explanation, RequestError
from support.fake_scheduler import NOON, FakeScheduler, failing, once, request, rpc_error

SAID: dict[str, Any] = {
    "job_id": "job-1",
    "kind": "http",
    "at": NOON.isoformat(),
    "observation": {
        "at": NOON.isoformat(),
        "status": "Running",
        "summary": "200 OK\x1b[2J",
        "latency_seconds": 0.1,
        "success": False,
        "failure": None,
    },
    "error": None,
    "variables": {"code": 200, "headers": {"content-type": "a\nb"}, "body": {"items": [{"n": None}], "none": []}},
    "shortened": False,
    "conditions": [
        {"field": "success_when", "condition": "code == 201", "natural": False, "holds": False, "problem": None},
        {"field": "failure_when", "condition": "body.x", "natural": True, "holds": None, "problem": "no such key"},
    ],
    "verdict": None,
    "reason": "the wait would go on: no condition holds: observed Running",
    "next_check_at": "2026-01-01T12:00:06Z",
    "retry_after_seconds": 3.0,
}


def answering(scheduler: FakeScheduler, runtime: Runtime = Runtime.COMPLETED, **fields: Any) -> FakeScheduler:
    """Let the instance that is started have ended when it is read."""

    def before(name: str) -> None:
        if name == "read":
            for instance in scheduler.instances.values():
                instance.runtime = runtime
                instance.output = {**SAID, **fields} if runtime is Runtime.COMPLETED else None

    scheduler.before = before
    return scheduler


async def test_an_explanation_is_asked_for_read_and_removed() -> None:
    scheduler = answering(FakeScheduler(), newer_field="ignored")
    said = await scheduler.service().explain(request(timeout_seconds=60))
    assert said == Explanation.model_validate(SAID)
    assert scheduler.names() == ["schedule", "read", "purge"]
    assert scheduler.given("schedule")[0]["name"] == EXPLAIN
    assert scheduler.instances == {}, "nothing stays"


async def test_each_has_an_instance_of_its_own_that_is_no_monitor_s() -> None:
    scheduler = answering(FakeScheduler())
    for _ in range(2):
        await scheduler.service().explain(request())
    ids = {given["instance"] for given in scheduler.given("purge")}
    assert len(ids) == 2
    assert all(one.startswith(EXPLAIN_PREFIX) for one in ids)


async def test_a_condition_that_does_not_compile_asks_nobody() -> None:
    scheduler = FakeScheduler()
    with pytest.raises(RequestError, match="success_when: column 1"):
        await scheduler.service().explain(request(success_when="statu == 'x'"))
    assert scheduler.calls == []


@pytest.mark.parametrize(
    ("runtime", "why"),
    [
        (Runtime.PENDING, r"no worker has taken it within 0\.2 s \(does one that knows version 1\.0 run"),
        (Runtime.RUNNING, r"a worker has taken it, but has not answered within 0\.2 s"),
    ],
)
async def test_without_an_answer_in_time_it_says_whether_a_worker_is_there(runtime: Runtime, why: str) -> None:
    scheduler = FakeScheduler()

    def before(name: str) -> None:
        for instance in scheduler.instances.values():
            if instance.runtime is Runtime.PENDING and name == "read":
                instance.runtime = runtime

    scheduler.before = before
    with pytest.raises(NotExplained, match=why):
        await scheduler.service().explain(request(), wait_seconds=0.2)
    assert "terminate" in scheduler.names()
    assert scheduler.instances == {}, "it is given up for good"


@pytest.mark.parametrize("runtime", [Runtime.FAILED, Runtime.TERMINATED])
async def test_one_that_ended_otherwise_says_so(runtime: Runtime) -> None:
    scheduler = answering(FakeScheduler(), runtime)
    before = scheduler.before

    def fail(name: str) -> None:
        before(name)
        for instance in scheduler.instances.values():
            instance.failure = FailureDetails("oops", "RequestError", None)

    scheduler.before = fail
    says = "which is a defect: oops" if runtime is Runtime.FAILED else "terminated from outside"
    with pytest.raises(NotExplained, match=says):
        await scheduler.service().explain(request())
    assert scheduler.instances == {}


async def test_what_no_version_of_ours_says_is_not_understood_and_removed() -> None:
    scheduler = answering(FakeScheduler(), verdict="Perhaps")
    with pytest.raises(Unreadable, match="not a Explanation"):
        await scheduler.service().explain(request())
    assert scheduler.instances == {}


async def test_who_loses_patience_leaves_nothing_behind() -> None:
    is_read = asyncio.Event()
    scheduler = FakeScheduler(before=lambda name: is_read.set() if name == "read" else None)
    asked = asyncio.create_task(scheduler.service().explain(request()))
    await is_read.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert scheduler.names()[-1] == "purge"
    assert scheduler.instances == {}


async def test_a_scheduler_that_is_gone_is_not_asked_to_remove_anything() -> None:
    scheduler = FakeScheduler(before=once(failing(rpc_error(grpc.StatusCode.UNAVAILABLE))))
    with pytest.raises(SchedulerUnreachable):
        await scheduler.service().explain(request())
    assert scheduler.names() == ["schedule"]


async def test_an_instance_that_cannot_be_removed_is_no_failure_of_the_explanation() -> None:
    scheduler = answering(FakeScheduler())
    before = scheduler.before

    def refuse(name: str) -> None:
        before(name)
        if name == "purge":
            raise rpc_error(grpc.StatusCode.PERMISSION_DENIED)

    scheduler.before = refuse
    assert (await scheduler.service().explain(request())).kind == "http"


async def test_an_error_of_the_scheduler_is_told_as_everywhere() -> None:
    scheduler = FakeScheduler(before=once(None, failing(rpc_error(grpc.StatusCode.INTERNAL, "oops"))))
    with pytest.raises(ServiceError, match="answers INTERNAL: oops"):
        await scheduler.service().explain(request())
    assert scheduler.instances == {}


def lines(**fields: Any) -> list[str]:
    return plain(explanation_rows(Explanation.model_validate({**SAID, **fields}), NOON))


def test_the_rows_name_variables_as_conditions_do() -> None:
    assert lines() == [
        "job_id        job-1",
        "check         http",
        "observed      Running (200 OK [2J)",
        "variables     code = 200",
        '              headers["content-type"] = "a\\nb"',
        "              body.items[0].n = null",
        "              body.none = []",
        "success_when  false: code == 201",
        "failure_when  cannot be judged: body.x (the kind's own)",
        "              no such key",
        "verdict       none yet",
        "reason        the wait would go on: no condition holds: observed Running",
        "retry after   3 s, the target asks",
        "next check    12:00:06Z (in 5 s)",
    ]


def test_the_rows_of_a_check_that_saw_nothing() -> None:
    error = {"error_class": "misconfigured", "message": "not allowed", "at": NOON.isoformat()}
    shown = lines(
        observation=None,
        variables=None,
        error=error,
        verdict="Error",
        next_check_at=None,
        retry_after_seconds=None,
    )
    assert shown[2:] == [
        "observed      nothing",
        "success_when  false: code == 201",
        "failure_when  cannot be judged: body.x (the kind's own)",
        "error         misconfigured: not allowed",
        "verdict       Error",
        "reason        the wait would go on: no condition holds: observed Running",
    ]


def test_shortened_variables_say_so() -> None:
    says = "              (shortened here, less so in JSON; the conditions saw all of it)"
    assert says not in lines()
    assert says in lines(shortened=True)
    long = lines(variables={"text": "x" * 2000})
    assert says in long
    assert 'variables     text = "xxx' in long[3]
    assert len(long[3]) < 230
    assert long[3].endswith("x...")
