"""What a client sees of an instance: its waits, its status, its suspension, its start."""

from datetime import UTC, datetime, timedelta

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
import pytest
from durabletask.client import OrchestrationStatus

from dev.local_scheduler_rig import (
    PATIENCE,
    SOME_HOUR,
    HandWorker,
    Rig,
    continue_as_new,
    finish,
    instance_of,
    news,
    rig,
    schedule,
)
from local_scheduler import Limits, Mends

with_and_without = pytest.mark.parametrize("mended", [True, False])


# waits


@with_and_without
def test_a_wait_may_go_without_a_deadline(mended: bool) -> None:
    with rig(Mends(waits=mended)) as it:
        worker = it.worker()
        it.start("one")
        turn = worker.take()
        wait = worker.stub.WaitForInstanceCompletion.future(pb.GetInstanceRequest(instanceId="one"))
        if not mended:
            assert isinstance(wait.exception(timeout=PATIENCE), grpc.RpcError)
            return

        assert worker.gets_nothing()
        worker.answer(turn, finish())

        status = wait.result(timeout=PATIENCE).orchestrationState.orchestrationStatus
        assert status == pb.ORCHESTRATION_STATUS_COMPLETED


@with_and_without
def test_a_wait_ends_when_its_client_goes_away(mended: bool) -> None:
    with rig(Mends(waits=mended, pool=False)) as it:
        stub = it.worker().stub
        never = pb.GetInstanceRequest(instanceId="never")
        waits = [stub.WaitForInstanceStart.future(never, timeout=PATIENCE) for _ in range(9)]
        it.until(lambda: len(it.backend._state_waiters.get("never", [])) == 9)

        for wait in waits:
            wait.cancel()

        if mended:
            stub.GetInstance(never, timeout=PATIENCE)
            it.until(lambda: it.backend._state_waiters == {})
        else:
            with pytest.raises(grpc.RpcError, match="DEADLINE_EXCEEDED"):
                stub.GetInstance(never, timeout=0.5)


def test_a_wait_ends_with_its_deadline() -> None:
    with rig() as it:
        it.start("one")

        with pytest.raises(TimeoutError):
            it.client.wait_for_orchestration_completion("one", timeout=0.1)


def test_a_wait_for_what_is_so_already_ends_at_once() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), finish())

        for wait in (it.client.wait_for_orchestration_start, it.client.wait_for_orchestration_completion):
            state = wait("one", timeout=PATIENCE)
            assert state is not None
            assert state.runtime_status is OrchestrationStatus.COMPLETED


# history


@with_and_without
def test_a_long_history_does_not_leave_an_instance_stuck(mended: bool) -> None:
    with rig(Mends(history=mended), Limits(unmended_history_events=10)) as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take())

        for number in range(5):
            it.client.raise_orchestration_event("one", f"event-{number}")
            turn = worker.take()
            if not mended and number == 2:
                with pytest.raises(grpc.RpcError, match="maximum history size"):
                    worker.answer(turn)
                return
            worker.answer(turn)

        assert it.state("one").runtime_status is OrchestrationStatus.RUNNING


# start_at


@with_and_without
def test_a_start_in_the_future_is_waited_for(mended: bool) -> None:
    with rig(Mends(start_at=mended)) as it:
        worker = it.worker()
        it.start("later", start_at=datetime.now(UTC) + SOME_HOUR)
        it.client.raise_orchestration_event("later", "early")
        it.start("now")

        if mended:
            assert instance_of(worker.take()) == "now"
            it.fire_timers()

        turn = worker.take()
        assert instance_of(turn) == "later"
        assert news(turn)[0] == "executionStarted"


def test_a_start_time_comes_by_itself() -> None:
    with rig() as it:
        worker = it.worker()
        start_at = datetime.now(UTC) + timedelta(seconds=0.2)
        it.start("soon", start_at=start_at)

        turn = worker.take()

        assert turn.orchestratorRequest.newEvents[0].timestamp.ToDatetime(tzinfo=UTC) >= start_at


def test_a_start_in_the_past_is_a_start_now() -> None:
    with rig() as it:
        it.start("one", start_at=datetime.now(UTC) - SOME_HOUR)

        assert instance_of(it.worker().take()) == "one"


