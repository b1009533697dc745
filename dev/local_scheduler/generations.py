"""Mend `generations`: results and timers reach only the execution that asked for them.

An instance id lives through many executions: each continue-as-new begins one, and so does each new instance
under an id that was used before. The backend knows only the id, so an old result could satisfy a new
execution's task of the same number.
"""

import itertools

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.testing.in_memory_backend import OrchestrationInstance

from local_scheduler.core import Activity, Core
from local_scheduler.mends import Limits, Mends

RESULTS = (
    "taskCompleted",
    "taskFailed",
    "timerFired",
    "subOrchestrationInstanceCompleted",
    "subOrchestrationInstanceFailed",
)
"""Events that answer one execution; all others are for the instance, whichever execution it is in."""


class Generations(Core):
    """Numbers the executions, and drops what an older one was waiting for."""

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        super().__init__(port=port, mends=mends, limits=limits)
        self._numbers = itertools.count(1)
        self._executions: dict[str, int] = {}

    def reset(self) -> None:
        """Forget the executions as well."""
        with self._lock:
            super().reset()
            self._executions.clear()

    def _execution(self, instance_id: str) -> int:
        return self._executions[instance_id]

    def _awaited(self, instance_id: str, execution: int) -> bool:
        return super()._awaited(instance_id, execution) and self._executions[instance_id] == execution

    def _created(self, instance_id: str) -> None:
        self._executions[instance_id] = next(self._numbers)
        super()._created(instance_id)

    def _process_complete_orchestration_action(
        self, instance: OrchestrationInstance, complete_action: pb.CompleteOrchestrationAction
    ) -> None:
        if complete_action.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW:
            self._executions[instance.instance_id] = next(self._numbers)
            instance.pending_events = [
                event for event in instance.pending_events if event.WhichOneof("eventType") not in RESULTS
            ]
        super()._process_complete_orchestration_action(instance, complete_action)

    def _expects(self, request: pb.ActivityResponse, activity: Activity | None) -> bool:
        """Unknown is a duplicate, or a result from before the scheduler was reset."""
        return activity is not None and self._awaited(activity.item.instance_id, activity.execution)
