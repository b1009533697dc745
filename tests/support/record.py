"""Records histories of every path a monitor can take: `make histories`.

A history once recorded stays as it is: it stands for the instances that are under way. So this records what a new
version lacks, and writes nothing anew.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf import json_format

from monitor_core.contract import VERSION, ErrorClass
from support.executor import Dispatch, ExecutorEngine
from support.virtual import START, Answer, Target, request

ROOT = Path(__file__).parent.parent.parent
HISTORIES = ROOT / "tests" / "worker" / "histories"


@dataclass
class Route:
    """A way through a monitor: its request, its target, the commands (seconds after the start) that come."""

    target: Target
    request: dict[str, Any] = field(default_factory=dict)
    commands: list[tuple[float, dict[str, Any]]] = field(default_factory=list)


def _command(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "id": f"id-{name}", **fields}


def _steps(*statuses: str) -> Target:
    return lambda number, _: Answer(statuses[min(number, len(statuses)) - 1])


def _errors(*numbers: int, kind: ErrorClass = ErrorClass.TRANSIENT) -> Target:
    return lambda number, now: Answer(
        "Succeeded" if now > 40 else "Running", error=kind if number in numbers else None
    )


_TEN: dict[str, Any] = {"polling": {"interval_seconds": 10}, "timeout_seconds": 60}
_RUNNING = _steps("Running")
PATHS: dict[str, Route] = {
    "completed": Route(_steps("Queued", "Running", "Running", "Succeeded"), _TEN),
    "completed-in-turns": Route(
        _steps("Queued", "Running", *["Running"] * 30, "Succeeded"), {"polling": {"interval_seconds": 1}}
    ),
    "failed": Route(_steps("Running", "Failed"), _TEN),
    "timeout": Route(_RUNNING, _TEN),
    "error-permanent": Route(_errors(2, kind=ErrorClass.PERMANENT), _TEN),
    "errors-tolerated": Route(_errors(2, 3), _TEN),
    "errors-too-many": Route(_errors(2, 3, 4, 5), _TEN),
    "backoff-jitter": Route(
        _RUNNING, {"polling": {"interval_seconds": 2, "backoff": 1.7, "max_interval_seconds": 20, "jitter": 0.3}}
    ),
    "retry-after": Route(lambda n, _: Answer(str(n), retry_after=7.0), _TEN),
    "cancelled": Route(_RUNNING, _TEN, [(25, _command("cancel", reason="enough"))]),
    "cancelled-in-a-turn": Route(
        _RUNNING, {"polling": {"interval_seconds": 2}, "timeout_seconds": 60}, [(25, _command("cancel"))]
    ),
    "checked-now": Route(
        _RUNNING,
        {"polling": {"interval_seconds": 9, "turn_seconds": 30}, "timeout_seconds": 60},
        [(22, _command("check_now"))],
    ),
    "paused-and-resumed": Route(
        _RUNNING, _TEN, [(12, _command("pause", deadline="stops")), (47, _command("resume"))]
    ),
    "paused-to-the-end": Route(_RUNNING, _TEN, [(12, _command("pause"))]),
    "extended": Route(_RUNNING, _TEN, [(12, _command("extend", seconds=25))]),
    "edited": Route(
        _RUNNING, _TEN, [(12, _command("edit", interval_seconds=4, timeout_seconds=40, success_when="check > 99"))]
    ),
    "completed-by-push": Route(_RUNNING, _TEN, [(12, _command("complete"))]),
    "failed-by-push": Route(_RUNNING, _TEN, [(12, _command("complete", outcome="Failed"))]),
    "generations": Route(
        lambda n, _: Answer(str(n // 2)), {"polling": {"interval_seconds": 10}, "timeout_seconds": 400}
    ),
    "long-sleeps": Route(_RUNNING, {"polling": {"interval_seconds": 5000}, "timeout_seconds": 20_000}),
}


@dataclass
class RecordedDispatch:
    """One dispatch: what it replays, what is new to it, and what was scheduled, as JSON data."""

    past: list[pb.HistoryEvent]
    new: list[pb.HistoryEvent]
    actions: list[dict[str, Any]]


@dataclass
class Recorded:
    """One generation of an instance."""

    instance: str
    generation: int
    dispatches: list[RecordedDispatch]


def read(file: Path) -> Iterator[Recorded]:
    """The generations of a recorded history."""
    data = json.loads(file.read_text())
    for number, generation in enumerate(data["generations"]):
        events = [json_format.ParseDict(event, pb.HistoryEvent()) for event in generation["events"]]
        dispatches = [
            RecordedDispatch(events[: d["past"]], events[d["past"] : d["past"] + d["new"]], d["actions"])
            for d in generation["dispatches"]
        ]
        yield Recorded(data["instance"], number, dispatches)


def record(path: Route) -> dict[str, Any]:
    """The history of a path, as JSON data."""
    engine = ExecutorEngine(request(**path.request), path.target)
    for seconds, command in path.commands:
        engine.send(START + timedelta(seconds=seconds), command)
    engine.run()
    generations: list[list[Dispatch]] = []
    for dispatch in engine.dispatches:
        if not dispatch.past:
            generations.append([])
        generations[-1].append(dispatch)
    return {"instance": engine.instance, "generations": [_generation(dispatches) for dispatches in generations]}


def _generation(dispatches: list[Dispatch]) -> dict[str, Any]:
    last = dispatches[-1]
    return {
        "events": [json_format.MessageToDict(event) for event in [*last.past, *last.new]],
        "dispatches": [
            {
                "past": len(dispatch.past),
                "new": len(dispatch.new),
                "actions": [json_format.MessageToDict(action) for action in dispatch.actions],
            }
            for dispatch in dispatches
        ],
    }


def main() -> int:
    """Record what is missing of this version's histories."""
    folder = HISTORIES / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in PATHS.items():
        file = folder / f"{name}.json"
        if not file.exists():
            file.write_text(json.dumps(record(path), indent=1) + "\n")
            print(f"recorded {file.relative_to(ROOT)}")  # noqa: T201 # a command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
