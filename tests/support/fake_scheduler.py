"""The SDK's asynchronous client with its instances in memory: ids and reuse policies as the engine has them."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
from durabletask.client import (
    OrchestrationQuery,
    OrchestrationState,
    OrchestrationStatus,
    Page,
    PurgeInstancesResult,
)
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.task import FailureDetails
from grpc.aio import AioRpcError, Metadata

from monitor_client.gateway import Gateway
from monitor_client.service import MonitorService
from monitor_client.view import ENDED
from monitor_core.contract import (
    NOTIFY,
    Delivery,
    MonitorInput,
    MonitorRequest,
    Notice,
    delivery_id,
    instance_id,
    parse_request,
)
from monitor_core.kinds import BUILT_IN
from monitor_core.settings import SchedulerSettings

NOON = datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC)
LAST = NOON.replace(second=16)
SETTINGS = SchedulerSettings(ENDPOINT="http://127.0.0.1:8080", TASKHUB="hub")


def rpc_error(code: grpc.StatusCode, details: str = "") -> AioRpcError:
    return AioRpcError(code, Metadata(), Metadata(), details=details, debug_error_string=None)


def request(job_id: str = "job-1", **fields: Any) -> MonitorRequest:
    return parse_request({"job_id": job_id, "check": {"kind": "simulated"}, **fields}, BUILT_IN)


def status(**fields: Any) -> dict[str, Any]:
    """A custom status as the orchestrator sets it."""
    return {
        "job_id": "job-1",
        "run": "run-1",
        "status": "Running",
        "kind": "simulated",
        "check_count": 3,
        "as_of": "2026-01-01T12:00:00Z",
        "last_check_time": "2026-01-01T12:00:00Z",
        "next_check_time": "2026-01-01T12:00:02Z",
        "deadline": "2026-01-01T12:00:08Z",
        "turn_seconds": 0,
        "observed": "Running",
        "summary": "200 OK, 120 bytes in 4 ms",
        "error": None,
        "consecutive_errors": 0,
        "paused": False,
        "revision": 0,
        "commands": [],
        "transitions": [{"at": "2026-01-01T12:00:00Z", "status": "Running"}],
        **fields,
    }


def result(**fields: Any) -> dict[str, Any]:
    """A result as the orchestrator leaves it."""
    return {
        "job_id": "job-1",
        "run": "run-1",
        "final_status": "Completed",
        "decided_by": "poll",
        "reason": "the success condition holds",
        "checks_performed": 4,
        "monitoring_duration_seconds": 15.25,
        "started_at": "2026-01-01T12:00:00Z",
        "ended_at": "2026-01-01T12:00:15.25Z",
        "deadline": "2026-01-01T12:00:30Z",
        "revision": 0,
        "last_observation": {
            "at": "2026-01-01T12:00:15Z",
            "status": "Succeeded",
            "summary": "200 OK",
            "latency_seconds": 0.004,
            "success": True,
            "failure": False,
        },
        "last_error": None,
        "transitions": [
            {"at": "2026-01-01T12:00:00Z", "status": "Running"},
            {"at": "2026-01-01T12:00:15Z", "status": "Succeeded"},
        ],
        "revisions": [],
        "labels": {},
        **fields,
    }


@dataclass
class Instance:
    """An orchestration as the engine keeps it."""

    given: Mapping[str, Any] | None = None
    runtime: OrchestrationStatus = OrchestrationStatus.RUNNING
    shown: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    failure: FailureDetails | None = None
    name: str = "monitor"
    ended: datetime = LAST

    def state(self, instance: str, *, payloads: bool = True) -> OrchestrationState:
        return OrchestrationState(
            instance_id=instance,
            name=self.name,
            runtime_status=self.runtime,
            created_at=NOON.replace(tzinfo=None),
            last_updated_at=self.ended.replace(tzinfo=None),
            serialized_input=_json(self.given) if payloads else None,
            serialized_output=_json(self.output) if payloads else None,
            serialized_custom_status=_json(self.shown),
            failure_details=self.failure,
        )


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)


def notice(**fields: Any) -> Notice:
    """What is told of the monitor of job-1 at its verdict."""
    told = {
        "id": "monitor-job-1:run-1:Completed:0",
        "occasion": "verdict",
        "at": NOON,
        "instance_id": "monitor-job-1",
        "job_id": "job-1",
        "run": "run-1",
        "revision": 0,
        "kind": "simulated",
        "status": "Completed",
        "observed": "Succeeded",
        "summary": None,
        "error": None,
        "checks_performed": 4,
        "started_at": NOON,
        "deadline": NOON,
        "elapsed_seconds": 15.0,
        "elapsed_percent": 50.0,
    }
    return Notice.model_validate({**told, **fields})


def told(outcome: str = "delivered", **fields: Any) -> dict[str, Any]:
    """The custom status and the output of a delivery."""
    return {
        "id": "monitor-job-1:run-1:Completed:0",
        "kind": "webhook",
        "occasion": "verdict",
        "run": "run-1",
        "outcome": outcome,
        "attempts": 1,
        "detail": "HTTP 204",
        "as_of": "2026-01-01T12:00:02Z",
        "next_attempt_at": None,
        **fields,
    }


@dataclass
class FakeScheduler:
    """Its `before` runs ahead of each call with the call's name: to fail, or to let somebody else be quicker."""

    instances: dict[str, Instance] = field(default_factory=dict)
    before: Callable[[str], None] = lambda _: None
    calls: list[tuple[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    pending: Any = None
    """The input of the start under way."""

    def put(self, asked: MonitorRequest, run: str, instance: Instance) -> Instance:
        """Have a monitor stand there already."""
        instance.given = instance.given or MonitorInput(request=asked, run=run).model_dump(mode="json")
        self.instances[instance_id(asked.job_id)] = instance
        return instance

    def deliver(self, said: Notice, position: int, instance: Instance) -> Instance:
        """Have a delivery stand there, by the channel at this position of the request."""
        delivery = Delivery(to={"kind": "webhook", "url": f"https://example.com/{position}"}, notice=said)
        instance.given, instance.name = instance.given or delivery.model_dump(mode="json"), NOTIFY
        self.instances[delivery_id(delivery, position)] = instance
        return instance

    async def schedule_new_orchestration(
        self,
        orchestrator: str,
        *,
        input: Any = None,  # noqa: A002 # the SDK's word
        instance_id: str | None = None,
        reuse_id_policy: pb.OrchestrationIdReusePolicy | None = None,
        version: str | None = None,
    ) -> str:
        assert instance_id is not None
        replaceable = list(reuse_id_policy.replaceableStatus) if reuse_id_policy else []
        self.pending = input
        await self._called("schedule", {"name": orchestrator, "version": version, "replaceable": replaceable})
        existing = self.instances.get(instance_id)
        if existing is not None and existing.runtime.value not in replaceable:
            raise rpc_error(grpc.StatusCode.ALREADY_EXISTS, "exists")
        self.instances[instance_id] = Instance(
            given=json.loads(json.dumps(input)), runtime=OrchestrationStatus.PENDING, name=orchestrator
        )
        return instance_id

    async def get_orchestration_state(
        self, instance_id: str, *, fetch_payloads: bool = True
    ) -> OrchestrationState | None:
        await self._called("read", {"payloads": fetch_payloads})
        existing = self.instances.get(instance_id)
        return None if existing is None else existing.state(instance_id, payloads=fetch_payloads)

    async def raise_orchestration_event(self, instance_id: str, event_name: str, *, data: Any = None) -> None:
        await self._called("event", {"instance": instance_id, "name": event_name, "data": data})

    async def query_page(self, query: OrchestrationQuery, token: str | None) -> Page[OrchestrationState]:
        await self._called("query", {"query": query, "token": token})
        if token is not None and not token.isdecimal():
            raise rpc_error(grpc.StatusCode.INVALID_ARGUMENT, "the continuation token is malformed")
        chosen = [(name, one) for name, one in self.instances.items() if _is_selected(name, one, query)]
        start, size = int(token or 0), query.max_instance_count or len(chosen)
        states = [one.state(name, payloads=query.fetch_inputs_and_outputs) for name, one in chosen]
        return Page(states[start : start + size], str(start + size) if start + size < len(states) else None)

    async def list_instance_ids(
        self,
        runtime_status: list[OrchestrationStatus] | None = None,
        completed_time_from: datetime | None = None,
        *,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Page[str]:
        await self._called("list", {"since": completed_time_from, "token": continuation_token})
        wanted = ENDED.intersection(runtime_status or ENDED)
        chosen = sorted(
            (one.ended, name)
            for name, one in self.instances.items()
            if one.runtime in wanted and (completed_time_from is None or one.ended >= completed_time_from)
        )
        start, size = int(continuation_token or 0), page_size or len(chosen)
        names = [name for _, name in chosen[start : start + size]]
        return Page(names, str(start + size) if start + size < len(chosen) else None)

    async def purge_orchestration(self, instance_id: str) -> PurgeInstancesResult:
        await self._called("purge", {"instance": instance_id})
        ended = instance_id in self.instances and self.instances[instance_id].runtime in ENDED
        if ended:
            del self.instances[instance_id]
        return PurgeInstancesResult(deleted_instance_count=int(ended), is_complete=True)

    async def terminate_orchestration(self, instance_id: str) -> None:
        await self._called("terminate", {"instance": instance_id})
        self.instances[instance_id].runtime = OrchestrationStatus.TERMINATED

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def given(self, name: str) -> list[Any]:
        return [given for called, given in self.calls if called == name]

    async def _called(self, name: str, given: Any) -> None:
        self.calls.append((name, given))
        await asyncio.sleep(self.seconds)
        self.before(name)

    def service(self, *, call_seconds: float = 10) -> MonitorService:
        return MonitorService(Gateway(self, SETTINGS, call_seconds=call_seconds))


def _is_selected(name: str, instance: Instance, query: OrchestrationQuery) -> bool:
    wanted = query.runtime_status or list(OrchestrationStatus)
    return instance.runtime in wanted and name.startswith(query.instance_id_prefix or "")


def once(*actions: Callable[[], object] | None) -> Callable[[str], None]:
    """A `before` that does one action a call, then nothing; None stands for nothing."""
    left = iter(actions)

    def before(_: str) -> None:
        action = next(left, None)
        if action is not None:
            action()

    return before


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def statuses(values: Iterable[OrchestrationStatus]) -> set[int]:
    return {value.value for value in values}
