"""A process that takes work from a scheduler and completes it at once, without the SDK's worker.

python -m benchmarks.echo ADDRESS

Each orchestration has an activity done, and another one, and continues as new after ten.
"""

import asyncio
import sys
from typing import Any, Final

import grpc
from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal.orchestrator_service_pb2_grpc import TaskHubSidecarServiceStub

ACTIVITIES: Final = 10
_AT_A_TIME: Final = 1000


def actions(request: pb.OrchestratorRequest) -> list[pb.OrchestratorAction]:
    """What an orchestration does next: nothing new, where no activity has ended."""
    events = [*request.pastEvents, *request.newEvents]
    done = sum(event.HasField("taskCompleted") for event in events)
    if done >= ACTIVITIES:
        status = pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
        return [helpers.new_complete_orchestration_action(done + 1, status, "null")]
    return [helpers.new_schedule_task_action(done + 1, "echo", "null", None)]


async def answer(stub: Any, item: pb.WorkItem) -> None:
    """Complete a work item."""
    if item.HasField("orchestratorRequest"):
        request = item.orchestratorRequest
        response = pb.OrchestratorResponse(
            instanceId=request.instanceId, actions=actions(request), completionToken=item.completionToken
        )
        await stub.CompleteOrchestratorTask(response)
    elif item.HasField("activityRequest"):
        asked = item.activityRequest
        done = pb.ActivityResponse(
            instanceId=asked.orchestrationInstance.instanceId,
            taskId=asked.taskId,
            result=helpers.get_string_value("null"),
            completionToken=item.completionToken,
        )
        await stub.CompleteActivityTask(done)


async def main(address: str) -> None:
    """Answer everything until ended."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = TaskHubSidecarServiceStub(channel)  # type: ignore[no-untyped-call]
        asked = pb.GetWorkItemsRequest(
            maxConcurrentOrchestrationWorkItems=_AT_A_TIME, maxConcurrentActivityWorkItems=_AT_A_TIME
        )
        under_way: set[asyncio.Task[None]] = set()
        async for item in stub.GetWorkItems(asked):
            task = asyncio.create_task(answer(stub, item))
            under_way.add(task)
            task.add_done_callback(under_way.discard)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
