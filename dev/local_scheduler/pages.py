"""Mend `pages`: a token that is of no page is refused, instead of standing for the first one."""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc

from local_scheduler.core import Core


class Pages(Core):
    """Gives pages of instances by the tokens that it gave."""

    def QueryInstances(
        self, request: pb.QueryInstancesRequest, context: grpc.ServicerContext
    ) -> pb.QueryInstancesResponse:
        """Give a page."""
        token = request.query.continuationToken.value
        if token and not (token.isascii() and token.isdecimal()):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the continuation token is of no page")
        return super().QueryInstances(request, context)
