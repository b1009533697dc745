"""Mend `timers`: one thread for all timers, which end with the scheduler."""

from datetime import UTC, datetime
from functools import partial

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance

from local_scheduler.core import Core


class Timers(Core):
    """Timers and delayed signals to entities go to the timer queue instead of to a sleeping thread each."""

    def _process_create_timer_action(self, instance: OrchestrationInstance, action: pb.OrchestratorAction) -> None:
        fire_at = action.createTimer.fireAt.ToDatetime(tzinfo=UTC)
        instance.history.append(helpers.new_timer_created_event(action.id, fire_at))
        fired = helpers.new_timer_fired_event(action.id, fire_at)
        execution = self._execution(instance.instance_id)
        self._timers.at(fire_at, partial(self._deliver, instance.instance_id, execution, fired))

    def _schedule_delayed_entity_operation(
        self, entity_id: str, event: pb.HistoryEvent, fire_at: datetime
    ) -> None:
        def signal() -> None:
            with self._lock:
                self._queue_entity_operation(entity_id, event)

        self._timers.at(fire_at, signal)
