"""A worker of the plain loop, as the pattern is usually written: an activity and a timer a check, one history.

It is what ours is measured against. The SDK's own defaults hold but for its logger, which at INFO costs a quarter
of a worker's CPU: quiet here, as in ours.
"""

import json
import os
import signal
import threading
import urllib.request
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from benchmark_kind import Times
from durabletask.azuremanaged.worker import DurableTaskSchedulerWorker
from durabletask.task import ActivityContext, OrchestrationContext
from durabletask.worker import ConcurrencyOptions

from monitor_core.scheduler import sdk_logger
from monitor_core.settings import worker_settings

_TIMES = Times()


def plain_loop(ctx: OrchestrationContext, job: dict[str, Any]) -> Any:
    """Check, show what was seen, sleep, until it is so or the time is out.

    The input is an object: `checks`, `changes_every`, `interval` and `timeout` (seconds), and `url` where there is
    one to look at.
    """
    expires = ctx.current_utc_datetime + timedelta(seconds=job["timeout"])
    number = 0
    while ctx.current_utc_datetime < expires:
        number += 1
        status = yield ctx.call_activity(check_status, input={**job, "number": number})
        ctx.set_custom_status({"status": status, "check_count": number})
        if status == "Succeeded":
            return {"final_status": "Completed", "checks_performed": number}
        yield ctx.create_timer(ctx.current_utc_datetime + timedelta(seconds=job["interval"]))
    return {"final_status": "Timeout", "checks_performed": number}


def check_status(ctx: ActivityContext, job: dict[str, Any]) -> str:
    """The same check as ours: of nothing, or of a page."""
    status = _TIMES.check(ctx.orchestration_id, job["number"], job["checks"], job["changes_every"])
    if "url" not in job:
        return status
    with urllib.request.urlopen(job["url"], timeout=10) as answer:  # noqa: S310 # the benchmark's own page
        return str(json.load(answer)["status"])


def _options() -> ConcurrencyOptions | None:
    """As many activities at a time as BENCHMARK_SLOTS says, where it is set."""
    slots = os.environ.get("BENCHMARK_SLOTS")
    return ConcurrencyOptions(maximum_concurrent_activity_work_items=int(slots)) if slots else None


def main() -> None:
    """Work until told to stop."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    where = worker_settings().scheduler
    address = urlsplit(where.endpoint).netloc
    with DurableTaskSchedulerWorker(
        host_address=address, taskhub=where.taskhub, token_credential=None, secure_channel=False,
        logger=sdk_logger(), concurrency_options=_options(),
    ) as worker:  # fmt: skip
        worker.add_orchestrator(plain_loop)
        worker.add_activity(check_status)
        worker.start()
        print("ready", flush=True)
        told.wait()
    _TIMES.keep()


if __name__ == "__main__":
    main()
