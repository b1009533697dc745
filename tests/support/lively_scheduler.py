"""A scheduler in memory with something like a worker behind it: monitors run, answer commands, and soon end."""

from dataclasses import dataclass
from typing import Any

from durabletask.client import OrchestrationState, OrchestrationStatus

from monitor_core.contract import EXPLAIN
from support.fake_scheduler import NOON, FakeScheduler, Instance, result, status


@dataclass
class LivelyScheduler(FakeScheduler):
    """A worker takes a monitor after the first look at it, and it ends after `looks`; commands are accepted."""

    looks: int = 3

    async def schedule_new_orchestration(self, orchestrator: str, **given: Any) -> str:
        instance = await super().schedule_new_orchestration(orchestrator, **given)
        if orchestrator == EXPLAIN:
            begun = self.instances[instance]
            begun.runtime, begun.output = OrchestrationStatus.COMPLETED, explanation(given["input"]["request"])
        return instance

    async def get_orchestration_state(
        self, instance_id: str, *, fetch_payloads: bool = True
    ) -> OrchestrationState | None:
        seen = await super().get_orchestration_state(instance_id, fetch_payloads=fetch_payloads)
        if seen is not None:
            _go_on(self.instances[instance_id], self.looks)
        return seen

    async def raise_orchestration_event(self, instance_id: str, event_name: str, *, data: Any = None) -> None:
        await super().raise_orchestration_event(instance_id, event_name, data=data)
        monitor = self.instances[instance_id]
        if monitor.shown is not None:
            monitor.shown = {**monitor.shown, "commands": [*monitor.shown["commands"], outcome(data)][-8:]}
        if data["name"] == "cancel":
            end(monitor, final_status="Cancelled", decided_by="operator")


def _go_on(monitor: Instance, looks: int) -> None:
    if monitor.runtime is OrchestrationStatus.PENDING and monitor.given is not None:
        job_id, run = monitor.given["request"]["job_id"], monitor.given["run"]
        monitor.runtime, monitor.shown = OrchestrationStatus.RUNNING, status(job_id=job_id, run=run, check_count=1)
    elif monitor.runtime is OrchestrationStatus.RUNNING and monitor.shown is not None:
        monitor.shown = {**monitor.shown, "check_count": monitor.shown["check_count"] + 1}
        if monitor.shown["check_count"] > looks:
            end(monitor)


def end(monitor: Instance, **fields: Any) -> None:
    """Let a monitor reach its verdict."""
    assert monitor.given is not None
    named = {"job_id": monitor.given["request"]["job_id"], "run": monitor.given["run"]}
    monitor.output, monitor.runtime = result(**named, **fields), OrchestrationStatus.COMPLETED


def outcome(command: dict[str, Any]) -> dict[str, Any]:
    at = NOON.isoformat()
    return {"id": command["id"], "name": command["name"], "at": at, "accepted": True, "message": "done"}


def explanation(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "job_id": request["job_id"],
        "kind": request["check"]["kind"],
        "at": NOON.isoformat(),
        "observation": None,
        "error": {"error_class": "transient", "message": "connection refused", "at": NOON.isoformat()},
        "variables": None,
        "shortened": False,
        "conditions": [],
        "verdict": None,
        "reason": "the wait would go on: connection refused",
        "next_check_at": NOON.isoformat(),
        "retry_after_seconds": None,
    }
