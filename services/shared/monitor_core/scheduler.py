"""The only place that builds a worker, a client, a credential or a channel of the Durable Task Scheduler.

It is also the one adapter to the SDK's private parts.
"""

import logging
import re
import threading
from collections.abc import Sequence
from typing import Any, Final

import grpc.experimental
from durabletask.azuremanaged.client import AsyncDurableTaskSchedulerClient
from durabletask.azuremanaged.worker import DurableTaskSchedulerWorker
from durabletask.client import (
    OrchestrationQuery,
    OrchestrationState,
    OrchestrationStatus,
    Page,
    parse_orchestration_state,
)
from durabletask.grpc_options import GrpcChannelOptions, GrpcRetryPolicyOptions, GrpcWorkerResiliencyOptions
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import tracing
from durabletask.internal.client_helpers import build_query_instances_req
from durabletask.internal.helpers import get_string_value
from durabletask.task import OrchestrationContext
from durabletask.worker import (
    ActivityWorkItemFilter,
    ConcurrencyOptions,
    OrchestrationWorkItemFilter,
    TaskHubGrpcWorker,
    WorkItemFilters,
)
from opentelemetry.context import Context

from monitor_core.contract import ORCHESTRATOR, VERSION
from monitor_core.payloads import Payloads
from monitor_core.settings import SchedulerSettings
from monitor_core.work_items import WorkItems

_MESSAGE_BYTES = 64 * 1024 * 1024
# The thread that waits for work items reads them: no other hands them on.
_ONE_THREAD = (grpc.experimental.ChannelOptions.SingleThreadedUnaryStream, 1)

_RPC_ERROR: Final = re.compile(
    r"<\w+ of RPC that terminated with:\s+status = StatusCode\.(?P<code>\w+)\s+details = \"(?P<details>[^\n]*)\""
)


def sdk_logger() -> logging.Logger:
    """The SDK's logger, at WARNING: at its default INFO it costs a quarter of a worker's CPU."""
    logger = logging.getLogger("durabletask")
    logger.setLevel(logging.WARNING)
    logger.addFilter(_in_a_line)  # which is there once, however often it is added
    return logger


def _in_a_line(record: logging.LogRecord) -> bool:
    """Has the SDK say in a line what gRPC says in ten; that the worker itself has ended a stream is no warning."""
    message = record.getMessage()
    failed = _RPC_ERROR.search(message)
    if failed is None:
        return True
    if failed["code"] == "CANCELLED" and failed["details"].startswith("Locally cancelled"):
        return False
    record.msg, record.args = f"{message[: failed.start()]}{failed['code']}: {failed['details']}", ()
    return True


def channel_options(*more: tuple[str, int]) -> GrpcChannelOptions:
    """Retries for every call (without: one UNAVAILABLE leaves an instance stuck), keepalive, large messages.

    Args:
        more: options of gRPC besides.
    """
    return GrpcChannelOptions(
        max_receive_message_length=_MESSAGE_BYTES,
        max_send_message_length=_MESSAGE_BYTES,
        keepalive_time_ms=30_000,
        keepalive_timeout_ms=10_000,
        # gRPC's own cap is two minutes: a scheduler that is back should be seen at once.
        raw_options=[("grpc.max_reconnect_backoff_ms", 5_000), *more],
        retry_policy=GrpcRetryPolicyOptions(
            max_attempts=5, initial_backoff_seconds=0.2, max_backoff_seconds=2, backoff_multiplier=3
        ),
    )


class DrainingWorker(DurableTaskSchedulerWorker):
    """The SDK's worker, with an end that neither loses nor repeats an activity that it has begun.

    `stop` alone breaks the stream of work items first: the engine hands out again what is under way.
    """

    def __init__(self, *, max_activities: int, max_orchestrations: int, **options: Any) -> None:
        limits = ConcurrencyOptions(
            maximum_concurrent_activity_work_items=max_activities,
            maximum_concurrent_orchestration_work_items=max_orchestrations,
        )
        super().__init__(concurrency_options=limits, **options)
        manager = WorkItems(
            max_activities=max_activities, max_orchestrations=max_orchestrations, logger=sdk_logger()
        )
        self._async_worker_manager: Any = manager
        self._begun = 0
        self._idle = threading.Condition()
        self._draining = False

    def drain(self) -> None:
        """Begin no activity any more, wait for those that are begun, then stop."""
        with self._idle:
            self._draining = True
            self._idle.wait_for(lambda: self._begun == 0)
        self.stop()  # type: ignore[no-untyped-call]

    def _execute_activity(self, req: Any, stub: Any, completionToken: Any) -> None:  # noqa: N803 # the SDK's name
        with self._idle:
            begins = not self._draining
            self._begun += begins
        if not begins:
            # Left to the engine, which hands it out again once the stream is closed. Abandoned before, it would
            # come back to this worker; abandoned after, it would be taken from the one that has it by then.
            self._shutdown.wait()
            return
        try:
            super()._execute_activity(req, stub, completionToken)
        finally:
            with self._idle:
                self._begun -= 1
                self._idle.notify_all()


