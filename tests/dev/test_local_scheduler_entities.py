"""Entities, which the product does not use, work as with the SDK's backend, and are not lost with their worker."""

from datetime import UTC, datetime

import durabletask.internal.orchestrator_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from dev.local_scheduler_rig import SOME_HOUR, HandWorker, rig


def signal(worker: HandWorker, operation: str, at: datetime | None = None) -> None:
    when = None
    if at is not None:
        when = Timestamp()
        when.FromDatetime(at)
    worker.stub.SignalEntity(pb.SignalEntityRequest(instanceId="@counter@all", name=operation, scheduledTime=when))


def operations(batch: pb.WorkItem) -> list[str]:
    return [request.entityOperationSignaled.operation for request in batch.entityRequestV2.operationRequests]


def test_a_delayed_signal_comes_later() -> None:
    with rig() as it:
        worker = it.worker()
        signal(worker, "later", at=datetime.now(UTC) + SOME_HOUR)
        signal(worker, "now")
        first = worker.take()
        it.fire_timers()

        worker.stub.CompleteEntityTask(pb.EntityBatchResult(completionToken=first.completionToken))

        assert [operations(first), operations(worker.take())] == [["now"], ["later"]]


def test_a_batch_is_not_lost_with_its_worker() -> None:
    with rig() as it:
        first = it.worker()
        signal(first, "one")
        lost = first.take()
        it.lose(first)
        second = it.worker()
        again = second.take()
        signal(second, "two")

        stale = pb.EntityBatchResult(completionToken=lost.completionToken)
        first.stub.CompleteEntityTask(stale)
        it.start("sentinel")

        assert operations(again) == ["one"]
        assert second.take().HasField("orchestratorRequest")


def test_an_abandoned_batch_is_handed_out_again() -> None:
    with rig() as it:
        worker = it.worker()
        signal(worker, "one")
        token = worker.take().completionToken

        worker.stub.AbandonTaskEntityWorkItem(pb.AbandonEntityTaskRequest(completionToken=token))

        assert operations(worker.take()) == ["one"]
