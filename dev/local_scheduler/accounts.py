"""Who holds which work item: the account that redelivery and the limits of a stream both need."""

# ruff: noqa: N802 - the methods of a gRPC service are named by its protocol

from collections.abc import Iterator
from functools import partial

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc

from local_scheduler.mends import Limits, Mends
from local_scheduler.service import Service
from local_scheduler.streams import Held, Kind, Stream, limits_of


class Accounts(Service):
    """The backend with an account of every work item that is out with a worker."""

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        super().__init__(port=port, mends=mends, limits=limits)
        self._streams: set[Stream] = set()
        self._holders: dict[str, Stream] = {}

    def reset(self) -> None:
        """Forget what is out as well: its completions will be unknown."""
        with self._lock:
            super().reset()
            self._holders.clear()
            for held in (held for stream in self._streams for held in stream.held.values()):
                held.clear()

    def GetWorkItems(
        self, request: pb.GetWorkItemsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WorkItem]:
        """Hand out work until the stream ends."""
        filters = dict(zip(Kind, self._parse_work_item_filters(request), strict=True))
        stream = Stream(limits=limits_of(request), filters=filters)
        if not self._begin(stream, context):
            return
        for item in self._work_items(stream, request, context):
            if not self._hand_out(stream, item):
                return
            yield item

    def _work_items(
        self, stream: Stream, request: pb.GetWorkItemsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WorkItem]:
        """Seam: where the work comes from."""
        return super().GetWorkItems(request, context)

    def _begin(self, stream: Stream, context: grpc.ServicerContext) -> bool:
        with self._lock:
            if not context.add_callback(partial(self._end, stream)):
                return False
            self._streams.add(stream)
            return True

    def _end(self, stream: Stream) -> None:
        with self._lock:
            stream.ended = True
            self._streams.discard(stream)
            for held in [held for of_kind in stream.held.values() for held in of_kind.values()]:
                self._settle(held.token)
                self._lost(held)
            self._wake_streams()

    def _hand_out(self, stream: Stream, item: pb.WorkItem) -> bool:
        """Put `item` on the stream's account; False if the stream ended while it was being taken."""
        with self._lock:
            held = Held.of(item)
            if held is not None and stream.ended:
                self._lost(held)
            elif held is not None:
                stream.held[held.kind][held.token] = held
                self._holders[held.token] = stream
                self.stats.count(item)
            return not stream.ended

    def _settle(self, token: str) -> Held | None:
        """Take a work item off the account of the stream that holds it, if any."""
        stream = self._holders.pop(token, None)
        if stream is None:
            return None
        self._wake_streams()  # this one may be handed another item
        return next(held for of_kind in stream.held.values() if (held := of_kind.pop(token, None)))

    def _lost(self, held: Held) -> None:
        """Seam: a work item came back unfinished."""

    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take the answer of an orchestration's turn."""
        with self._lock:
            self._settle(request.completionToken)
            return super().CompleteOrchestratorTask(request, context)

    def CompleteActivityTask(
        self, request: pb.ActivityResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take an activity's result."""
        with self._lock:
            self._settle(request.completionToken)
            return super().CompleteActivityTask(request, context)

    def CompleteEntityTask(
        self, request: pb.EntityBatchResult, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take the results of an entity's batch."""
        with self._lock:
            self._settle(request.completionToken)
            return super().CompleteEntityTask(request, context)
