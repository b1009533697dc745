"""Commands: sent once to a running monitor, and what became of them."""

from typing import Any

import grpc
import pytest
from durabletask.client import OrchestrationStatus as Runtime

from monitor_client.errors import AlreadyEnded, NotFound, SchedulerRefused
from monitor_core.contract import CONTROL_EVENT, Cancel, CheckNow, parse_command
from support.fake_scheduler import FakeScheduler, Instance, failing, once, request, result, rpc_error, status

CANCEL = Cancel(id="c-1", reason="enough")


def outcome(command: str, accepted: bool = True) -> dict[str, Any]:
    return {"id": command, "name": "cancel", "at": "2026-01-01T12:00:03Z", "accepted": accepted, "message": "m"}


def running() -> tuple[FakeScheduler, Instance]:
    scheduler = FakeScheduler()
    return scheduler, scheduler.put(request(), "run-1", Instance(shown=status(commands=[outcome("earlier")])))


async def test_a_command_is_one_event_that_the_monitor_can_read() -> None:
    scheduler, instance = running()

    def hears(name: str) -> None:
        if name == "event":
            instance.shown = status(commands=[outcome("c-1"), outcome("later")])

    scheduler.before = hears
    answered = await scheduler.service().send("job-1", CANCEL)
    assert answered is not None
    assert (answered.id, answered.accepted) == ("c-1", True)
    (event,) = scheduler.given("event")
    assert (event["instance"], event["name"]) == ("monitor-job-1", CONTROL_EVENT)
    assert parse_command(event["data"]) == CANCEL


async def test_a_command_without_an_answer_in_time_has_no_outcome_yet() -> None:
    scheduler, _ = running()
    assert await scheduler.service().send("job-1", CheckNow(id="c-2"), wait_seconds=0.05) is None
    assert len(scheduler.given("event")) == 1


async def test_the_answer_counts_where_the_command_has_ended_the_monitor() -> None:
    scheduler, instance = running()

    def ends(name: str) -> None:
        if name == "event":
            instance.runtime = Runtime.COMPLETED
            instance.shown = status(status="Cancelled", commands=[outcome("c-1")])
            instance.output = result(final_status="Cancelled")

    scheduler.before = ends
    answered = await scheduler.service().send("job-1", CANCEL)
    assert answered is not None
    assert answered.id == "c-1"


async def test_a_monitor_that_ends_before_it_hears_has_ended() -> None:
    scheduler, instance = running()

    def ends(name: str) -> None:
        if name == "event":
            instance.runtime = Runtime.COMPLETED
            instance.output = result()

    scheduler.before = ends
    with pytest.raises(AlreadyEnded, match="ended as Completed"):
        await scheduler.service().send("job-1", CANCEL)


async def test_an_ended_monitor_is_told_nothing() -> None:
    scheduler, instance = running()
    instance.runtime = Runtime.TERMINATED
    with pytest.raises(AlreadyEnded, match="ended as Cancelled: it takes no command"):
        await scheduler.service().send("job-1", CANCEL)
    assert scheduler.given("event") == []


async def test_a_monitor_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        await FakeScheduler().service().send("job-1", CANCEL)


@pytest.mark.parametrize(
    ("code", "raised"), [(grpc.StatusCode.NOT_FOUND, NotFound), (grpc.StatusCode.INTERNAL, SchedulerRefused)]
)
async def test_one_that_is_purged_meanwhile_is_not_found_either(
    code: grpc.StatusCode, raised: type[Exception]
) -> None:
    scheduler, _ = running()
    scheduler.before = once(None, failing(rpc_error(code, "no such instance")))
    with pytest.raises(raised):
        await scheduler.service().send("job-1", CANCEL)
