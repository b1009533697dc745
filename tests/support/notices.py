"""What the tests of channels deliver: one notice, and an attempt to deliver it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from monitor_core.contract import Notice, instance_id
from monitor_worker.channels.base import DeliveryContext

AT: Final = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)
CONTEXT: Final = DeliveryContext("deliver-1", "run-1.1", 1, 30.0, "/taskhubs/default")
PAGE: Final = "https://monitors.example.com/monitors/nightly"


def notice(job_id: str = "nightly", **fields: Any) -> Notice:
    """A verdict, or what `fields` make of it."""
    verdict = {
        "id": f"{instance_id(job_id)}:run-1:Failed:0",
        "occasion": "verdict",
        "at": AT,
        "instance_id": instance_id(job_id),
        "job_id": job_id,
        "run": "run-1",
        "revision": 0,
        "kind": "http",
        "status": "Failed",
        "decided_by": "poll",
        "reason": "the failure condition holds: observed Broken (poll)",
        "observed": "Broken",
        "summary": "200 OK, 20 bytes in 3 ms",
        "error": None,
        "checks_performed": 7,
        "started_at": AT - timedelta(seconds=70),
        "deadline": AT + timedelta(seconds=30),
        "elapsed_seconds": 70.0,
        "elapsed_percent": 70.0,
        "labels": {"team": "ops"},
    }
    return Notice.model_validate({**verdict, **fields})


def reminder(**fields: Any) -> Notice:
    """That a job is still waited for."""
    waiting = {"occasion": "reminder", "status": "Running", "decided_by": None, "reason": None}
    return notice(**{**waiting, "observed": "Running", **fields})


def transition(**fields: Any) -> Notice:
    """That the observed status has changed."""
    return reminder(**{"occasion": "transition", "observed": "Loading", **fields})


def attempt(**fields: Any) -> DeliveryContext:
    """An attempt to deliver, by a worker that knows where the monitor's page is."""
    return replace(CONTEXT, **{"page": PAGE, **fields})
