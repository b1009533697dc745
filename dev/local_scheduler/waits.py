"""Mend `waits`: a wait lasts exactly as long as its client waits."""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

from collections.abc import Callable

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.testing.in_memory_backend import OrchestrationInstance, StateWaiter

from local_scheduler.core import Core

Predicate = Callable[[OrchestrationInstance], bool]


class Waits(Core):
    """Waits without a limit of their own, which let go of their thread when the client is gone."""

    def WaitForInstanceStart(
        self, request: pb.GetInstanceRequest, context: grpc.ServicerContext
    ) -> pb.GetInstanceResponse:
        """Answer when the instance has had its first turn."""
        return self._answer_when(lambda it: it.status != pb.ORCHESTRATION_STATUS_PENDING, request, context)

    def WaitForInstanceCompletion(
        self, request: pb.GetInstanceRequest, context: grpc.ServicerContext
    ) -> pb.GetInstanceResponse:
        """Answer when the instance has ended."""
        return self._answer_when(self._is_terminal_status_check, request, context)

    def _answer_when(
        self, reached: Predicate, request: pb.GetInstanceRequest, context: grpc.ServicerContext
    ) -> pb.GetInstanceResponse:
        waiter = StateWaiter(predicate=reached)
        if context.add_callback(waiter.event.set):  # on its deadline too
            self._await(request.instanceId, waiter)
        with self._lock:
            if waiter.result is None:
                return pb.GetInstanceResponse(exists=False)
            return self._build_instance_response(waiter.result, request.getInputsAndOutputs)

    def _await(self, instance_id: str, waiter: StateWaiter) -> None:
        with self._lock:
            self._state_waiters.setdefault(instance_id, []).append(waiter)
            self._notify_waiters(instance_id)  # it may be so already
        waiter.event.wait()
        with self._lock:
            others = [other for other in self._state_waiters.pop(instance_id, []) if other is not waiter]
            if others:
                self._state_waiters[instance_id] = others
