"""Who is handed what, and when."""

import time
from datetime import UTC, datetime

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest

from dev.local_scheduler_rig import PATIENCE, HandWorker, Rig, finish, instance_of, rig, schedule
from local_scheduler import Limits, Mends
from local_scheduler.lanes import Lanes

UNFINISHED = pb.OrchestrationIdReusePolicy(
    replaceableStatus=[pb.ORCHESTRATION_STATUS_PENDING, pb.ORCHESTRATION_STATUS_RUNNING]
)
with_and_without = pytest.mark.parametrize("mended", [True, False])


def only(name: str, *versions: str) -> pb.WorkItemFilters:
    """A filter for one orchestration and no activity."""
    return pb.WorkItemFilters(orchestrations=[pb.OrchestrationFilter(name=name, versions=versions)])


def kind(item: pb.WorkItem) -> str:
    return item.WhichOneof("request") or ""


def with_activities_ready(it: Rig, count: int) -> None:
    """An instance "busy" whose activities wait for somebody who takes them."""
    it.start("busy", name="busy")
    worker = it.worker(workItemFilters=only("busy"))
    worker.answer(worker.take(), *(schedule(number) for number in range(1, count + 1)))
    it.lose(worker)


@with_and_without
def test_orchestrations_and_activities_take_turns(mended: bool) -> None:
    with rig(Mends(dispatch=mended)) as it:
        with_activities_ready(it, 3)
        for number in range(3):
            it.start(f"waiting-{number}")

        worker = it.worker()

        kinds = [kind(worker.take()) for _ in range(6)]
        alternating = ["orchestratorRequest", "activityRequest"] * 3
        assert kinds == (alternating if mended else sorted(alternating, reverse=True))


@with_and_without
def test_a_worker_is_handed_no_more_activities_than_it_asked_for(mended: bool) -> None:
    with rig(Mends(dispatch=mended)) as it:
        with_activities_ready(it, 4)
        worker = it.worker(maxConcurrentActivityWorkItems=2)
        held = [worker.take(), worker.take()]

        it.start("sentinel")

        assert kind(worker.take()) == ("orchestratorRequest" if mended else "activityRequest")
        if mended:
            worker.report(held[0], "1")
            assert {kind(worker.take()), kind(worker.take())} == {"activityRequest", "orchestratorRequest"}


@with_and_without
def test_a_worker_is_handed_no_more_turns_than_it_asked_for(mended: bool) -> None:
    with rig(Mends(dispatch=mended)) as it:
        worker = it.worker(maxConcurrentOrchestrationWorkItems=1)
        it.start("one")
        it.start("two")
        first = worker.take()

        if mended:
            assert worker.gets_nothing()
            worker.answer(first, finish())

        assert {instance_of(first), instance_of(worker.take())} == {"one", "two"}


def test_a_limit_counts_for_each_stream_alone() -> None:
    with rig() as it:
        workers = [it.worker(maxConcurrentOrchestrationWorkItems=1) for _ in range(2)]
        it.start("one")
        it.start("two")

        assert {instance_of(worker.take()) for worker in workers} == {"one", "two"}


def test_what_nobody_takes_waits_for_one_who_does() -> None:
    with rig() as it:
        wrong = it.worker(workItemFilters=only("other"))
        it.start("one")
        it.start("two", name="other")

        assert instance_of(wrong.take()) == "two"
        assert instance_of(it.worker(workItemFilters=only("monitor")).take()) == "one"


def test_versions_are_told_apart() -> None:
    with rig() as it:
        newest = it.worker(workItemFilters=only("monitor", "2"))
        it.start("none")
        it.start("old", version="1")
        it.start("new", version="2")

        assert instance_of(newest.take()) == "new"
        assert instance_of(it.worker(workItemFilters=only("monitor", "1")).take()) == "old"
        assert instance_of(it.worker(workItemFilters=only("monitor")).take()) == "none"


def test_activities_are_filtered_by_name() -> None:
    with rig() as it:
        it.start("one")
        first = it.worker(workItemFilters=only("monitor"))
        first.answer(first.take(), schedule(1, "left"), schedule(2, "right"))
        takes_right = pb.WorkItemFilters(activities=[pb.ActivityFilter(name="right")])

        assert it.worker(workItemFilters=takes_right).take().activityRequest.name == "right"
        assert it.worker().take().activityRequest.name == "left"


def test_each_item_goes_to_exactly_one_stream() -> None:
    with rig() as it:
        workers = [it.worker(maxConcurrentOrchestrationWorkItems=20) for _ in range(3)]
        started = [it.start(f"one-of-{number}") for number in range(60)]

        taken = [instance_of(worker.take()) for worker in workers for _ in range(20)]

        assert sorted(taken) == sorted(started)


@with_and_without
def test_an_idle_stream_is_pinged(mended: bool) -> None:
    with rig(Mends(dispatch=mended), Limits(ping_seconds=0.05)) as it:
        worker = it.worker()

        assert kind(worker.take()) == "healthPing" if mended else worker.gets_nothing()


def test_a_stream_is_pinged_even_while_there_is_work_for_others() -> None:
    with rig(limits=Limits(ping_seconds=0.2)) as it:
        bystander = it.worker(workItemFilters=only("other"))
        busy = it.worker()

        assert kind(pinged_beside(it, bystander, busy)) == "healthPing"


def pinged_beside(it: Rig, bystander: HandWorker, busy: HandWorker) -> pb.WorkItem:
    """Have work done, which wakes every stream far more often than a ping is due, until a ping has come."""
    until = time.monotonic() + PATIENCE
    number = 0
    while time.monotonic() < until and bystander._items.empty():
        it.start(f"one-of-{number}")
        busy.take()
        number += 1
    return bystander.take()


@with_and_without
def test_a_turns_clock_is_the_time_at_which_it_is_handed_out(mended: bool) -> None:
    with rig(Mends(dispatch=mended)) as it:
        it.start("one")
        later = datetime.now(UTC)

        turn = it.worker().take()

        clock = turn.orchestratorRequest.newEvents[0].timestamp.ToDatetime(tzinfo=UTC)
        assert (clock >= later) is mended


def test_an_instance_that_was_replaced_while_it_was_queued_is_handed_out_once() -> None:
    with rig() as it:
        it.start("one", input="old")
        it.start("one", input="new", reuse_id_policy=UNFINISHED)
        it.start("two")
        worker = it.worker()

        turn = worker.take()

        assert turn.orchestratorRequest.newEvents[1].executionStarted.input.value == '"new"'
        assert instance_of(worker.take()) == "two"


def test_an_instance_that_was_replaced_while_its_turn_was_out_starts_at_once() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one", input="old")
        old = worker.take()

        it.start("one", input="new", reuse_id_policy=UNFINISHED)
        new = worker.take()
        worker.answer(old, finish('"old"'))
        worker.answer(new, finish('"new"'))

        assert it.state("one").serialized_output == '"new"'


def test_lanes_give_the_oldest_that_is_accepted() -> None:
    lanes: Lanes[int] = Lanes()
    for number, lane in enumerate([("a", None), ("b", "1"), ("a", None), ("b", "2")]):
        lanes.put(lane, number)

    assert lanes.take(lambda name, version: name == "b" and version == "2") == 3
    assert [lanes.take(lambda *_: True) for _ in range(4)] == [0, 1, 2, None]
