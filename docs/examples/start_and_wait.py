"""A workflow of your own that waits with Durable Monitor: start a job, wait for it, act on the verdict.

The monitor is an orchestration named `monitor`, so any workflow of the Durable Task SDK can call it. A worker of
Durable Monitor runs it, on the same task hub. Your own worker must take only what is registered with it: without
work item filters it would be handed monitors too, and fail them.

    python start_and_wait.py http://localhost:8000/jobs    # with the emulator and a Durable Monitor worker running
"""

import json
import sys
import urllib.request
from collections.abc import Generator
from typing import Any

from durabletask.azuremanaged.client import DurableTaskSchedulerClient
from durabletask.azuremanaged.worker import DurableTaskSchedulerWorker
from durabletask.task import ActivityContext, OrchestrationContext, Task


def start_job(_: ActivityContext, url: str) -> str:
    """Start a long-running job; the URL that tells its status."""
    request = urllib.request.Request(url, data=b'{"duration_seconds": 2}', method="POST")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.headers["Operation-Location"])


def report(_: ActivityContext, verdict: dict[str, Any]) -> str:
    """What is to happen once the verdict is there."""
    return json.dumps({"job": verdict["job_id"], "status": verdict["final_status"]})


def start_and_wait(ctx: OrchestrationContext, url: str) -> Generator[Task[Any], Any, Any]:
    """Start a job, wait for it durably, act on the verdict."""
    operation = yield ctx.call_activity(start_job, input=url)
    verdict = yield ctx.call_sub_orchestrator(
        "monitor",
        version="1.0",
        input={
            "job_id": f"{ctx.instance_id}-job",
            "check": {"kind": "http", "url": operation},
            "polling": {"interval_seconds": 1},
            "timeout_seconds": 60,
        },
    )
    if verdict["final_status"] != "Completed":
        raise RuntimeError(f"the job did not complete: {verdict['reason']}")
    return (yield ctx.call_activity(report, input=verdict))


def main(jobs_url: str, scheduler: str = "localhost:8080", taskhub: str = "default") -> str:
    """Run a worker for this workflow, start it once, and wait for it; what `report` has said."""
    place: dict[str, Any] = {
        "host_address": scheduler,
        "taskhub": taskhub,
        "token_credential": None,
        "secure_channel": False,
    }
    worker = DurableTaskSchedulerWorker(**place)
    worker.add_orchestrator(start_and_wait)
    worker.add_activity(start_job)
    worker.add_activity(report)
    worker.use_work_item_filters()  # what it takes is what is registered above, and no monitor
    worker.start()
    client = DurableTaskSchedulerClient(**place)
    try:
        instance = client.schedule_new_orchestration(start_and_wait, input=jobs_url)
        state = client.wait_for_orchestration_completion(instance, timeout=120)
        if state is None:
            raise RuntimeError(f"there is no instance {instance}")
        state.raise_if_failed()
        return str(state.get_output())
    finally:
        client.close()
        worker.stop()


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
