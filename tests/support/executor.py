"""The SDK's own executor under virtual time: every dispatch replays the history, as a worker does.

Slower than `support.virtual`, and closer to the real thing: what the orchestrator schedules goes through the
engine's events, and a loop that does not replay the same way fails as it would in a worker.
"""

import heapq
import itertools
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.worker import _OrchestrationExecutor, _Registry  # the SDK has no public replayer

from monitor_core.contract import (
    CONTROL_EVENT,
    ORCHESTRATOR,
    TELL,
    VERSION,
    MonitorInput,
    MonitorRequest,
    Turn,
    instance_id,
)
from monitor_core.payloads import Payloads
from monitor_worker.events import Tell, tell_nobody
from monitor_worker.orchestrator import Deployment
from monitor_worker.versions import monitor_orchestrator
from support.virtual import START, Target, World

LARGEST_DISPATCH = 130
"""Events replayed and new in one dispatch, at most, unless a flood of commands comes in one batch."""
TELLING = timedelta(milliseconds=10)
_log = logging.getLogger(__name__)


@dataclass
class Dispatch:
    """One work item of the orchestration, and what came of it."""

    past: list[pb.HistoryEvent]
    new: list[pb.HistoryEvent]
    actions: list[pb.OrchestratorAction]

    @property
    def size(self) -> int:
        return len(self.past) + len(self.new)


def registry(tell: Tell = tell_nobody) -> _Registry:
    """The monitor, registered."""
    registered = _Registry()  # type: ignore[no-untyped-call]
    registered.add_orchestrator(monitor_orchestrator(deployment=Deployment(tell=tell)))
    return registered


def execute(
    instance: str, past: Sequence[pb.HistoryEvent], new: Sequence[pb.HistoryEvent], tell: Tell = tell_nobody
) -> list[pb.OrchestratorAction]:
    """Replay `past`, then run `new`: the actions of the orchestrator."""
    executor = _OrchestrationExecutor(registry(tell), _log, Payloads(), maximum_timer_interval=None)
    return list(executor.execute(instance, past, new).actions)


class ExecutorEngine(World):
    """One monitor, run to its end through the SDK's executor."""

    def __init__(self, request: MonitorRequest, target: Target, tell: Tell = tell_nobody) -> None:
        super().__init__(target)
        self._told = tell
        self.request, self.instance = request, instance_id(request.job_id)
        self.now = START
        self.dispatches: list[Dispatch] = []
        self.generation = 0
        self.told: dict[str, Any] = {}
        self._past: list[pb.HistoryEvent] = []
        self._coming: list[tuple[datetime, int, int | None, pb.HistoryEvent]] = []
        self._order = itertools.count()
        self._result: dict[str, Any] | None = None

    def send(self, at: datetime, command: Any) -> None:
        """Raise a control event at that time."""
        self.raise_event(at, json.dumps(command))

    def raise_event(self, at: datetime, payload: str) -> None:
        """Raise a control event of this very payload."""
        self._expect(at, None, helpers.new_event_raised_event(CONTROL_EVENT, payload))

    def run(self) -> dict[str, Any]:
        """The monitor's result."""
        given = MonitorInput(request=self.request, run="run-1").model_dump(mode="json", exclude_defaults=True)
        self._dispatch(self._begun(json.dumps(given)))
        while self._result is None:
            self._dispatch(self._batch())
        return self._result

    def _begun(self, given: str) -> list[pb.HistoryEvent]:
        started = helpers.new_execution_started_event(ORCHESTRATOR, self.instance, given, version=VERSION)
        return [helpers.new_orchestrator_started_event(self.now), started]

    def _expect(self, at: datetime, generation: int | None, event: pb.HistoryEvent) -> None:
        heapq.heappush(self._coming, (at, next(self._order), generation, event))

    def _batch(self) -> list[pb.HistoryEvent]:
        """All that comes next at one time; what an earlier generation left behind is dropped."""
        at = self._coming[0][0]
        self.now = max(self.now, at)
        batch = [helpers.new_orchestrator_started_event(self.now)]
        while self._coming and self._coming[0][0] <= self.now:
            _, _, generation, event = heapq.heappop(self._coming)
            if generation in {None, self.generation}:
                batch.append(event)
        return batch

    def _dispatch(self, new: list[pb.HistoryEvent]) -> None:
        actions = execute(self.instance, self._past, new, self._told)
        self.dispatches.append(Dispatch(list(self._past), new, actions))
        self._past = [*self._past, *new]
        for action in actions:
            self._carry_out(action)
        if self._past:
            self._past.append(helpers.new_orchestrator_completed_event())

    def _carry_out(self, action: pb.OrchestratorAction) -> None:
        if action.HasField("scheduleTask"):
            self._schedule(action.id, action.scheduleTask)
        elif action.HasField("createSubOrchestration"):
            self._tell(action.id, action.createSubOrchestration)
        elif action.HasField("createTimer"):
            fire_at = action.createTimer.fireAt.ToDatetime(START.tzinfo)
            self._past.append(helpers.new_timer_created_event(action.id, fire_at))
            self._expect(fire_at, self.generation, helpers.new_timer_fired_event(action.id, fire_at))
        elif action.HasField("completeOrchestration"):
            self._end(action.completeOrchestration)
        else:
            raise AssertionError(f"an action that no monitor should take: {action}")

    def _schedule(self, task_id: int, action: pb.ScheduleTaskAction) -> None:
        given = action.input.value
        self._past.append(helpers.new_task_scheduled_event(task_id, action.name, given))
        report, back_at = self.play(Turn.model_validate_json(given), self.now)
        self._expect(back_at, self.generation, helpers.new_task_completed_event(task_id, report.model_dump_json()))

    def _tell(self, task_id: int, action: pb.CreateSubOrchestrationAction) -> None:
        assert action.name == TELL
        created = helpers.new_sub_orchestration_created_event(
            task_id, action.name, action.instanceId, action.input.value
        )
        self._past.append(created)
        self.told.update(json.loads(action.input.value))
        done = helpers.new_sub_orchestration_completed_event(task_id, None)
        self._expect(self.now + TELLING, self.generation, done)

    def _end(self, action: pb.CompleteOrchestrationAction) -> None:
        if action.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW:
            self.generation += 1
            self._past = []
            self._dispatch([*self._begun(action.result.value), *action.carryoverEvents])
            return
        assert action.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED, action.failureDetails
        self._result = json.loads(action.result.value)