def build_worker(
    settings: SchedulerSettings, *, max_activities: int, max_orchestrations: int, traces: bool = False
) -> DrainingWorker:
    """A worker with nothing registered yet.

    Without `traces` it makes no spans, and imports nothing to
    make them with; a trace that comes in goes on to the activities all the same.
    """
    worker = DrainingWorker(
        host_address=settings.address,
        taskhub=settings.taskhub,
        token_credential=_credential(settings),
        secure_channel=settings.secure,
        channel_options=channel_options(_ONE_THREAD),
        resiliency_options=GrpcWorkerResiliencyOptions(hello_timeout_seconds=10, reconnect_backoff_cap_seconds=5),
        max_activities=max_activities,
        max_orchestrations=max_orchestrations,
        logger=sdk_logger(),
        data_converter=Payloads(),
    )
    worker._emit_trace_spans = traces  # noqa: SLF001 # an option of the base class that Azure's does not pass on
    return worker


def trace_of(ctx: OrchestrationContext) -> Context | None:
    """The trace that an orchestration is part of: what is made in it is a child of the orchestration's span."""
    known = getattr(ctx, "_orchestration_trace_context", None) or getattr(ctx, "_parent_trace_context", None)
    found: Context | None = tracing.extract_trace_context(known)
    return found


def take_only_what_is_registered(worker: TaskHubGrpcWorker, *, versions: Sequence[str]) -> None:
    """Let the worker take what has been registered with it, of the monitor only these versions (and none)."""
    registry = worker._registry  # noqa: SLF001 # the SDK's own filters know no more than one version
    monitors = [OrchestrationWorkItemFilter(ORCHESTRATOR, [*versions, ""])]
    others = [OrchestrationWorkItemFilter(name) for name in registry.orchestrators if name != ORCHESTRATOR]
    activities = [ActivityWorkItemFilter(name) for name in registry.activities]
    worker.use_work_item_filters(WorkItemFilters(orchestrations=monitors + others, activities=activities))


def may_be_replaced(status: OrchestrationStatus) -> pb.OrchestrationIdReusePolicy:
    """The policy of a start that takes the place of an instance that has ended so, and not otherwise."""
    return pb.OrchestrationIdReusePolicy(replaceableStatus=[status.value])


class Client(AsyncDurableTaskSchedulerClient):
    """The SDK's client, with the one thing that it lacks: a page of a query."""

    async def query_page(self, query: OrchestrationQuery, token: str | None) -> Page[OrchestrationState]:
        """The instances that `query` selects, at most `max_instance_count` of them.

        Args:
            query: what is looked for; filtered by the scheduler.
            token: of the page before; None for the first.
        """
        request = build_query_instances_req(query, get_string_value(token))
        answer: pb.QueryInstancesResponse = await self._get_stub().QueryInstances(request)
        states = [parse_orchestration_state(state, self._data_converter) for state in answer.orchestrationState]
        return Page(states, answer.continuationToken.value or None)


async def close_client(client: AsyncDurableTaskSchedulerClient) -> None:
    """Close a client, and the credential that was made for it: the SDK leaves that to its maker."""
    await client.close()
    for interceptor in client._interceptors:  # noqa: SLF001 # there is no public way to it
        credential = getattr(interceptor, "_token_credential", None)
        if credential is not None:
            await credential.close()


def is_connected(worker: TaskHubGrpcWorker) -> bool:
    """Whether the worker holds a stream of work items."""
    return getattr(worker, "_response_stream", None) is not None


def is_running(worker: TaskHubGrpcWorker) -> bool:
    """Whether the worker's own loop runs; it reconnects by itself as long as it does."""
    thread = worker._runLoop  # noqa: SLF001 # the SDK has no public word for it
    return thread is not None and thread.is_alive()


def build_client(settings: SchedulerSettings) -> Client:
    """A client; close it with `close_client`."""
    return Client(
        host_address=settings.address,
        taskhub=settings.taskhub,
        token_credential=_async_credential(settings),
        secure_channel=settings.secure,
        channel_options=channel_options(),
        default_version=VERSION,
        logger=sdk_logger(),
    )


def _credential(settings: SchedulerSettings) -> Any:
    if not settings.secure:
        return None
    from azure import identity  # noqa: PLC0415 # half a second that the emulator does not need

    return _choose(identity, settings)


def _async_credential(settings: SchedulerSettings) -> Any:
    if not settings.secure:
        return None
    from azure.identity import aio  # noqa: PLC0415 # half a second that the emulator does not need

    return _choose(aio, settings)


def _choose(module: Any, settings: SchedulerSettings) -> Any:
    """The credential of the connection string's `Authentication`, from `azure.identity` or its `aio`."""
    name = settings.authentication or "DefaultAzure"
    if name == "DefaultAzure":
        return module.DefaultAzureCredential(managed_identity_client_id=settings.client_id)
    if name in {"ManagedIdentity", "WorkloadIdentity"} and settings.client_id:
        return getattr(module, f"{name}Credential")(client_id=settings.client_id)
    return getattr(module, {"AzureCLI": "AzureCliCredential"}.get(name, f"{name}Credential"))()
