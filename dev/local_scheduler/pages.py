"""Mend `pages`: a token that is of no page is refused, instead of standing for the first one; and a page of many
instances takes little longer than one of few."""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

from collections.abc import Iterable
from datetime import UTC
from operator import attrgetter

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.testing.in_memory_backend import OrchestrationInstance

from local_scheduler.core import Core


class Pages(Core):
    """Gives pages of instances by the tokens that it gave."""

    def QueryInstances(
        self, request: pb.QueryInstancesRequest, context: grpc.ServicerContext
    ) -> pb.QueryInstancesResponse:
        """Give a page."""
        query = request.query
        token = query.continuationToken.value
        if token and not (token.isascii() and token.isdecimal()):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the continuation token is of no page")
        with self._lock:
            everything = self._instances
            selected = sorted(_selected(query, everything.values()), key=attrgetter("created_at"))
            first, size = int(token or 0), query.maxInstanceCount if query.maxInstanceCount > 0 else len(selected)
            page = pb.QueryInstancesRequest(
                query=pb.InstanceQuery(fetchInputsAndOutputs=query.fetchInputsAndOutputs)
            )
            # The SDK's backend makes the answer, of these alone: it asks each instance for each part of the query.
            self._instances = {one.instance_id: one for one in selected[first : first + size]}
            try:
                answer = super().QueryInstances(page, context)
            finally:
                self._instances = everything
            if first + size < len(selected):
                answer.continuationToken.value = str(first + size)
            return answer


def _selected(
    query: pb.InstanceQuery, instances: Iterable[OrchestrationInstance]
) -> Iterable[OrchestrationInstance]:
    found = instances
    if query.runtimeStatus:
        statuses = frozenset(query.runtimeStatus)
        found = [one for one in found if one.status in statuses]
    if query.HasField("createdTimeFrom"):
        after = query.createdTimeFrom.ToDatetime(UTC)
        found = [one for one in found if one.created_at >= after]
    if query.HasField("createdTimeTo"):
        before = query.createdTimeTo.ToDatetime(UTC)
        found = [one for one in found if one.created_at < before]
    if query.instanceIdPrefix.value:
        prefix = query.instanceIdPrefix.value
        found = [one for one in found if one.instance_id.startswith(prefix)]
    return found
