"""The scheduler as the service sees it: a few calls, each with a deadline, whose errors are in our words."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, Protocol

import grpc
from azure.core.exceptions import AzureError
from durabletask.client import OrchestrationQuery, OrchestrationState, OrchestrationStatus, Page
from grpc.aio import AioRpcError

from monitor_client.errors import NoCredential, NotAllowed, SchedulerRefused, SchedulerUnreachable, ServiceError
from monitor_core.contract import CONTROL_EVENT, ORCHESTRATOR, VERSION
from monitor_core.scheduler import may_be_replaced
from monitor_core.settings import SchedulerSettings

CALL_SECONDS: Final = 10.0
_LONGEST_REASON = 160
_UNREACHABLE = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
)
_FORBIDDEN = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})
_IN_A_FEW_WORDS: Final[Mapping[str, str]] = {
    "connection refused": "connection refused",
    "dns resolution failed": "its name cannot be resolved",
    "errors resolving": "its name cannot be resolved",
    "failed parsing http/2": "what answers there speaks no gRPC",
    "handshake": "the TLS handshake failed",
    "certificate": "its TLS certificate is not trusted",
    "timed out": "no connection in time",
}


class Client(Protocol):
    """What is used of the SDK's asynchronous client."""

    async def schedule_new_orchestration(
        self,
        orchestrator: str,
        *,
        input: Any = None,  # noqa: A002 # the SDK's word
        instance_id: str | None = None,
        reuse_id_policy: Any = None,
        version: str | None = None,
    ) -> str:
        """Start an instance."""

    async def get_orchestration_state(
        self, instance_id: str, *, fetch_payloads: bool = True
    ) -> OrchestrationState | None:
        """Read an instance."""

    async def raise_orchestration_event(self, instance_id: str, event_name: str, *, data: Any = None) -> None:
        """Send an event to an instance."""

    async def query_page(self, query: OrchestrationQuery, token: str | None) -> Page[OrchestrationState]:
        """A page of the instances that a query selects."""

    async def list_instance_ids(
        self,
        runtime_status: list[OrchestrationStatus] | None = None,
        completed_time_from: datetime | None = None,
        *,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Page[str]:
        """A page of the ended instances, in the order of their ends."""

    async def purge_orchestration(self, instance_id: str) -> Any:
        """Delete an ended instance."""

    async def terminate_orchestration(self, instance_id: str) -> None:
        """End an instance from outside."""


class Gateway:
    """The scheduler behind an SDK client."""

    def __init__(self, client: Client, settings: SchedulerSettings, *, call_seconds: float = CALL_SECONDS) -> None:
        """Wrap `client`, whose closing stays with the caller; `settings` are what messages name."""
        self._client = client
        self._settings = settings
        self._call_seconds = call_seconds

    @property
    def taskhub(self) -> str:
        """The task hub's name."""
        return self._settings.taskhub

    async def create(
        self,
        instance_id: str,
        given: Mapping[str, Any],
        *,
        replacing: OrchestrationStatus | None = None,
        orchestrator: str = ORCHESTRATOR,
    ) -> bool:
        """Start an orchestration with the input `given`; False where there is an instance in the way.

        Args:
            instance_id: the instance.
            given: the orchestration's input, JSON data.
            replacing: an instance that has ended so makes room.
            orchestrator: a monitor, unless said otherwise.

        Raises:
            ServiceError: the scheduler cannot be reached, or refuses.
        """
        async with self._call():
            try:
                await self._client.schedule_new_orchestration(
                    orchestrator,
                    input=given,
                    instance_id=instance_id,
                    reuse_id_policy=may_be_replaced(replacing) if replacing is not None else None,
                    version=VERSION,
                )
            except AioRpcError as error:
                if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                    raise
                return False
        return True

    async def read(self, instance_id: str, *, payloads: bool) -> OrchestrationState | None:
        """An instance, with its input and output where `payloads`; None where there is none.

        Raises:
            ServiceError: as `create`.
        """
        async with self._call():
            return await self._client.get_orchestration_state(instance_id, fetch_payloads=payloads)

    async def tell(self, instance_id: str, command: Mapping[str, Any]) -> None:
        """Send a command (JSON data).

        Raises:
            ServiceError: as `create`.
        """
        async with self._call():
            await self._client.raise_orchestration_event(instance_id, CONTROL_EVENT, data=command)

    async def page(self, query: OrchestrationQuery, token: str | None) -> Page[OrchestrationState]:
        """One page of the instances that `query` selects, and the token of the next.

        Raises:
            ServiceError: as `create`.
        """
        async with self._call():
            return await self._client.query_page(query, token)

    async def ended(
        self, how: Iterable[OrchestrationStatus], since: datetime | None, token: str | None, limit: int
    ) -> Page[str]:
        """One page of the ids of instances, monitors or not, that have ended, and the token of the next.

        Args:
            how: their runtime statuses.
            since: only those that ended then or later (UTC); None for all.
            token: of the page before; None for the first.
            limit: how many, at most.

        Raises:
            ServiceError: as `create`.
        """
        async with self._call():
            return await self._client.list_instance_ids(
                list(how), since, page_size=limit, continuation_token=token
            )

    async def purge(self, instance_id: str) -> bool:
        """Delete an ended instance; False where there is none that has ended.

        Raises:
            ServiceError: as `create`.
        """
        async with self._call():
            return bool((await self._client.purge_orchestration(instance_id)).deleted_instance_count)

    async def terminate(self, instance_id: str) -> None:
        """End an instance from outside.

        Raises:
            ServiceError: as `create`.
        """
        async with self._call():
            await self._client.terminate_orchestration(instance_id)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        endpoint = self._settings.endpoint
        try:
            async with asyncio.timeout(self._call_seconds):
                yield
        except TimeoutError as error:
            why = f"no answer within {self._call_seconds:g} s"
            raise SchedulerUnreachable(endpoint, why) from error
        except AioRpcError as error:
            raise self._translated(error) from error
        except AzureError as error:
            raise NoCredential(endpoint, _first_line(error.message)) from error

    def _translated(self, error: AioRpcError) -> ServiceError:
        endpoint, code, details = self._settings.endpoint, error.code(), error.details() or ""
        if code in _UNREACHABLE:
            return SchedulerUnreachable(endpoint, _shortened(details) or code.name)
        if code in _FORBIDDEN:
            return NotAllowed(endpoint, self.taskhub, _first_line(details) or code.name)
        return SchedulerRefused(endpoint, code.name, _first_line(details) or "and says no more")


def _shortened(details: str) -> str:
    lowered = details.lower()
    found = (words for sign, words in _IN_A_FEW_WORDS.items() if sign in lowered)
    return next(found, _first_line(details))


def _first_line(text: str) -> str:
    line = next(iter(text.strip().splitlines()), "").strip()
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 3] + "..."
