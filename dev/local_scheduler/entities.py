"""Part of the mend `dispatch`: entities, which the product does not use, go on working as with the SDK's."""

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.entities import EntityInstanceId
from durabletask.testing.in_memory_backend import EntityState
from google.protobuf.wrappers_pb2 import StringValue

from local_scheduler.core import Core
from local_scheduler.lanes import Accepts, Lanes
from local_scheduler.mends import Limits, Mends


class EntityQueue(Core):
    """The queue of entities with operations to run, one batch of each at a time."""

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        super().__init__(port=port, mends=mends, limits=limits)
        self._batches: Lanes[EntityState] = Lanes()

    def reset(self) -> None:
        """Forget the entities that were ready as well."""
        with self._lock:
            super().reset()
            self._batches.clear()

    def _enqueue_entity(self, entity_id: str) -> None:
        entity = self._entities.get(entity_id)
        if entity is None or entity_id in self._entity_queue_set or entity_id in self._entity_in_flight:
            return
        self._batches.put((EntityInstanceId.parse(entity_id).entity, None), entity)
        self._entity_queue_set.add(entity_id)
        self._wake_streams()

    def _take_batch(self, accepts: Accepts) -> pb.WorkItem | None:
        while (entity := self._batches.take(accepts)) is not None:
            self._entity_queue_set.discard(entity.instance_id)
            if self._entities.get(entity.instance_id) is entity and entity.pending_operations:
                return self._batch(entity)
        return None

    def _batch(self, entity: EntityState) -> pb.WorkItem:
        entity.dispatched_operations = list(entity.pending_operations)
        entity.pending_operations.clear()
        self._entity_in_flight.add(entity.instance_id)
        state = entity.serialized_state
        return pb.WorkItem(
            completionToken=str(entity.completion_token),
            entityRequestV2=pb.EntityRequest(
                instanceId=entity.instance_id,
                entityState=StringValue(value=state) if state else None,
                operationRequests=entity.dispatched_operations,
            ),
        )
