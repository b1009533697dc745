"""What Durable Monitor assumes of any Durable Task engine, told by trying it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from durabletask.azuremanaged.worker import DurableTaskSchedulerWorker
from durabletask.client import OrchestrationStatus
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from durabletask.task import ActivityContext, OrchestrationContext, when_any
from durabletask.worker import ActivityWorkItemFilter, OrchestrationWorkItemFilter, WorkItemFilters

from engine.conftest import Engine

PATIENCE = 60


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def only_orchestrator(function: Any) -> Callable[[DurableTaskSchedulerWorker], None]:
    def register(worker: DurableTaskSchedulerWorker) -> None:
        worker.add_orchestrator(function)

    return register


def output(engine: Engine, instance: str) -> Any:
    state = engine.client.wait_for_orchestration_completion(instance, timeout=PATIENCE)
    assert state is not None
    assert state.runtime_status == OrchestrationStatus.COMPLETED, state.failure_details
    return state.get_output()


def test_no_event_is_lost_across_continue_as_new(engine: Engine, name: str) -> None:
    """One listener, drained before continuing as new, and `save_events=True`: every event once, in order."""

    def carrying(ctx: OrchestrationContext, seen: list[int]) -> Any:
        listener = ctx.wait_for_external_event("control")
        here = 0
        while True:
            while listener.is_complete:
                seen = [*seen, listener.get_result()]
                here += 1
                listener = ctx.wait_for_external_event("control")
            if len(seen) >= 40:
                return seen
            if here >= 3:
                ctx.continue_as_new(seen, save_events=True)
                return None
            yield when_any([listener])

    engine.worker(only_orchestrator(carrying))
    engine.client.schedule_new_orchestration("carrying", input=[], instance_id=name)
    for number in range(40):
        engine.client.raise_orchestration_event(name, "control", data=number)
    assert output(engine, name) == list(range(40))


def test_a_timer_left_behind_does_not_disturb_the_next_generation(engine: Engine, name: str) -> None:
    def leaving(ctx: OrchestrationContext, generation: int) -> Any:
        began = ctx.current_utc_datetime
        if generation == 0:
            ctx.create_timer(timedelta(seconds=0.3))
            ctx.continue_as_new(1)
            return None
        yield ctx.create_timer(timedelta(seconds=1))
        return (ctx.current_utc_datetime - began).total_seconds()

    engine.worker(only_orchestrator(leaving))
    engine.client.schedule_new_orchestration("leaving", input=0, instance_id=name)
    assert output(engine, name) >= 1


def test_a_timer_does_not_fire_early_by_the_orchestration_s_own_clock(engine: Engine, name: str) -> None:
    def sleeping(ctx: OrchestrationContext, _: Any) -> Any:
        fire_at = ctx.current_utc_datetime + timedelta(seconds=0.5)
        yield ctx.create_timer(fire_at)
        return (ctx.current_utc_datetime - fire_at).total_seconds()

    engine.worker(only_orchestrator(sleeping))
    engine.client.schedule_new_orchestration("sleeping", instance_id=name)
    assert output(engine, name) >= 0


def test_an_id_is_taken_until_a_reuse_policy_says_otherwise(engine: Engine, name: str) -> None:
    def waiting(ctx: OrchestrationContext, given: Any) -> Any:
        yield ctx.wait_for_external_event("go")
        return given

    def schedule(given: int, policy: pb.OrchestrationIdReusePolicy | None = None) -> None:
        engine.client.schedule_new_orchestration("waiting", input=given, instance_id=name, reuse_id_policy=policy)

    ended = pb.OrchestrationIdReusePolicy(
        replaceableStatus=[
            pb.ORCHESTRATION_STATUS_COMPLETED,
            pb.ORCHESTRATION_STATUS_FAILED,
            pb.ORCHESTRATION_STATUS_TERMINATED,
        ]
    )
    engine.worker(only_orchestrator(waiting))
    schedule(1)
    for policy in (None, ended):
        with pytest.raises(grpc.RpcError) as taken:
            schedule(2, policy)
        assert taken.value.code() == grpc.StatusCode.ALREADY_EXISTS
    engine.client.raise_orchestration_event(name, "go")
    assert output(engine, name) == 1
    with pytest.raises(grpc.RpcError) as still_taken:
        schedule(3)
    assert still_taken.value.code() == grpc.StatusCode.ALREADY_EXISTS
    schedule(4, ended)
    engine.client.raise_orchestration_event(name, "go")
    assert output(engine, name) == 4


def test_work_of_a_worker_that_dies_is_done_by_another(engine: Engine, name: str) -> None:
    """At least once: an activity handed to a worker that goes away is handed out again."""

    def calling(ctx: OrchestrationContext, _: Any) -> Any:
        return (yield ctx.call_activity("working"))

    def working(_: ActivityContext, __: Any) -> str:
        return "done"

    engine.client.schedule_new_orchestration("calling", instance_id=name)
    with grpc.insecure_channel(engine.address) as channel:
        stub: Any = stubs.TaskHubSidecarServiceStub(channel)  # type: ignore[no-untyped-call]
        wanted = pb.GetWorkItemsRequest(maxConcurrentOrchestrationWorkItems=1)
        stream = stub.GetWorkItems(wanted, metadata=[("taskhub", "default")])
        item = next(iter(stream))
        assert item.HasField("orchestratorRequest")
        stream.cancel()

    def register(worker: DurableTaskSchedulerWorker) -> None:
        worker.add_orchestrator(calling)
        worker.add_activity(working)

    engine.worker(register)
    assert output(engine, name) == "done"


def test_the_custom_status_is_there_again_after_continue_as_new(engine: Engine, name: str) -> None:
    def showing(ctx: OrchestrationContext, generation: int) -> Any:
        ctx.set_custom_status({"generation": generation})
        if generation < 2:
            yield ctx.create_timer(timedelta(seconds=0.1))
            ctx.continue_as_new(generation + 1)
            return None
        yield ctx.wait_for_external_event("go")
        return "ended"

    def shown() -> Any:
        state = engine.client.get_orchestration_state(name)
        return state and state.get_custom_status()

    engine.worker(only_orchestrator(showing))
    engine.client.schedule_new_orchestration("showing", input=0, instance_id=name)
    eventually(lambda: shown() == {"generation": 2})
    engine.client.raise_orchestration_event(name, "go")
    assert output(engine, name) == "ended"


def test_a_newer_version_waits_for_a_worker_that_takes_it(engine: Engine, name: str) -> None:
    def versioned(ctx: OrchestrationContext, given: str) -> Any:
        yield ctx.create_timer(timedelta(seconds=0.05))
        if given == "migrate":
            ctx.continue_as_new("migrated", new_version="2.0")
            return None
        return ctx.version

    def taking(*versions: str) -> Callable[[DurableTaskSchedulerWorker], None]:
        def register(worker: DurableTaskSchedulerWorker) -> None:
            worker.add_orchestrator(versioned)
            filters = [OrchestrationWorkItemFilter("versioned", list(versions))]
            worker.use_work_item_filters(
                WorkItemFilters(orchestrations=filters, activities=[ActivityWorkItemFilter("none")])
            )

        return register

    engine.worker(taking("1.0"))
    engine.client.schedule_new_orchestration("versioned", input="stay", instance_id=f"{name}-1", version="1.0")
    engine.client.schedule_new_orchestration("versioned", input="migrate", instance_id=f"{name}-2", version="1.0")
    assert output(engine, f"{name}-1") == "1.0"
    with pytest.raises(TimeoutError):
        engine.client.wait_for_orchestration_completion(f"{name}-2", timeout=1)
    engine.worker(taking("1.0", "2.0"))
    assert output(engine, f"{name}-2") == "2.0"


def test_an_event_to_a_suspended_instance_is_kept(engine: Engine, name: str) -> None:
    def suspendable(ctx: OrchestrationContext, _: Any) -> Any:
        ctx.set_custom_status("waiting")
        return (yield ctx.wait_for_external_event("go"))

    def status() -> OrchestrationStatus | None:
        state = engine.client.get_orchestration_state(name)
        return state.runtime_status if state else None

    engine.worker(only_orchestrator(suspendable))
    engine.client.schedule_new_orchestration("suspendable", instance_id=name)
    eventually(lambda: status() == OrchestrationStatus.RUNNING)
    engine.client.suspend_orchestration(name)
    eventually(lambda: status() == OrchestrationStatus.SUSPENDED)
    engine.client.raise_orchestration_event(name, "go", data="kept")
    time.sleep(0.3)
    assert status() == OrchestrationStatus.SUSPENDED
    engine.client.resume_orchestration(name)
    assert output(engine, name) == "kept"


def test_what_has_ended_is_listed_by_when_and_how_with_what_it_showed(engine: Engine, name: str) -> None:
    """A terminated instance keeps its input and its custom status; pages are in the order of the ends."""

    def showing(ctx: OrchestrationContext, given: int) -> Any:
        ctx.set_custom_status({"shown": given})
        yield ctx.wait_for_external_event("never")

    def state(instance: str) -> Any:
        return engine.client.get_orchestration_state(instance)

    engine.worker(only_orchestrator(showing))
    instances = [f"{name}-{number}" for number in range(3)]
    for number, instance in enumerate(instances):
        engine.client.schedule_new_orchestration("showing", input=number, instance_id=instance)
        eventually(lambda instance=instance: state(instance).get_custom_status() is not None)  # type: ignore[misc]
        engine.client.terminate_orchestration(instance)
        engine.client.wait_for_orchestration_completion(instance, timeout=PATIENCE)
    last = state(instances[1])
    assert (last.runtime_status, last.get_input(), last.get_custom_status()) == (
        OrchestrationStatus.TERMINATED,
        1,
        {"shown": 1},
    )

    def listed(since: datetime, *how: OrchestrationStatus) -> list[str]:
        found, token = list[str](), None
        while True:
            page = engine.client.list_instance_ids(list(how), since, page_size=1, continuation_token=token)
            found += [one for one in page.items if one in instances]
            token = page.continuation_token
            if token is None or not page.items:
                return found

    first, second = (state(one).last_updated_at.replace(tzinfo=UTC) for one in (instances[0], instances[2]))
    little = timedelta(seconds=1)
    assert listed(first - little, OrchestrationStatus.TERMINATED) == instances
    assert listed(first - little, OrchestrationStatus.FAILED) == []
    assert instances[2] in listed(second - little, OrchestrationStatus.TERMINATED)
    assert listed(second + little, OrchestrationStatus.TERMINATED) == []
