"""Mend `redelivery`: work that comes back unfinished is handed out again, as the real engine does."""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc

from local_scheduler.core import Core
from local_scheduler.streams import Held, Kind


class Redelivery(Core):
    """Requeues what a broken stream held and what a worker gave back.

    An activity keeps its token: whichever of its runs reports first is heard. An orchestration's turn gets a new
    one, since by then it may carry more events than the first worker saw: that one's answer is stale.
    """

    def _lost(self, held: Held) -> None:
        match held.kind:
            case Kind.ORCHESTRATION:
                self._requeue_turn(held)
            case Kind.ACTIVITY if held.token in self._activities:
                self._enqueue_activity(self._activities[held.token].item)
            case Kind.ENTITY:
                self._requeue_batch(held)

    def _requeue_turn(self, held: Held) -> None:
        instance = self._instances.get(held.instance_id)
        if instance is None or str(instance.completion_token) != held.token:
            return
        instance.pending_events[:0] = instance.dispatched_events
        instance.dispatched_events = []
        instance.completion_token = self._new_token()
        self._orchestration_in_flight.discard(held.instance_id)
        self._enqueue_orchestration(held.instance_id)

    def _requeue_batch(self, held: Held) -> None:
        entity = self._entities.get(held.instance_id)
        if entity is None or str(entity.completion_token) != held.token:
            return
        entity.pending_operations[:0] = entity.dispatched_operations
        entity.dispatched_operations = []
        entity.completion_token = self._new_token()
        self._entity_in_flight.discard(held.instance_id)
        self._enqueue_entity(held.instance_id)

    def _give_back(self, token: str) -> None:
        with self._lock:
            held = self._settle(token)
            if held is not None:
                self._lost(held)

    def AbandonTaskActivityWorkItem(
        self, request: pb.AbandonActivityTaskRequest, context: grpc.ServicerContext
    ) -> pb.AbandonActivityTaskResponse:
        """Take back an activity that a worker would not run."""
        self._give_back(request.completionToken)
        return pb.AbandonActivityTaskResponse()

    def AbandonTaskOrchestratorWorkItem(
        self, request: pb.AbandonOrchestrationTaskRequest, context: grpc.ServicerContext
    ) -> pb.AbandonOrchestrationTaskResponse:
        """Take back a turn that a worker would not run."""
        self._give_back(request.completionToken)
        return pb.AbandonOrchestrationTaskResponse()

    def AbandonTaskEntityWorkItem(
        self, request: pb.AbandonEntityTaskRequest, context: grpc.ServicerContext
    ) -> pb.AbandonEntityTaskResponse:
        """Take back a batch that a worker would not run."""
        self._give_back(request.completionToken)
        return pb.AbandonEntityTaskResponse()

    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take a turn's answer unless the turn was handed out anew: the backend would let go of the new one."""
        with self._lock:
            instance = self._instances.get(request.instanceId)
            if instance is not None and str(instance.completion_token) == request.completionToken:
                return super().CompleteOrchestratorTask(request, context)
            self._settle(request.completionToken)
            return pb.CompleteTaskResponse()
