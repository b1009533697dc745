"""Lists, deletion and many starts: one call a page, and nothing lost where one of many fails."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
from durabletask.client import OrchestrationStatus as Runtime
from hypothesis import given
from hypothesis import strategies as st

from monitor_client.errors import Conflict, NotFound, SchedulerRefused, StillRunning
from monitor_client.identity import How, Started
from monitor_client.listing import Selection
from monitor_core.contract import instance_id, instance_prefix
from support.fake_scheduler import NOON, FakeScheduler, Instance, request, result, rpc_error, status
from support.strategies import examples


def hub(count: int = 7) -> FakeScheduler:
    """Monitors job-0 to job-6: every third has failed, and has the label team=red."""
    scheduler = FakeScheduler()
    for number in range(count):
        asked = request(f"job-{number}", labels={} if number % 3 else {"team": "red", "n": str(number)})
        failed = Instance(runtime=Runtime.COMPLETED, output=result(job_id=asked.job_id, final_status="Failed"))
        running = Instance(shown=status(job_id=asked.job_id))
        scheduler.put(asked, f"run-{number}", running if number % 3 else failed)
    return scheduler


async def jobs(scheduler: FakeScheduler, limit: int = 50, **selection: Any) -> list[str]:
    page = await scheduler.service().list(Selection.model_validate(selection), limit=limit)
    return [view.job_id for view in page.monitors]


async def test_a_page_costs_one_call_and_says_whether_another_follows() -> None:
    scheduler = hub()
    service = scheduler.service()
    first = await service.list(Selection(), limit=5)
    assert [view.job_id for view in first.monitors] == [f"job-{number}" for number in range(5)]
    second = await service.list(Selection(), limit=5, token=first.token)
    assert ([view.job_id for view in second.monitors], second.token) == (["job-5", "job-6"], None)
    assert scheduler.names() == ["query", "query"]


async def test_the_scheduler_selects_by_state_time_and_prefix() -> None:
    scheduler = hub()
    assert await jobs(scheduler, state="running") == ["job-1", "job-2", "job-4", "job-5"]
    assert await jobs(scheduler, state="ended") == ["job-0", "job-3", "job-6"]
    await jobs(scheduler, created_after=NOON, created_before=NOON + timedelta(hours=1), prefix="job-1")
    query = scheduler.given("query")[-1]["query"]
    assert (query.created_time_from, query.created_time_to) == (NOON, NOON + timedelta(hours=1))
    assert query.instance_id_prefix == "monitor-job-1"


async def test_verdict_and_labels_are_selected_within_a_page_which_may_be_short() -> None:
    scheduler = hub()
    assert await jobs(scheduler, verdict="Failed") == ["job-0", "job-3", "job-6"]
    assert await jobs(scheduler, verdict="Completed") == []
    assert await jobs(scheduler, labels={"team": "red"}, limit=4) == ["job-0", "job-3"]
    assert await jobs(scheduler, labels={"team": "red", "n": "6"}) == ["job-6"]
    assert (await scheduler.service().list(Selection(labels={"team": "blue"}), limit=4)).token is not None


async def test_what_is_no_monitor_is_left_out_and_what_cannot_be_read_is_counted() -> None:
    scheduler = hub(2)
    scheduler.instances["monitor-other"] = Instance(given={}, name="other")
    scheduler.instances["monitor-newer"] = Instance(given={"request": 1})
    page = await scheduler.service().list(Selection())
    assert ([view.job_id for view in page.monitors], page.unreadable) == (["job-0", "job-1"], 1)


@given(st.text(min_size=1, max_size=128), st.integers(0, 128))
@examples(200)
def test_a_prefix_of_a_job_id_selects_its_instance(job_id: str, length: int) -> None:
    try:
        job_id.encode()
    except UnicodeEncodeError:
        return
    assert instance_id(job_id).startswith(instance_prefix(job_id[:length]))


async def test_an_ended_monitor_is_deleted() -> None:
    scheduler = hub()
    await scheduler.service().purge("job-3")
    assert "monitor-job-3" not in scheduler.instances
    with pytest.raises(NotFound):
        await scheduler.service().purge("job-3")


async def test_a_running_one_is_not() -> None:
    scheduler = hub()
    with pytest.raises(StillRunning, match="the monitor of 'job-1' is running: cancel it first"):
        await scheduler.service().purge("job-1")
    assert "purge" not in scheduler.names()


async def test_many_starts_come_to_what_each_alone_would() -> None:
    scheduler = hub()
    asked = [request(f"new-{number}") for number in range(200)]
    asked += [request("job-1"), request("job-1", timeout_seconds=1), request("job-3")]
    outcomes = dict([one async for one in scheduler.service().start_many(asked, restart=True)])
    assert len(outcomes) == len(asked)
    started = [outcomes[position] for position in range(200)]
    assert all(isinstance(one, Started) and one.how is How.STARTED for one in started)
    assert isinstance(outcomes[200], Started)
    assert outcomes[200].how is How.ATTACHED
    assert isinstance(outcomes[201], Conflict)
    assert isinstance(outcomes[202], Started)
    assert outcomes[202].how is How.RESTARTED


async def test_one_that_fails_hinders_no_other() -> None:
    scheduler = FakeScheduler()
    broken = iter([rpc_error(grpc.StatusCode.INTERNAL, "no")])

    def fail(_: str) -> None:
        if error := next(broken, None):
            raise error

    scheduler.before = fail
    outcomes = dict([one async for one in scheduler.service().start_many([request("a"), request("b")])])
    assert isinstance(outcomes[0], SchedulerRefused)
    assert isinstance(outcomes[1], Started)


async def test_a_start_of_many_that_is_given_up_starts_no_more() -> None:
    scheduler = FakeScheduler(seconds=0.01)
    outcomes = scheduler.service().start_many([request(f"new-{number}") for number in range(500)])
    await anext(outcomes)
    await outcomes.aclose()  # type: ignore[attr-defined] # it is a generator
    assert len(scheduler.instances) < 500
