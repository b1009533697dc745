"""Mend `suspension`: a suspended instance is left alone.

The backend holds events back but hands out results and timers. The SDK's worker then schedules again what it
scheduled in the turn in which it was suspended, and fails on resume.
"""

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.testing.in_memory_backend import OrchestrationInstance

from local_scheduler.core import Core


def _wakes(event: pb.HistoryEvent) -> bool:
    return event.HasField("executionResumed") or event.HasField("executionTerminated")


class Paused(Core):
    """Keeps everything for a suspended instance until it is resumed or terminated, in the order of arrival."""

    def _may_run(self, instance: OrchestrationInstance) -> bool:
        suspended = instance.status == pb.ORCHESTRATION_STATUS_SUSPENDED
        return super()._may_run(instance) and (not suspended or any(map(_wakes, instance.pending_events)))
