"""The look-out for monitors that were ended from outside: what it finds, what it costs, what it bears."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import grpc
import pytest
from durabletask.client import OrchestrationStatus as Runtime

from monitor_client.errors import SchedulerRefused, SchedulerUnreachable
from monitor_client.reconciler import PAGE, Reconciler, reconciling
from monitor_core.contract import NOTIFY, MonitorInput, instance_id
from support.fake_scheduler import LAST, FakeScheduler, Instance, failing, once, request, rpc_error

HOOK = {"kind": "webhook", "url": "https://hooks.example/a"}
PATIENCE = 30


def put(scheduler: FakeScheduler, job_id: str, at: datetime = LAST, **fields: Any) -> Instance:
    """A monitor that was terminated from outside at that time."""
    asked = request(job_id, on_verdict=[{"to": HOOK}])
    given = MonitorInput(request=asked, run="run-1").model_dump(mode="json")
    instance = Instance(**{"given": given, "runtime": Runtime.TERMINATED, "ended": at, **fields})
    scheduler.instances[instance_id(job_id)] = instance
    return instance


def told(scheduler: FakeScheduler) -> list[str]:
    """The jobs that were told of."""
    return sorted(
        str(one.given["notice"]["job_id"])
        for one in scheduler.instances.values()
        if one.name == NOTIFY and one.given
    )


def reads(scheduler: FakeScheduler) -> int:
    return scheduler.names().count("read")


async def until(holds: Callable[[], object]) -> None:
    for _ in range(PATIENCE * 100):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about in time")


async def test_the_first_look_goes_over_all_and_no_more_than_a_page_at_a_time() -> None:
    scheduler, count = FakeScheduler(), 5 * PAGE // 2
    for number in range(count):
        put(scheduler, f"job-{number:04}", LAST + timedelta(seconds=number))
    most = 0

    def watch(_: str) -> None:
        nonlocal most
        most = max(most, len(asyncio.all_tasks()))

    scheduler.before = watch
    assert await scheduler.service().reconciler().look() == count
    assert [given["token"] for given in scheduler.given("list")] == [None, str(PAGE), str(2 * PAGE)]
    assert (reads(scheduler), len(scheduler.given("schedule"))) == (count, count)
    assert most <= PAGE + 1, "a page in memory, never all"


async def test_later_looks_go_over_what_ended_since_the_look_before_the_last() -> None:
    scheduler = FakeScheduler()
    reconciler = scheduler.service().reconciler()
    for number in range(300):
        put(scheduler, f"early-{number}", LAST + timedelta(minutes=number))
    assert await reconciler.look() == 300
    scheduler.calls.clear()
    for number in range(10):
        put(scheduler, f"later-{number}", LAST + timedelta(minutes=300, seconds=number))
        assert await reconciler.look() == 1
    assert all(given["since"] is not None for given in scheduler.given("list"))
    assert reads(scheduler) <= 10 * 4, "of the three hundred none is looked at again but the last"


async def test_while_nothing_ends_a_look_is_two_calls() -> None:
    scheduler = FakeScheduler()
    reconciler = scheduler.service().reconciler()
    for number in range(50):
        put(scheduler, f"job-{number}", LAST + timedelta(seconds=number))
    await reconciler.look()
    await reconciler.look()
    scheduler.calls.clear()
    await reconciler.look()
    assert scheduler.names() == ["list", "read", "schedule"], "the newest is seen again, and found told"


async def test_what_the_scheduler_lists_late_is_not_missed() -> None:
    scheduler = FakeScheduler()
    reconciler = scheduler.service().reconciler()
    put(scheduler, "first", LAST)
    await reconciler.look()
    put(scheduler, "older", LAST - timedelta(seconds=19))
    assert await reconciler.look() == 1
    put(scheduler, "newer", LAST + timedelta(seconds=20))
    await reconciler.look()
    put(scheduler, "between", LAST + timedelta(seconds=19))
    assert await reconciler.look() == 1


async def test_a_job_that_is_ended_again_is_told_of_again() -> None:
    scheduler = FakeScheduler()
    reconciler = scheduler.service().reconciler()
    put(scheduler, "job-1", LAST)
    await reconciler.look()
    again = MonitorInput(request=request("job-1", on_verdict=[{"to": HOOK}]), run="run-2").model_dump(mode="json")
    put(scheduler, "job-1", LAST + timedelta(seconds=1), given=again)
    assert await reconciler.look() == 1
    assert told(scheduler) == ["job-1", "job-1"]


async def test_only_monitors_are_looked_at_and_of_those_only_the_ones_ended_from_outside() -> None:
    scheduler = FakeScheduler()
    put(scheduler, "told")
    put(scheduler, "runs", runtime=Runtime.RUNNING)
    scheduler.instances["explain-1"] = Instance(runtime=Runtime.TERMINATED, name="explain-1.0")
    scheduler.instances["monitor-like"] = Instance(runtime=Runtime.TERMINATED, name="another")
    await scheduler.service().reconciler().look()
    assert told(scheduler) == ["told"]
    assert reads(scheduler) == 2, "a name may be another's"


async def test_one_that_cannot_be_read_hinders_no_other_and_is_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scheduler = FakeScheduler()
    put(scheduler, "broken", given={"request": 1})
    put(scheduler, "whole")
    reconciler = scheduler.service().reconciler()
    with caplog.at_level(logging.DEBUG, "monitor_client"):
        for _ in range(4):
            await reconciler.look()
    assert told(scheduler) == ["whole"]
    named = [one for one in caplog.records if "monitor-broken" in one.message]
    assert [one.levelname for one in named] == ["DEBUG"]


async def test_several_side_by_side_tell_once() -> None:
    scheduler = FakeScheduler(seconds=0.001)
    for number in range(20):
        put(scheduler, f"job-{number}")
    replicas = [scheduler.service().reconciler() for _ in range(3)]
    counts = await asyncio.gather(*(one.look() for one in replicas))
    assert sum(counts) == 20 == len(told(scheduler))


async def test_a_look_that_fails_in_its_midst_is_made_again() -> None:
    scheduler = FakeScheduler()
    put(scheduler, "job-1")
    reconciler = scheduler.service().reconciler()
    for calls in (0, 1, 2):
        scheduler.before = once(*[None] * calls, failing(rpc_error(grpc.StatusCode.UNAVAILABLE)))
        with pytest.raises(SchedulerUnreachable):
            await reconciler.look()
    assert await reconciler.look() == 1


async def test_a_delivery_that_is_refused_keeps_no_other_and_is_tried_again() -> None:
    scheduler = FakeScheduler()
    put(scheduler, "a")
    put(scheduler, "b")
    reconciler, refused = scheduler.service().reconciler(), [rpc_error(grpc.StatusCode.INVALID_ARGUMENT)]

    def refuse(call: str) -> None:
        if call == "schedule" and refused:
            raise refused.pop()

    scheduler.before = refuse
    with pytest.raises(SchedulerRefused):
        await reconciler.look()
    assert len(told(scheduler)) == 1
    assert await reconciler.look() == 1
    assert told(scheduler) == ["a", "b"]


async def test_a_scheduler_that_is_gone_is_said_once_until_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = FakeScheduler()
    put(scheduler, "job-1")
    scheduler.before = failing_always = lambda _: failing(rpc_error(grpc.StatusCode.UNAVAILABLE))()
    async with reconciling(scheduler.service().reconciler(), 0.01):
        await until(lambda: len(scheduler.calls) > 3)
        scheduler.before = lambda _: None
        await until(lambda: told(scheduler))
        scheduler.before, calls = failing_always, len(scheduler.calls)
        await until(lambda: len(scheduler.calls) > calls + 3)
    warnings = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert len(warnings) == 2
    assert all("every 0.01 s: cannot reach the scheduler" in one for one in warnings)


async def test_a_defect_does_not_end_the_look_out(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = FakeScheduler()
    put(scheduler, "job-1")
    scheduler.before = once(failing(ZeroDivisionError("odd")))
    async with reconciling(scheduler.service().reconciler(), 0.01):
        await until(lambda: told(scheduler))
    (record,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert record.exc_info is not None


async def test_it_looks_at_once_and_stops_with_the_service() -> None:
    scheduler = FakeScheduler()
    put(scheduler, "job-1")
    async with reconciling(scheduler.service().reconciler(), 3600):
        await until(lambda: told(scheduler))
    assert len(asyncio.all_tasks()) == 1


async def test_switched_off_it_never_looks() -> None:
    class Never(Reconciler):
        async def run(self, every_seconds: float) -> None:
            raise AssertionError(every_seconds)

    async with reconciling(Never.__new__(Never), 0):
        await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1
