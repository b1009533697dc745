"""Results and timers reach only the execution that asked for them; without the mend each of these crosses."""

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest

from dev.local_scheduler_rig import (
    HandWorker,
    Rig,
    call,
    continue_as_new,
    finish,
    instance_of,
    news,
    results,
    rig,
    schedule,
    timer,
)
from local_scheduler import Mends

with_and_without = pytest.mark.parametrize("mended", [True, False])


def awaiting_activity(it: Rig, worker: HandWorker) -> pb.WorkItem:
    """An instance "one" that waits for its activity 1, which is out with the worker."""
    it.start("one")
    worker.answer(worker.take(), schedule(1))
    return worker.take()


@with_and_without
def test_a_late_result_does_not_cross_continue_as_new(mended: bool) -> None:
    with rig(Mends(generations=mended)) as it:
        worker = it.worker()
        old = awaiting_activity(it, worker)
        it.client.raise_orchestration_event("one", "next")
        worker.answer(worker.take(), continue_as_new())
        worker.answer(worker.take(), schedule(1))
        new = worker.take()

        worker.report(old, "old")
        worker.report(new, "new")

        assert results(worker.take())[0] == ("new" if mended else "old")


@with_and_without
def test_a_result_that_comes_while_continuing_as_new_is_not_carried_over(mended: bool) -> None:
    with rig(Mends(generations=mended)) as it:
        worker = it.worker()
        old = awaiting_activity(it, worker)
        it.client.raise_orchestration_event("one", "next")
        turn = worker.take()
        worker.report(old, "old")
        it.client.raise_orchestration_event("one", "control")

        worker.answer(turn, continue_as_new())

        carried = news(worker.take())
        assert carried == ["executionStarted", *([] if mended else ["taskCompleted"]), "eventRaised"]


@with_and_without
def test_a_timer_does_not_cross_continue_as_new(mended: bool) -> None:
    with rig(Mends(generations=mended)) as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), timer(1))
        it.client.raise_orchestration_event("one", "next")
        worker.answer(worker.take(), continue_as_new())
        worker.answer(worker.take())

        it.fire_timers()
        it.client.raise_orchestration_event("one", "after")

        assert news(worker.take())[0] == ("eventRaised" if mended else "timerFired")


@with_and_without
@pytest.mark.parametrize("how", ["replace", "purge", "restart"])
def test_a_late_result_does_not_reach_a_new_instance_of_the_same_id(mended: bool, how: str) -> None:
    with rig(Mends(generations=mended)) as it:
        worker = it.worker()
        old = awaiting_activity(it, worker)
        it.client.raise_orchestration_event("one", "end")
        worker.answer(worker.take(), finish())

        begin_anew(it, how)
        worker.answer(worker.take(), schedule(1))
        new = worker.take()
        worker.report(old, "old")
        worker.report(new, "new")

        assert results(worker.take())[0] == ("new" if mended else "old")


def begin_anew(it: Rig, how: str) -> None:
    if how == "restart":
        it.client.restart_orchestration("one")
        return
    if how == "purge":
        it.client.purge_orchestration("one")
    policy = pb.OrchestrationIdReusePolicy(replaceableStatus=[pb.ORCHESTRATION_STATUS_COMPLETED])
    it.start("one", reuse_id_policy=policy if how == "replace" else None)


@with_and_without
def test_a_result_counts_once(mended: bool) -> None:
    with rig(Mends(generations=mended)) as it:
        worker = it.worker()
        activity = awaiting_activity(it, worker)
        worker.report(activity, "first")
        turn = worker.take()
        worker.report(activity, "again")
        it.client.raise_orchestration_event("one", "after")

        worker.answer(turn)

        assert news(worker.take()) == ["eventRaised"] if mended else ["taskCompleted", "eventRaised"]


@with_and_without
def test_a_late_result_does_not_wake_a_finished_instance(mended: bool) -> None:
    with rig(Mends(generations=mended, dispatch=mended)) as it:
        worker = it.worker()
        activity = awaiting_activity(it, worker)
        it.client.raise_orchestration_event("one", "end")
        worker.answer(worker.take(), finish())

        worker.report(activity, "late")
        it.start("two")

        assert instance_of(worker.take()) == ("two" if mended else "one")


@with_and_without
def test_the_result_of_a_sub_orchestration_does_not_cross_continue_as_new(mended: bool) -> None:
    with rig(Mends(generations=mended)) as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), call(1, "old"))
        old = worker.take()
        it.client.raise_orchestration_event("one", "next")
        worker.answer(worker.take(), continue_as_new())
        worker.answer(worker.take(), call(1, "new"))
        new = worker.take()

        worker.answer(old, finish("old"))
        if not mended:  # a thread of the backend's brings it, at its own pace
            assert news(worker.take()) == ["subOrchestrationInstanceCompleted"]
            return
        worker.answer(new, finish("new"))

        told = worker.take().orchestratorRequest.newEvents[1].subOrchestrationInstanceCompleted
        assert told.result.value == "new"


def test_a_failed_sub_orchestration_tells_its_caller_why() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), call(1, "sub"))
        sub = worker.take()
        it.client.terminate_orchestration("sub")
        worker.answer(sub)
        terminated = pb.CompleteOrchestrationAction(orchestrationStatus=pb.ORCHESTRATION_STATUS_TERMINATED)
        worker.answer(worker.take(), pb.OrchestratorAction(completeOrchestration=terminated))

        told = worker.take().orchestratorRequest.newEvents[1].subOrchestrationInstanceFailed
        assert "'sub' was terminated" in told.failureDetails.errorMessage
