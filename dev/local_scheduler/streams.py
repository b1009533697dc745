"""One worker's stream of work items: what it may be handed, and what it holds unfinished."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import durabletask.internal.orchestrator_service_pb2 as pb

Filter = dict[str, frozenset[str]] | None
"""Accepted names with their accepted versions (none given: any); None accepts everything."""


class Kind(StrEnum):
    """The kinds of work, each by its field in the protocol's work item."""

    ORCHESTRATION = "orchestratorRequest"
    ACTIVITY = "activityRequest"
    ENTITY = "entityRequestV2"


class Held(NamedTuple):
    """A work item out with a worker: its kind, its completion token and the instance it belongs to."""

    kind: Kind
    token: str
    instance_id: str

    @classmethod
    def of(cls, item: pb.WorkItem) -> "Held | None":
        """What `item` puts into a worker's hands; None for a ping."""
        match item.WhichOneof("request"):
            case Kind.ORCHESTRATION:
                return cls(Kind.ORCHESTRATION, item.completionToken, item.orchestratorRequest.instanceId)
            case Kind.ACTIVITY:
                instance_id = item.activityRequest.orchestrationInstance.instanceId
                return cls(Kind.ACTIVITY, item.completionToken, instance_id)
            case Kind.ENTITY:
                return cls(Kind.ENTITY, item.completionToken, item.entityRequestV2.instanceId)
            case _:
                return None


@dataclass(eq=False)
class Stream:
    """A stream's limits (0: none) and filters as its worker asked, and the unfinished items it holds."""

    limits: Mapping[Kind, int]
    filters: Mapping[Kind, Filter]
    ended: bool = False
    held: dict[Kind, dict[str, Held]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    turns: list[Kind] = field(default_factory=lambda: list(Kind))
    """The kinds in the order in which they are to be offered: the one served last comes last."""

    def full(self, kind: Kind) -> bool:
        """Whether the worker holds as many unfinished items of `kind` as it asked for."""
        return 0 < self.limits[kind] <= len(self.held[kind])

    def served(self, kind: Kind) -> None:
        """Let the other kinds go first next time."""
        self.turns.remove(kind)
        self.turns.append(kind)


def limits_of(request: pb.GetWorkItemsRequest) -> dict[Kind, int]:
    """How many unfinished items of each kind the worker wants at most; 0 for no limit."""
    return {
        Kind.ORCHESTRATION: request.maxConcurrentOrchestrationWorkItems,
        Kind.ACTIVITY: request.maxConcurrentActivityWorkItems,
        Kind.ENTITY: request.maxConcurrentEntityWorkItems,
    }
