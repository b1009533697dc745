"""Mends `status` and `failures`: what a worker leaves out of its answer is told from what it left empty."""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.testing.in_memory_backend import OrchestrationInstance

from local_scheduler.core import Core


class Status(Core):
    """Keeps what clients see of an instance steady from turn to turn."""

    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take a turn's answer; keep the custom status it does not mention and RUNNING through continue-as-new."""
        with self._lock:
            instance = self._instances.get(request.instanceId)
            if instance is None or str(instance.completion_token) != request.completionToken:
                return super().CompleteOrchestratorTask(request, context)
            status = _custom_status(instance, request)
            response = super().CompleteOrchestratorTask(request, context)
            instance.custom_status = status
            if instance.status == pb.ORCHESTRATION_STATUS_PENDING:
                instance.status = pb.ORCHESTRATION_STATUS_RUNNING
                self._notify_waiters(request.instanceId)
            return response


def _custom_status(instance: OrchestrationInstance, request: pb.OrchestratorResponse) -> str | None:
    if request.HasField("customStatus"):
        return request.customStatus.value
    return instance.custom_status if instance.history else None  # an execution's first turn begins without one


class Failures(Core):
    """Gives a failure without a message one, by which the backend recognises it."""

    def CompleteActivityTask(
        self, request: pb.ActivityResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take an activity's result or failure."""
        if request.HasField("failureDetails") and not request.failureDetails.errorMessage:
            request.failureDetails.errorMessage = request.failureDetails.errorType or "the activity failed"
        return super().CompleteActivityTask(request, context)
