"""Part of the mend `dispatch`: what is ready, and how a work item is made of it.

An instance is queued once at most, and only while it has something to say and no turn of it is out; it is
looked at again when that turn comes back. So nothing is ever put back into a queue because it cannot be taken now.
"""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

import threading
from datetime import UTC, datetime

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import ActivityWorkItem, OrchestrationInstance
from google.protobuf.wrappers_pb2 import StringValue

from local_scheduler.entities import EntityQueue
from local_scheduler.lanes import Accepts, Lanes
from local_scheduler.mends import Limits, Mends


class Queues(EntityQueue):
    """Queues in lanes instead of the backend's single ones."""

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        super().__init__(port=port, mends=mends, limits=limits)
        self._work = threading.Condition(self._lock)
        self._turns: Lanes[OrchestrationInstance] = Lanes()
        self._queued: dict[str, OrchestrationInstance] = {}
        self._tasks: Lanes[ActivityWorkItem] = Lanes()

    def reset(self) -> None:
        """Forget what was ready as well."""
        with self._lock:
            super().reset()
            self._turns.clear()
            self._queued.clear()
            self._tasks.clear()

    def _wake_streams(self) -> None:
        self._work.notify_all()

    def _may_run(self, instance: OrchestrationInstance) -> bool:
        idle = instance.instance_id not in self._orchestration_in_flight
        ended = self._is_terminal_status(instance.status)
        return super()._may_run(instance) and idle and not ended and bool(instance.pending_events)

    def _enqueue_orchestration(self, instance_id: str) -> None:
        instance = self._instances.get(instance_id)
        if instance is None or self._queued.get(instance_id) is instance or not self._may_run(instance):
            return
        self._queued[instance_id] = instance
        self._turns.put((instance.name, instance.version), instance)
        self._wake_streams()

    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take a turn's answer, and queue the instance if something has arrived for it meanwhile."""
        with self._lock:
            response = super().CompleteOrchestratorTask(request, context)
            self._enqueue_orchestration(request.instanceId)
            return response

    def _take_turn(self, accepts: Accepts) -> pb.WorkItem | None:
        while (instance := self._turns.take(accepts)) is not None:
            if self._queued.get(instance.instance_id) is not instance:
                continue  # another one has this id now, and is queued itself
            del self._queued[instance.instance_id]
            if self._instances.get(instance.instance_id) is instance and self._may_run(instance):
                return self._turn(instance)
        return None

    def _turn(self, instance: OrchestrationInstance) -> pb.WorkItem:
        """Hand out all that is pending. The turn's clock is the time at which it is handed out."""
        started = helpers.new_orchestrator_started_event(datetime.now(UTC))
        news = [event for event in instance.pending_events if not event.HasField("orchestratorStarted")]
        instance.dispatched_events = [started, *news]
        instance.pending_events.clear()
        self._orchestration_in_flight.add(instance.instance_id)
        return pb.WorkItem(
            completionToken=str(instance.completion_token),
            orchestratorRequest=pb.OrchestratorRequest(
                instanceId=instance.instance_id, pastEvents=instance.history, newEvents=instance.dispatched_events
            ),
        )

    def _enqueue_activity(self, item: ActivityWorkItem) -> None:
        self._tasks.put((item.name, item.version), item)
        self._wake_streams()

    def _take_activity(self, accepts: Accepts) -> pb.WorkItem | None:
        while (item := self._tasks.take(accepts)) is not None:
            if str(item.completion_token) in self._activities:  # else its first run has reported meanwhile
                return _activity(item)
        return None


def _activity(item: ActivityWorkItem) -> pb.WorkItem:
    return pb.WorkItem(
        completionToken=str(item.completion_token),
        activityRequest=pb.ActivityRequest(
            name=item.name,
            version=_text(item.version),
            input=_text(item.input),
            taskId=item.task_id,
            orchestrationInstance=pb.OrchestrationInstance(instanceId=item.instance_id),
        ),
    )


def _text(value: str | None) -> StringValue | None:
    return StringValue(value=value) if value else None