def test_an_instance_can_be_terminated_before_its_start() -> None:
    with rig() as it:
        it.start("later", start_at=datetime.now(UTC) + SOME_HOUR)
        it.client.terminate_orchestration("later")

        assert news(it.worker().take()) == ["executionStarted", "executionTerminated"]


# status


@with_and_without
def test_a_custom_status_lasts_until_it_is_set_again(mended: bool) -> None:
    with rig(Mends(status=mended)) as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), status='"waiting"')
        it.client.raise_orchestration_event("one", "next")
        worker.answer(worker.take())

        assert it.state("one").serialized_custom_status == ('"waiting"' if mended else None)


def test_a_custom_status_ends_with_its_execution() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), continue_as_new(), status='"waiting"')
        turn = worker.take()
        assert it.state("one").serialized_custom_status == '"waiting"'

        worker.answer(turn)

        assert it.state("one").serialized_custom_status is None


@with_and_without
def test_an_instance_that_continues_as_new_is_running_all_the_time(mended: bool) -> None:
    with rig(Mends(status=mended)) as it:
        worker = it.worker()
        it.start("one")
        assert it.state("one").runtime_status is OrchestrationStatus.PENDING

        worker.answer(worker.take(), continue_as_new())

        expected = OrchestrationStatus.RUNNING if mended else OrchestrationStatus.PENDING
        assert it.state("one").runtime_status is expected
        if mended:
            it.client.wait_for_orchestration_start("one", timeout=PATIENCE)


# suspension


def suspended(it: Rig, worker: HandWorker) -> pb.WorkItem:
    """An instance "one" that was suspended while its activity was out."""
    it.start("one")
    worker.answer(worker.take(), schedule(1))
    activity = worker.take()
    it.client.suspend_orchestration("one")
    worker.answer(worker.take())
    assert it.state("one").runtime_status is OrchestrationStatus.SUSPENDED
    return activity


@with_and_without
def test_a_suspended_instance_gets_what_arrived_when_it_is_resumed(mended: bool) -> None:
    with rig(Mends(suspension=mended)) as it:
        worker = it.worker()
        activity = suspended(it, worker)
        it.client.raise_orchestration_event("one", "first")
        worker.report(activity, "second")
        it.start("two")

        first = worker.take()
        assert instance_of(first) == ("two" if mended else "one")
        if mended:
            it.client.resume_orchestration("one")
            assert news(worker.take()) == ["eventRaised", "taskCompleted", "executionResumed"]


def test_a_resume_that_comes_while_the_suspension_is_out_is_not_lost() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take())
        it.client.suspend_orchestration("one")
        turn = worker.take()
        it.client.resume_orchestration("one")

        worker.answer(turn)

        assert news(worker.take()) == ["executionResumed"]


def test_a_suspended_instance_can_be_terminated() -> None:
    with rig() as it:
        worker = it.worker()
        suspended(it, worker)

        it.client.terminate_orchestration("one")

        assert news(worker.take()) == ["executionTerminated"]


# failures


@with_and_without
def test_a_failure_without_a_message_is_a_failure(mended: bool) -> None:
    with rig(Mends(failures=mended)) as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), schedule(1))
        activity = worker.take()

        worker.stub.CompleteActivityTask(
            pb.ActivityResponse(
                instanceId="one",
                taskId=1,
                completionToken=activity.completionToken,
                failureDetails=pb.TaskFailureDetails(errorType="builtins.TimeoutError"),
            )
        )

        assert news(worker.take()) == ["taskFailed" if mended else "taskCompleted"]


# pages


@with_and_without
@pytest.mark.parametrize("token", ["garbled", "-1", "1.5", "²"])
def test_a_token_of_no_page_is_refused(mended: bool, token: str) -> None:
    with rig(Mends(pages=mended)) as it:
        worker = it.worker()
        for name in ("one", "two"):
            it.start(name)

        def page(token: str = "") -> list[str]:
            query = pb.InstanceQuery(maxInstanceCount=1)
            if token:
                query.continuationToken.value = token
            return [
                found.instanceId
                for found in worker.stub.QueryInstances(pb.QueryInstancesRequest(query=query)).orchestrationState
            ]

        assert page() == ["one"]
        assert page("1") == ["two"]
        if not mended:
            assert page(token) in (["one"], ["two"], [])
            return

        with pytest.raises(grpc.RpcError) as refused:
            page(token)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
