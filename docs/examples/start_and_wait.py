"""A workflow of your own that waits with Durable Monitor: start a job, wait for it, act on the verdict.

The monitor is an orchestration named `monitor`, so any workflow of the Durable Task SDK can call it. A worker that
runs monitors has to be there on the same task hub: Durable Monitor's own, or this very one.
"""

import json
import urllib.request
from collections.abc import Generator
from typing import Any

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
