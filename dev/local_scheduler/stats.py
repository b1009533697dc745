"""What the scheduler dispatched, counted as the Azure Durable Task Scheduler bills it, for benchmarks and tests.

An action is a message to the app: the start of an orchestration or an activity, an activity's result, a timer
fired, an event, a suspend, resume or terminate. A message that is handed out again counts again. Entities are
not counted.
"""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb

ACTIONS = {
    "executionStarted": "orchestration_start",
    "taskCompleted": "activity_result",
    "taskFailed": "activity_result",
    "timerFired": "timer_fired",
    "eventRaised": "event_raised",
    "executionSuspended": "suspend",
    "executionResumed": "resume",
    "executionTerminated": "terminate",
    "subOrchestrationInstanceCompleted": "sub_orchestration_result",
    "subOrchestrationInstanceFailed": "sub_orchestration_result",
}
"""The billed name of each history event that is a message to an orchestration; other events are bookkeeping."""


class Stats:
    """Counts of dispatched messages and of events replayed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._actions: Counter[str] = Counter()
        self._events_total = 0
        self._events_max: dict[str, int] = {}

    def count(self, item: pb.WorkItem) -> None:
        """Count the messages in a work item that is being handed out."""
        with self._lock:
            if item.HasField("activityRequest"):
                self._actions["activity_start"] += 1
            elif item.HasField("orchestratorRequest"):
                self._count_turn(item.orchestratorRequest)

    def _count_turn(self, request: pb.OrchestratorRequest) -> None:
        kinds = (event.WhichOneof("eventType") or "" for event in request.newEvents)
        self._actions.update(ACTIONS[kind] for kind in kinds if kind in ACTIONS)
        events = len(request.pastEvents) + len(request.newEvents)
        self._events_total += events
        self._events_max[request.instanceId] = max(events, self._events_max.get(request.instanceId, 0))

    @property
    def actions(self) -> dict[str, int]:
        """How many messages of each kind were dispatched; kinds that never were are missing."""
        with self._lock:
            return dict(self._actions)

    @property
    def events_replayed(self) -> int:
        """How many history events (past and new) went to workers in all turns together."""
        with self._lock:
            return self._events_total

    def max_events_per_dispatch(self, instance_id: str) -> int:
        """The longest history (past and new events) that one turn of the instance carried; 0 if it had none."""
        with self._lock:
            return self._events_max.get(instance_id, 0)

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._actions.clear()
            self._events_total = 0
            self._events_max.clear()

    def as_dict(self) -> dict[str, Any]:
        """All counts, in the form of the statistics file."""
        with self._lock:
            return {
                "actions": dict(sorted(self._actions.items())),
                "events_replayed": self._events_total,
                "max_events_per_dispatch": dict(sorted(self._events_max.items())),
            }


class StatsFile:
    """The counts as a JSON file, replaced as a whole when they have changed, so that no reader sees half of it."""

    def __init__(self, stats: Stats, path: Path) -> None:
        self._stats = stats
        self._path = path
        self._written = ""

    def write(self) -> None:
        """Bring the file up to date.

        Raises:
            OSError: the file cannot be written.
        """
        text = json.dumps(self._stats.as_dict(), indent=2) + "\n"
        if text == self._written:
            return
        draft = self._path.with_name(self._path.name + ".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._path)
        self._written = text
