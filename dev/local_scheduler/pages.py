"""Mend `pages`: a token that is of no page is refused, instead of standing for the first one; and a page of many
instances takes no longer than one of few."""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

from collections.abc import Callable, Iterator
from datetime import UTC
from itertools import islice
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.testing.in_memory_backend import OrchestrationInstance

from local_scheduler.core import Core

_LONGEST_TOKEN = 18


class Pages(Core):
    """Gives pages of instances, the oldest first, by the tokens that it gave."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._by_creation: dict[str, None] = {}

    def reset(self) -> None:
        """Forget the order as well."""
        with self._lock:
            super().reset()
            self._by_creation.clear()

    def _created(self, instance_id: str) -> None:
        self._by_creation.pop(instance_id, None)
        self._by_creation[instance_id] = None
        super()._created(instance_id)

    def QueryInstances(
        self, request: pb.QueryInstancesRequest, context: grpc.ServicerContext
    ) -> pb.QueryInstancesResponse:
        """Give a page."""
        query = request.query
        token = query.continuationToken.value
        if token and not (token.isascii() and token.isdecimal() and len(token) <= _LONGEST_TOKEN):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the continuation token is of no page")
        first, size = int(token or 0), query.maxInstanceCount if query.maxInstanceCount > 0 else None
        with self._lock:
            selected = islice(self._selected(query), first, None)
            chosen = list(islice(selected, size))
            page = pb.QueryInstancesRequest(
                query=pb.InstanceQuery(fetchInputsAndOutputs=query.fetchInputsAndOutputs)
            )
            # The SDK's backend makes the answer, of these alone: it looks at all that there are.
            everything, self._instances = self._instances, {one.instance_id: one for one in chosen}
            try:
                answer = super().QueryInstances(page, context)
            finally:
                self._instances = everything
            if next(selected, None) is not None:
                answer.continuationToken.value = str(first + len(chosen))
            return answer

    def _selected(self, query: pb.InstanceQuery) -> Iterator[OrchestrationInstance]:
        """Those that are asked for, in the order of their creation; what was purged is forgotten on the way."""
        everything, is_meant = self._instances, _judge_of(query)
        for instance_id in tuple(self._by_creation):
            instance = everything.get(instance_id)
            if instance is None:
                del self._by_creation[instance_id]
            elif is_meant(instance):
                yield instance


def _judge_of(query: pb.InstanceQuery) -> Callable[[OrchestrationInstance], bool]:
    statuses, prefix = frozenset(query.runtimeStatus), query.instanceIdPrefix.value
    after = query.createdTimeFrom.ToDatetime(UTC) if query.HasField("createdTimeFrom") else None
    before = query.createdTimeTo.ToDatetime(UTC) if query.HasField("createdTimeTo") else None

    def is_meant(instance: OrchestrationInstance) -> bool:
        return (
            (not statuses or instance.status in statuses)
            and instance.instance_id.startswith(prefix)
            and (after is None or instance.created_at >= after)
            and (before is None or instance.created_at < before)
        )

    return is_meant
