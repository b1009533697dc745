"""The SDK's in-memory backend with seams where the mends take hold.

Each mend is a class that overrides a few methods of `Core`; `scheduler.py` puts those asked for in front of
it. What several of them need is here and changes nothing that a client or a worker sees: one completion token
for each activity (the backend gives those of one turn the same), and one way to deliver an event to the
execution that waits for it.
"""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

from dataclasses import dataclass
from datetime import UTC, datetime

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.testing.in_memory_backend import ActivityWorkItem, OrchestrationInstance

from local_scheduler.accounts import Accounts
from local_scheduler.mends import Limits, Mends


@dataclass(frozen=True)
class Activity:
    """A scheduled activity that has no result yet, the execution that waits for it, and its trace."""

    item: ActivityWorkItem
    execution: int
    trace: pb.TraceContext


class Core(Accounts):
    """What every mend builds on. A seam does what the SDK's backend does until a mend overrides it."""

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        super().__init__(port=port, mends=mends, limits=limits)
        self._activities: dict[str, Activity] = {}

    def reset(self) -> None:
        """Forget the activities as well: their results will be unknown."""
        with self._lock:
            super().reset()
            self._activities.clear()

    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance."""
        with self._lock:
            response = super().StartInstance(request, context)
            self._created(response.instanceId)
            return response

    def _create_instance_internal(
        self, instance_id: str, name: str, encoded_input: str | None = None, version: str | None = None
    ) -> None:
        super()._create_instance_internal(instance_id, name, encoded_input, version)
        self._created(instance_id)

    def _created(self, instance_id: str) -> None:
        """A new instance is there, maybe in place of one whose turn is still out and will come back stale."""
        self._orchestration_in_flight.discard(instance_id)
        self._enqueue_orchestration(instance_id)

    def _enqueue_orchestration(self, instance_id: str) -> None:
        instance = self._instances.get(instance_id)
        if instance is not None and self._may_run(instance):
            super()._enqueue_orchestration(instance_id)

    def _may_run(self, instance: OrchestrationInstance) -> bool:
        """Seam: whether the instance's pending events may be handed out now."""
        return True

    def _process_schedule_task_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        super()._process_schedule_task_action(instance, action)
        item = self._activity_queue.pop()
        item.completion_token = self._new_token()
        self._activities[str(item.completion_token)] = Activity(
            item, self._execution(instance.instance_id), action.scheduleTask.parentTraceContext
        )
        self._enqueue_activity(item)

    def _enqueue_activity(self, item: ActivityWorkItem) -> None:
        """Seam: an activity is ready to be handed out."""
        self._activity_queue.append(item)
        self._work_available.set()

    def _new_token(self) -> int:
        token = self._next_completion_token
        self._next_completion_token += 1
        return token

    def CompleteActivityTask(
        self, request: pb.ActivityResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take an activity's result, if anybody waits for it."""
        with self._lock:
            activity = self._activities.pop(request.completionToken, None)
            if self._expects(request, activity):
                return super().CompleteActivityTask(request, context)
            self._settle(request.completionToken)
            return pb.CompleteTaskResponse()

    def _expects(self, request: pb.ActivityResponse, activity: Activity | None) -> bool:
        """Seam: whether an activity's result is to be delivered; `activity` is None for an unknown token."""
        return True

    def _execution(self, instance_id: str) -> int:
        """Seam: which execution of the instance this is."""
        return 0

    def _awaited(self, instance_id: str, execution: int) -> bool:
        """Seam: whether that execution is there to receive something."""
        instance = self._instances.get(instance_id)
        return instance is not None and not self._is_terminal_status(instance.status)

    def _deliver(self, instance_id: str, execution: int, event: pb.HistoryEvent) -> None:
        """Give an event to the execution that waits for it; drop it if that one is gone."""
        with self._lock:
            if not self._awaited(instance_id, execution):
                return
            instance = self._instances[instance_id]
            instance.pending_events.append(event)
            instance.last_updated_at = datetime.now(UTC)
            self._enqueue_orchestration(instance_id)
