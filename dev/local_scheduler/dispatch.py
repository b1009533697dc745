"""Mend `dispatch`: work goes out the moment it is there, to a worker that may and can take it."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc

from local_scheduler.lanes import Accepts
from local_scheduler.mends import Limits, Mends
from local_scheduler.queues import Queues
from local_scheduler.streams import Kind, Stream


class Dispatch(Queues):
    """Streams that sleep until they are woken, take each kind of work in turn, and are pinged while there is none.

    The SDK's worker takes a stream that is silent for two minutes for dead.
    """

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        super().__init__(port=port, mends=mends, limits=limits)
        self._take_kind: dict[Kind, Callable[[Accepts], pb.WorkItem | None]] = {
            Kind.ORCHESTRATION: self._take_turn,
            Kind.ACTIVITY: self._take_activity,
            Kind.ENTITY: self._take_batch,
        }

    def _work_items(
        self, stream: Stream, request: pb.GetWorkItemsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WorkItem]:
        while (item := self._next(stream)) is not None:
            yield item

    def _next(self, stream: Stream) -> pb.WorkItem | None:
        """Wait for something to hand out; None when the stream is over."""
        ping_at = time.monotonic() + self._limits.ping_seconds
        with self._work:
            while not (stream.ended or self._shutdown_event.is_set()):
                item = self._take(stream)
                if item is not None:
                    return item
                nap = ping_at - time.monotonic()
                if nap <= 0:
                    return pb.WorkItem(healthPing=pb.HealthPing())
                self._work.wait(nap)
        return None

    def _take(self, stream: Stream) -> pb.WorkItem | None:
        for kind in stream.turns:
            if stream.full(kind):
                continue
            item = self._take_kind[kind](partial(self._accepts, stream, kind))
            if item is not None:
                stream.served(kind)
                return item
        return None

    def _accepts(self, stream: Stream, kind: Kind, name: str, version: str | None) -> bool:
        return self._matches_filter(name, version, stream.filters[kind])
