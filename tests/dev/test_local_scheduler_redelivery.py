"""Work that comes back unfinished is handed out again; without the mend it is lost."""

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest
from durabletask.client import OrchestrationStatus

from dev.local_scheduler_rig import (
    PATIENCE,
    HandWorker,
    finish,
    instance_of,
    news,
    results,
    rig,
    schedule,
)
from local_scheduler import Mends

with_and_without = pytest.mark.parametrize("mended", [True, False])


def waiting(worker: HandWorker, mended: bool) -> pb.WorkItem | None:
    """The item that must be there with the mend and not without it."""
    if mended:
        return worker.take()
    assert worker.gets_nothing()
    return None


@with_and_without
def test_a_turn_is_not_lost_with_its_worker(mended: bool) -> None:
    with rig(Mends(redelivery=mended)) as it:
        first = it.worker()
        it.start("one")
        first.take()

        it.lose(first)
        it.client.raise_orchestration_event("one", "meanwhile")

        again = waiting(it.worker(), mended)
        assert again is None or news(again) == ["executionStarted", "eventRaised"]


@with_and_without
def test_an_activity_is_not_lost_with_its_worker(mended: bool) -> None:
    with rig(Mends(redelivery=mended)) as it:
        first = it.worker()
        it.start("one")
        first.answer(first.take(), schedule(1), schedule(2))
        lost = {first.take().completionToken, first.take().completionToken}

        it.lose(first)

        second = it.worker()
        found = {item.completionToken for item in (waiting(second, mended), waiting(second, mended)) if item}
        assert found == (lost if mended else set())


@with_and_without
def test_an_abandoned_activity_is_handed_out_again(mended: bool) -> None:
    with rig(Mends(redelivery=mended)) as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), schedule(1))
        activity = worker.take()

        request = pb.AbandonActivityTaskRequest(completionToken=activity.completionToken)
        worker.stub.AbandonTaskActivityWorkItem(request)

        assert waiting(worker, mended) == (activity if mended else None)


def test_an_abandoned_turn_is_handed_out_again() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        turn = worker.take()

        request = pb.AbandonOrchestrationTaskRequest(completionToken=turn.completionToken)
        worker.stub.AbandonTaskOrchestratorWorkItem(request)
        again = worker.take()
        worker.answer(again, finish())

        assert news(again) == ["executionStarted"]
        assert it.state("one").runtime_status is OrchestrationStatus.COMPLETED


@pytest.mark.parametrize("late", ["before", "after"])
def test_the_dead_workers_answer_is_ignored_once_its_turn_was_given_away(late: str) -> None:
    with rig() as it:
        first = it.worker()
        it.start("one")
        lost = first.take()
        it.lose(first)
        second = it.worker()
        turn = second.take()

        if late == "after":
            second.answer(turn, schedule(1, "right"))
        first.answer(lost, schedule(1, "wrong"))
        if late == "before":
            second.answer(turn, schedule(1, "right"))
        second.report(second.take(), "right")

        scheduled = [e.taskScheduled.name for e in second.take().orchestratorRequest.pastEvents]
        assert [name for name in scheduled if name] == ["right"]


@with_and_without
def test_a_stale_answer_does_not_let_a_second_turn_out_beside_the_first(mended: bool) -> None:
    with rig(Mends(redelivery=mended)) as it:
        worker = it.worker()
        it.start("one")
        turn = worker.take()
        stale = pb.WorkItem()
        stale.CopyFrom(turn)
        stale.completionToken = "stale"

        worker.answer(stale, finish())
        it.client.raise_orchestration_event("one", "meanwhile")
        it.start("two")

        assert instance_of(worker.take()) == ("two" if mended else "one")


def test_of_two_runs_of_an_activity_the_first_report_counts() -> None:
    with rig() as it:
        first = it.worker()
        it.start("one")
        first.answer(first.take(), schedule(1))
        lost = first.take()
        it.lose(first)
        second = it.worker()
        again = second.take()

        first.report(lost, "of the one taken for dead")
        turn = second.take()
        second.report(again, "of the other")
        second.answer(turn, finish())

        assert results(turn) == ["of the one taken for dead"]
        it.client.wait_for_orchestration_completion("one", timeout=PATIENCE)


def test_an_activity_that_reported_meanwhile_is_not_handed_out_again() -> None:
    with rig() as it:
        first = it.worker()
        it.start("one")
        first.answer(first.take(), schedule(1))
        activity = first.take()
        it.lose(first)

        first.report(activity, "late but well")

        assert results(it.worker().take()) == ["late but well"]


def test_what_was_out_when_the_scheduler_stopped_is_handed_out_when_it_is_back() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), schedule(1))
        activity = worker.take()

        it.scheduler.stop()
        assert it.scheduler.start() == it.scheduler.address

        assert it.worker().take().completionToken == activity.completionToken
