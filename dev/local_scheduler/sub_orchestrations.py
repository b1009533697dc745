"""Part of the mend `generations`: a sub-orchestration's result reaches only the execution that called it.

The backend has a thread wait for each sub-orchestration, and forgets the parent after 30 seconds.
"""

from typing import NamedTuple

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance

from local_scheduler.core import Core
from local_scheduler.mends import Limits, Mends


class Caller(NamedTuple):
    """The execution that called a sub-orchestration, and the number of the task that waits for the result."""

    instance_id: str
    execution: int
    task_id: int


class SubOrchestrations(Core):
    """Tells the callers when their sub-orchestration ends."""

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        super().__init__(port=port, mends=mends, limits=limits)
        self._callers: dict[str, list[Caller]] = {}

    def reset(self) -> None:
        """Forget the callers as well."""
        with self._lock:
            super().reset()
            self._callers.clear()

    def _watch_sub_orchestration(self, parent_instance_id: str, sub_instance_id: str, task_id: int) -> None:
        caller = Caller(parent_instance_id, self._execution(parent_instance_id), task_id)
        self._callers.setdefault(sub_instance_id, []).append(caller)
        self._notify_waiters(sub_instance_id)  # it may have ended before

    def _notify_waiters(self, instance_id: str) -> None:
        super()._notify_waiters(instance_id)
        instance = self._instances.get(instance_id)
        if instance is not None and self._is_terminal_status_check(instance):
            for caller in self._callers.pop(instance_id, []):
                self._deliver(caller.instance_id, caller.execution, _ended(instance, caller.task_id))


def _ended(instance: OrchestrationInstance, task_id: int) -> pb.HistoryEvent:
    if instance.status == pb.ORCHESTRATION_STATUS_COMPLETED:
        return helpers.new_sub_orchestration_completed_event(task_id, instance.output)
    terminated = f"Sub-orchestration '{instance.instance_id}' was terminated"
    details = instance.failure_details or pb.TaskFailureDetails(errorMessage=terminated)
    failed = pb.SubOrchestrationInstanceFailedEvent(taskScheduledId=task_id, failureDetails=details)
    return pb.HistoryEvent(eventId=-1, subOrchestrationInstanceFailed=failed)
