"""The SDK's own clients and workers, as the product uses them, against the local scheduler."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from durabletask.azuremanaged.client import DurableTaskSchedulerClient
from durabletask.azuremanaged.worker import DurableTaskSchedulerWorker
from durabletask.client import OrchestrationStatus
from durabletask.entities import EntityContext, EntityInstanceId
from durabletask.task import ActivityContext, OrchestrationContext, Task, when_any

from dev.local_scheduler_rig import PATIENCE, Rig, rig, schedule
from local_scheduler import Mends

Turns = Generator[Task[Any], Any, Any]


def add_one(_: ActivityContext, number: int) -> int:
    return number + 1


def fail(_: ActivityContext, __: None) -> None:
    raise TimeoutError


def counter(context: EntityContext, amount: int) -> int:
    total = int(context.get_state(int, 0)) + amount
    context.set_state(total)
    return total


def chain(context: OrchestrationContext, steps: int) -> Turns:
    number = 0
    for _ in range(steps):
        number = yield context.call_activity(add_one, input=number)
    return number


def everything(context: OrchestrationContext, rounds: int) -> Turns:
    """Use each thing once, continue as new, and wait for an event at the end."""
    context.set_custom_status(f"{rounds} to go")
    yield context.create_timer(timedelta(milliseconds=10))
    number = yield context.call_sub_orchestrator(chain, input=rounds + 1)
    total = yield context.call_entity(EntityInstanceId("counter", "all"), "add", number)
    if rounds:
        context.continue_as_new(rounds - 1, save_events=True)
        return None
    event = context.wait_for_external_event("go")
    winner = yield when_any([event, context.create_timer(timedelta(hours=1))])
    return [total, winner is event, event.get_result()]


def failing(context: OrchestrationContext, _: None) -> Turns:
    yield context.call_activity(fail)


@contextmanager
def sdk_worker(it: Rig) -> Iterator[None]:
    with DurableTaskSchedulerWorker(
        host_address=it.scheduler.address, taskhub="default", token_credential=None, secure_channel=False
    ) as worker:
        for orchestrator in (everything, chain, failing):
            worker.add_orchestrator(orchestrator)
        for activity in (add_one, fail):
            worker.add_activity(activity)
        worker.add_entity(counter)
        worker.use_work_item_filters()
        worker.start()  # type: ignore[no-untyped-call]  # the SDK leaves it unannotated
        yield


def test_all_that_an_orchestration_can_do_works() -> None:
    with rig() as it, sdk_worker(it):
        client = DurableTaskSchedulerClient(
            host_address=it.scheduler.address, taskhub="default", token_credential=None, secure_channel=False
        )
        client.schedule_new_orchestration(everything, input=2, instance_id="one")
        client.raise_orchestration_event("one", "go", data="now")
        client.schedule_new_orchestration(failing, instance_id="bad")

        done = client.wait_for_orchestration_completion("one", timeout=PATIENCE)
        failed = client.wait_for_orchestration_completion("bad", timeout=PATIENCE)
        client.close()

    assert done is not None
    assert done.runtime_status is OrchestrationStatus.COMPLETED
    assert done.serialized_output == '[6, true, "now"]'  # 3 + 2 + 1
    assert done.serialized_custom_status == '"0 to go"'
    assert failed is not None
    assert failed.runtime_status is OrchestrationStatus.FAILED


def test_a_worker_takes_over_from_a_dead_one() -> None:
    with rig() as it:
        dead = it.worker()
        it.start("one", name="chain", input=3)
        dead.answer(dead.take(), schedule(1, "add_one", "0"))
        dead.take()
        it.lose(dead)

        with sdk_worker(it):
            state = it.client.wait_for_orchestration_completion("one", timeout=PATIENCE)

    assert state is not None
    assert state.serialized_output == "3"


def suspended_in_the_turn_in_which_it_schedules(it: Rig) -> None:
    """Its first result and its suspension reach the SDK's worker in one turn."""
    hand = it.worker()
    it.start("one", name="chain", input=3)
    hand.answer(hand.take(), schedule(1, "add_one", "0"))
    activity = hand.take()
    it.lose(hand)
    hand.report(activity, "1")
    it.client.suspend_orchestration("one")


@pytest.mark.parametrize("mended", [True, False])
def test_a_suspended_instance_survives_its_resume(mended: bool) -> None:
    with rig(Mends(suspension=mended)) as it:
        suspended_in_the_turn_in_which_it_schedules(it)
        with sdk_worker(it):
            it.until(lambda: it.state("one").runtime_status is OrchestrationStatus.SUSPENDED)
            it.until(lambda: mended or it.scheduler.actions["activity_result"] >= 2)
            it.client.resume_orchestration("one")
            state = it.client.wait_for_orchestration_completion("one", timeout=PATIENCE)

    assert state is not None
    assert state.runtime_status is (OrchestrationStatus.COMPLETED if mended else OrchestrationStatus.FAILED)
