"""A worker whose every move the test makes, and short words for what it answers: no race is left to chance."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import durabletask.internal.orchestrator_service_pb2_grpc as stubs
import grpc
from durabletask.client import OrchestrationState, TaskHubGrpcClient
from durabletask.internal import helpers
from google.protobuf.wrappers_pb2 import StringValue

from local_scheduler import Limits, LocalScheduler, Mends

PATIENCE = 30.0
"""Seconds after which something that must come is given up."""
MOMENT = 0.4
"""Seconds given to something that must not come."""
SOME_HOUR = timedelta(hours=1)


class HandWorker:
    """A raw stream of work items: what arrives waits until the test takes it, and is answered as the test says."""

    def __init__(self, address: str, request: pb.GetWorkItemsRequest) -> None:
        self._channel = grpc.insecure_channel(address)
        self.stub: Any = stubs.TaskHubSidecarServiceStub(self._channel)  # type: ignore[no-untyped-call]  # generated
        self._items: queue.Queue[pb.WorkItem] = queue.Queue()
        self._stream = self.stub.GetWorkItems(request)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(grpc.RpcError):  # it died, or the scheduler was stopped
            for item in self._stream:
                self._items.put(item)

    def take(self) -> pb.WorkItem:
        return self._items.get(timeout=PATIENCE)

    def gets_nothing(self) -> bool:
        try:
            self._items.get(timeout=MOMENT)
        except queue.Empty:
            return True
        return False

    def answer(self, turn: pb.WorkItem, *actions: pb.OrchestratorAction, status: str | None = None) -> None:
        """Complete a turn; without actions the orchestration goes on waiting for whatever comes."""
        self.stub.CompleteOrchestratorTask(
            pb.OrchestratorResponse(
                instanceId=turn.orchestratorRequest.instanceId,
                completionToken=turn.completionToken,
                actions=actions,
                customStatus=None if status is None else StringValue(value=status),
            )
        )

    def report(self, activity: pb.WorkItem, result: str) -> None:
        """Complete an activity."""
        self.stub.CompleteActivityTask(
            pb.ActivityResponse(
                instanceId=activity.activityRequest.orchestrationInstance.instanceId,
                taskId=activity.activityRequest.taskId,
                result=StringValue(value=result),
                completionToken=activity.completionToken,
            )
        )

    def die(self) -> None:
        """Break the stream. What it holds stays unfinished; its channel can still report, late."""
        self._stream.cancel()
        self._reader.join()

    def close(self) -> None:
        self.die()
        self._channel.close()


class Rig:
    """A scheduler with one client and any number of workers, all ended with it."""

    def __init__(self, mends: Mends, limits: Limits) -> None:
        self.scheduler = LocalScheduler(mends=mends, limits=limits)
        self.scheduler.start()
        self.client = TaskHubGrpcClient(host_address=self.scheduler.address)
        self._workers: list[HandWorker] = []

    @property
    def backend(self) -> Any:
        """Untyped on purpose: tests look at private parts there."""
        return self.scheduler._backend

    def worker(self, **request: Any) -> HandWorker:
        worker = HandWorker(self.scheduler.address, pb.GetWorkItemsRequest(**request))
        self._workers.append(worker)
        return worker

    def start(self, instance_id: str, name: str = "monitor", **how: Any) -> str:
        return self.client.schedule_new_orchestration(name, instance_id=instance_id, **how)

    def state(self, instance_id: str) -> OrchestrationState:
        state = self.client.get_orchestration_state(instance_id)
        assert state is not None
        return state

    def lose(self, worker: HandWorker) -> None:
        """Break a stream, and wait until the scheduler has heard of it."""
        streams = self.backend._streams
        left = len(streams) - 1
        worker.die()
        self.until(lambda: len(streams) == left)

    def until(self, so: Callable[[], bool]) -> None:
        """Wait for what no call answers."""
        give_up = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < give_up
            time.sleep(0.005)

    def fire_timers(self) -> None:
        """Let all timers be due now."""
        timers = self.backend._timers
        with timers._changed:
            due = [action for _, _, action in sorted(timers._entries)]
            timers._entries.clear()
        for action in due:
            action()

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        self.client.close()
        self.scheduler.stop()


@contextlib.contextmanager
def rig(mends: Mends | None = None, limits: Limits | None = None) -> Iterator[Rig]:
    made = Rig(mends or Mends(), limits or Limits())
    try:
        yield made
    finally:
        made.close()


def news(turn: pb.WorkItem) -> list[str]:
    """The kinds of a turn's new events, without the one that only tells the time."""
    kinds = [event.WhichOneof("eventType") or "" for event in turn.orchestratorRequest.newEvents]
    assert kinds[0] == "orchestratorStarted"
    return kinds[1:]


def results(turn: pb.WorkItem) -> list[str]:
    """What the activities that a turn tells of have answered."""
    events = turn.orchestratorRequest.newEvents
    return [event.taskCompleted.result.value for event in events if event.HasField("taskCompleted")]


def instance_of(item: pb.WorkItem) -> str:
    return item.orchestratorRequest.instanceId or item.activityRequest.orchestrationInstance.instanceId


def schedule(task_id: int, name: str = "poll", encoded_input: str | None = None) -> pb.OrchestratorAction:
    return helpers.new_schedule_task_action(task_id, name, encoded_input, None)


def timer(task_id: int, delay: timedelta = SOME_HOUR) -> pb.OrchestratorAction:
    return helpers.new_create_timer_action(task_id, datetime.now(UTC) + delay)


def call(task_id: int, instance_id: str) -> pb.OrchestratorAction:
    return helpers.new_create_sub_orchestration_action(task_id, "sub", instance_id, None, None)


def finish(result: str = '"done"') -> pb.OrchestratorAction:
    return helpers.new_complete_orchestration_action(99, pb.ORCHESTRATION_STATUS_COMPLETED, result)


def continue_as_new() -> pb.OrchestratorAction:
    return helpers.new_complete_orchestration_action(99, pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW, "null")
