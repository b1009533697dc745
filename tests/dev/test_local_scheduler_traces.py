"""Trace contexts travel from the client to the activity; without the mend each begins a trace of its own."""

from datetime import UTC, datetime

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from dev.local_scheduler_rig import HandWorker, Rig, call, continue_as_new, rig, schedule
from local_scheduler import Mends

CLIENT = pb.TraceContext(traceParent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
WORKER = pb.TraceContext(traceParent="00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01")
NONE = pb.TraceContext()
with_and_without = pytest.mark.parametrize("mended", [True, False])


def started(it: Rig, worker: HandWorker) -> pb.WorkItem:
    worker.stub.StartInstance(
        pb.CreateInstanceRequest(instanceId="one", name="monitor", parentTraceContext=CLIENT)
    )
    return worker.take()


def parent_of(turn: pb.WorkItem) -> pb.TraceContext:
    events = [*turn.orchestratorRequest.pastEvents, *turn.orchestratorRequest.newEvents]
    return next(e.executionStarted.parentTraceContext for e in events if e.HasField("executionStarted"))


@with_and_without
def test_an_orchestration_continues_its_clients_trace_from_execution_to_execution(mended: bool) -> None:
    with rig(Mends(traces=mended)) as it:
        worker = it.worker()
        first = started(it, worker)
        worker.answer(first, continue_as_new())
        second = worker.take()

        assert [parent_of(first), parent_of(second)] == [CLIENT if mended else NONE] * 2


@with_and_without
def test_activities_and_sub_orchestrations_continue_the_workers_trace(mended: bool) -> None:
    with rig(Mends(traces=mended)) as it:
        worker = it.worker()
        first = started(it, worker)
        activity, sub = schedule(1), call(2, "sub")
        activity.scheduleTask.parentTraceContext.CopyFrom(WORKER)
        sub.createSubOrchestration.parentTraceContext.CopyFrom(WORKER)
        worker.answer(first, activity, sub)
        handed = {item.HasField("activityRequest"): item for item in (worker.take(), worker.take())}
        worker.report(handed[True], "1")
        past = worker.take().orchestratorRequest.pastEvents

        assert [
            handed[True].activityRequest.parentTraceContext,
            parent_of(handed[False]),
            past[2].taskScheduled.parentTraceContext,
            past[3].subOrchestrationInstanceCreated.parentTraceContext,
        ] == [WORKER if mended else NONE] * 4


@with_and_without
def test_an_execution_keeps_its_span(mended: bool) -> None:
    with rig(Mends(traces=mended)) as it:
        worker = it.worker()
        span = pb.OrchestrationTraceContext(spanID=StringValue(value="00f067aa0ba902b7"))
        answer = pb.OrchestratorResponse(instanceId="one", orchestrationTraceContext=span)
        answer.completionToken = started(it, worker).completionToken
        worker.stub.CompleteOrchestratorTask(answer)
        it.client.raise_orchestration_event("one", "next")
        second = worker.take()
        assert second.orchestratorRequest.orchestrationTraceContext == (
            span if mended else pb.OrchestrationTraceContext()
        )

        worker.answer(second, continue_as_new())
        assert not worker.take().orchestratorRequest.HasField("orchestrationTraceContext")


@with_and_without
def test_events_know_their_time(mended: bool) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    with rig(Mends(traces=mended)) as it:
        worker = it.worker()
        worker.answer(started(it, worker), schedule(1))
        worker.report(worker.take(), "1")
        turn = worker.take().orchestratorRequest

    dates = [event.timestamp.ToDatetime(tzinfo=UTC) for event in (*turn.pastEvents, *turn.newEvents)]
    assert len(dates) == 6
    assert all(date >= before for date in dates) is mended
