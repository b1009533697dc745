"""What a monitor shows: its custom status while it runs, its result when it ends. Pure."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from monitor_core.contract import Decision, MonitorResult, MonitorStatus
from monitor_worker.policy import AwaitTurn, Finish, Monitor, StartTurn, Step, next_due, turn_seconds

STATUS_BYTES: Final = 2048
SHOWN_COMMANDS: Final = 4
_LINE = 160
_WORD = 10


def status_of(monitor: Monitor, step: Step, now: datetime) -> dict[str, Any]:
    """The custom status, once `step` is known: JSON data of at most 2 KB."""
    progress = monitor.progress
    status = MonitorStatus(
        job_id=monitor.request.job_id,
        run=monitor.run,
        status=step.decision.verdict if isinstance(step, Finish) else "Running",
        kind=str(monitor.request.check["kind"]),
        check_count=progress.checks_performed,
        as_of=now,
        last_check_time=progress.last_check_at,
        next_check_time=None if isinstance(step, Finish) or progress.pause else next_due(monitor),
        deadline=progress.deadline,
        turn_seconds=_turn_under_way(monitor, step),
        interval_seconds=monitor.request.polling.interval_seconds,
        schedule=progress.schedule,
        observed=progress.observation.status if progress.observation else None,
        summary=_line(progress.observation.summary if progress.observation else None),
        error=_line(progress.error.message if progress.error else None),
        consecutive_errors=progress.consecutive_errors,
        paused=progress.pause is not None,
        deadline_stopped_at=progress.pause.since if progress.pause and progress.pause.deadline_stops else None,
        revision=progress.revision,
        commands=progress.commands[-SHOWN_COMMANDS:],
        transitions=progress.transitions,
    )
    return _fitted(status)


def _fitted(status: MonitorStatus) -> dict[str, Any]:
    """The status as JSON data of at most 2 KB: the oldest transitions give way, then the longer texts."""
    for smaller in _smaller(status):
        data = smaller.model_dump(mode="json")
        if len(json.dumps(data)) <= STATUS_BYTES:
            break
    return data


def _smaller(status: MonitorStatus) -> Iterator[MonitorStatus]:
    for first in range(len(status.transitions) + 1):
        yield status.model_copy(update={"transitions": status.transitions[first:]})
    bare = status.model_copy(update={"transitions": (), "summary": None})
    for first in range(len(status.commands) + 1):
        yield bare.model_copy(update={"commands": status.commands[first:]})
    bare = bare.model_copy(update={"commands": (), "error": None})
    yield bare
    yield bare.model_copy(update={"observed": bare.observed[:_WORD] if bare.observed else None})


def result_of(monitor: Monitor, decision: Decision, now: datetime) -> dict[str, Any]:
    """The output of the orchestration, as JSON data."""
    progress = monitor.progress
    return MonitorResult(
        job_id=monitor.request.job_id,
        run=monitor.run,
        final_status=decision.verdict,
        decided_by=decision.decided_by,
        reason=decision.reason,
        checks_performed=progress.checks_performed,
        monitoring_duration_seconds=(now - progress.started_at).total_seconds(),
        started_at=progress.started_at,
        ended_at=now,
        deadline=progress.deadline,
        revision=progress.revision,
        last_observation=progress.observation,
        last_error=progress.error,
        transitions=progress.transitions,
        revisions=progress.revisions,
        labels=monitor.request.labels,
    ).model_dump(mode="json")


def _turn_under_way(monitor: Monitor, step: Step) -> float:
    match step:
        case StartTurn(turn):
            return turn.turn_seconds
        case AwaitTurn():
            return turn_seconds(monitor)
        case _:
            return 0.0


def _line(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LINE else text[: _LINE - 3] + "..."
