"""Mend `traces`: one trace leads from the client through orchestrations to activities, and events know their time.

The backend drops the trace contexts that clients and workers send along and dates its events 1970, so the spans
which the SDK makes of them are strangers to each other.
"""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.testing.in_memory_backend import OrchestrationInstance

from local_scheduler.core import Core
from local_scheduler.mends import Limits, Mends
from local_scheduler.streams import Stream


class Traces(Core):
    """Passes trace contexts on, and dates events as they arrive."""

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        super().__init__(port=port, mends=mends, limits=limits)
        self._parent: pb.TraceContext | None = None
        self._spans: dict[str, pb.OrchestrationTraceContext] = {}

    def reset(self) -> None:
        """Forget the spans as well."""
        with self._lock:
            super().reset()
            self._spans.clear()

    @contextmanager
    def _creating_in(self, parent: pb.TraceContext) -> Iterator[None]:
        """Have whatever instance is created meanwhile continue the trace `parent`."""
        with self._lock:
            self._parent = parent
            try:
                yield
            finally:
                self._parent = None

    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance in its client's trace."""
        with self._creating_in(request.parentTraceContext):
            return super().StartInstance(request, context)

    def _process_create_sub_orchestration_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        parent = action.createSubOrchestration.parentTraceContext
        with self._creating_in(parent):
            super()._process_create_sub_orchestration_action(instance, action)
        instance.history[-1].subOrchestrationInstanceCreated.parentTraceContext.CopyFrom(parent)

    def _created(self, instance_id: str) -> None:
        self._spans.pop(instance_id, None)
        self._trace(self._instances[instance_id], self._parent)
        super()._created(instance_id)

    def _process_complete_orchestration_action(
        self, instance: OrchestrationInstance, complete_action: pb.CompleteOrchestrationAction
    ) -> None:
        self._spans.pop(instance.instance_id, None)
        parent = _start(instance.history).parentTraceContext
        super()._process_complete_orchestration_action(instance, complete_action)
        if complete_action.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW:
            self._trace(instance, parent)

    def _trace(self, instance: OrchestrationInstance, parent: pb.TraceContext | None) -> None:
        if parent is not None and parent.traceParent:
            _start(instance.pending_events).parentTraceContext.CopyFrom(parent)

    def _process_schedule_task_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        super()._process_schedule_task_action(instance, action)
        instance.history[-1].taskScheduled.parentTraceContext.CopyFrom(action.scheduleTask.parentTraceContext)

    def _hand_out(self, stream: Stream, item: pb.WorkItem) -> bool:
        with self._lock:
            activity = self._activities.get(item.completionToken)
            if activity is not None:
                item.activityRequest.parentTraceContext.CopyFrom(activity.trace)
            span = self._spans.get(item.orchestratorRequest.instanceId)
            if span is not None:
                item.orchestratorRequest.orchestrationTraceContext.CopyFrom(span)
            return super()._hand_out(stream, item)

    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take a turn's answer, and with it the span that the execution's next turn goes on with."""
        with self._lock:
            self._spans[request.instanceId] = pb.OrchestrationTraceContext()
            self._spans[request.instanceId].CopyFrom(request.orchestrationTraceContext)
            response = super().CompleteOrchestratorTask(request, context)
            instance = self._instances.get(request.instanceId)
            if instance is not None:
                _date(takewhile(_undated, reversed(instance.history)))
            return response

    def _enqueue_orchestration(self, instance_id: str) -> None:
        instance = self._instances.get(instance_id)
        if instance is not None:
            _date(instance.pending_events)
        super()._enqueue_orchestration(instance_id)


def _start(events: Iterable[pb.HistoryEvent]) -> pb.ExecutionStartedEvent:
    starts = (event.executionStarted for event in events if event.HasField("executionStarted"))
    return next(starts, pb.ExecutionStartedEvent())


def _undated(event: pb.HistoryEvent) -> bool:
    return event.timestamp.seconds == 0


def _date(events: Iterable[pb.HistoryEvent]) -> None:
    for event in filter(_undated, events):
        event.timestamp.GetCurrentTime()
