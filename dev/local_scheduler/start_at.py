"""Mend `start_at`: an instance scheduled for later starts later."""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

from datetime import UTC, datetime
from functools import partial

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.testing.in_memory_backend import OrchestrationInstance

from local_scheduler.core import Core
from local_scheduler.mends import Limits, Mends


class StartAt(Core):
    """Holds an instance back until its start time. Whoever terminates it before need not wait for that."""

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        super().__init__(port=port, mends=mends, limits=limits)
        self._held_back: dict[str, OrchestrationInstance] = {}
        self._start_time: datetime | None = None

    def reset(self) -> None:
        """Forget what was held back as well."""
        with self._lock:
            super().reset()
            self._held_back.clear()

    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance, now or when it asks for it."""
        with self._lock:
            if request.HasField("scheduledStartTimestamp"):
                self._start_time = request.scheduledStartTimestamp.ToDatetime(tzinfo=UTC)
            try:
                return super().StartInstance(request, context)
            finally:
                self._start_time = None

    def _created(self, instance_id: str) -> None:
        start_time = self._start_time
        if start_time is not None and start_time > datetime.now(UTC):
            instance = self._instances[instance_id]
            self._held_back[instance_id] = instance
            self._timers.at(start_time, partial(self._let_go, instance))
        super()._created(instance_id)

    def _let_go(self, instance: OrchestrationInstance) -> None:
        with self._lock:
            if self._held_back.get(instance.instance_id) is instance:
                del self._held_back[instance.instance_id]
                self._enqueue_orchestration(instance.instance_id)

    def _may_run(self, instance: OrchestrationInstance) -> bool:
        held_back = self._held_back.get(instance.instance_id) is instance
        terminated = held_back and any(event.HasField("executionTerminated") for event in instance.pending_events)
        return super()._may_run(instance) and (terminated or not held_back)
