"""What an operator's command changes. Pure.

A command acts at once. One that changes when or by what rules checks are made raises the turn's number, so that a
turn that is out counts as an earlier one: its checks are counted, and it decides nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from monitor_core.contract import (
    AnyCommand,
    Cancel,
    CheckNow,
    CommandOutcome,
    Complete,
    DecidedBy,
    Decision,
    Edit,
    Extend,
    MonitorRequest,
    Pause,
    Paused,
    Progress,
    Resume,
    Revision,
    Schedule,
    Verdict,
)
from monitor_core.contract.request import YEAR
from monitor_core.contract.wording import problems_of
from monitor_worker.policy import Monitor

KEPT_COMMANDS: Final = 32
KEPT_REVISIONS: Final = 10


class Refused(Exception):
    """A command that makes no sense now; the message says why."""


def apply(monitor: Monitor, command: AnyCommand, now: datetime) -> Monitor:
    """The monitor after a command; one that came before under the same id changes nothing."""
    if monitor.decision is not None or _is_known(monitor, command.id):
        return monitor
    change: Callable[[Monitor, Any, datetime], tuple[Monitor, str]] = _CHANGES[type(command)]
    try:
        changed, message = change(monitor, command, now)
    except Refused as refusal:
        return reject(monitor, command.id, command.name, str(refusal), now)
    return _recorded(changed, command.id, command.name, message, now, accepted=True)


def reject(monitor: Monitor, command_id: str, name: str, why: str, now: datetime) -> Monitor:
    """The monitor after an event that is no command it knows: on record, once, and nothing else."""
    if _is_known(monitor, command_id):
        return monitor
    return _recorded(monitor, command_id, name, why, now, accepted=False)


def _is_known(monitor: Monitor, command_id: str) -> bool:
    return bool(command_id) and any(known.id == command_id for known in monitor.progress.commands)


def _cancel(monitor: Monitor, command: Cancel, now: datetime) -> tuple[Monitor, str]:
    return _decided(monitor, Verdict.CANCELLED, DecidedBy.OPERATOR, "cancelled by an operator", command.reason)


def _complete(monitor: Monitor, command: Complete, now: datetime) -> tuple[Monitor, str]:
    if command.if_run not in {None, monitor.run}:
        raise Refused("its job was started anew: this is another run")
    return _decided(monitor, Verdict(command.outcome), DecidedBy.PUSH, "told from outside", command.reason)


def _decided(
    monitor: Monitor, verdict: Verdict, decided_by: DecidedBy, what: str, reason: str | None
) -> tuple[Monitor, str]:
    text = f"{what}: {reason}" if reason else what
    return replace(monitor, decision=Decision(verdict=verdict, decided_by=decided_by, reason=text)), what


def _pause(monitor: Monitor, command: Pause, now: datetime) -> tuple[Monitor, str]:
    if monitor.progress.pause is not None:
        raise Refused("it is paused already")
    if command.deadline == "runs" and now >= monitor.progress.deadline:
        raise Refused("its deadline has come, and the last check is under way")
    pause = Paused(since=now, deadline_stops=command.deadline == "stops")
    return _overtaking(monitor, pause=pause), f"paused, the deadline {command.deadline}"


def _resume(monitor: Monitor, command: Resume, now: datetime) -> tuple[Monitor, str]:
    progress = monitor.progress
    if progress.pause is None:
        raise Refused("it is not paused")
    stopped = (now - progress.pause.since).total_seconds() if progress.pause.deadline_stops else 0.0
    changes: dict[str, object] = {"pause": None, "stopped_seconds": progress.stopped_seconds + stopped}
    deadline = progress.deadline + timedelta(seconds=stopped)
    return _revised(_from_now(monitor, now, **changes), command, now, deadline), "resumed"


def _check_now(monitor: Monitor, command: CheckNow, now: datetime) -> tuple[Monitor, str]:
    if monitor.progress.pause is not None:
        raise Refused("it is paused: resume it first")
    return _from_now(monitor, now), "checking now"


def _extend(monitor: Monitor, command: Extend, now: datetime) -> tuple[Monitor, str]:
    deadline = monitor.progress.deadline + timedelta(seconds=command.seconds)
    if (deadline - monitor.progress.started_at).total_seconds() > 2 * YEAR:
        raise Refused("the deadline would be more than two years after the start")
    # No rule of checking has changed: a turn that is out goes on, and is heard.
    return _revised(monitor, command, now, deadline), f"the deadline is {deadline:%Y-%m-%dT%H:%M:%SZ}"


def _edit(monitor: Monitor, command: Edit, now: datetime) -> tuple[Monitor, str]:
    progress = monitor.progress
    if command.if_revision not in {None, progress.revision}:
        raise Refused(f"it is at revision {progress.revision}, not {command.if_revision}")
    edited = _edited(monitor.request, command)
    deadline = progress.deadline
    if command.timeout_seconds is not None:
        deadline = progress.started_at + timedelta(seconds=command.timeout_seconds + progress.stopped_seconds)
    changes = {name: f"{_value(monitor.request, name)} -> {value}" for name, value in command.changes().items()}
    changed = _from_now(monitor, now, edited=edited)
    return _revised(changed, command, now, deadline, changes), f"changed {', '.join(changes)}"


def _edited(request: MonitorRequest, command: Edit) -> MonitorRequest:
    data = request.model_dump(mode="json", exclude_defaults=True)
    changes: dict[str, Any] = command.changes()
    if "interval_seconds" in changes:
        data["polling"] = {**data.get("polling", {}), "interval_seconds": changes.pop("interval_seconds")}
    try:
        return MonitorRequest.model_validate({**data, **changes})
    except ValidationError as error:
        raise Refused("; ".join(str(problem) for problem in problems_of(error))) from error


def _value(request: MonitorRequest, name: str) -> object:
    return getattr(request.polling if name == "interval_seconds" else request, name)


_CHANGES: Final[dict[type[Any], Callable[[Monitor, Any, datetime], tuple[Monitor, str]]]] = {
    Cancel: _cancel,
    CheckNow: _check_now,
    Complete: _complete,
    Edit: _edit,
    Extend: _extend,
    Pause: _pause,
    Resume: _resume,
}


def _from_now(monitor: Monitor, now: datetime, **changes: object) -> Monitor:
    """The schedule starts anew, with a check at once whose result is reported at once."""
    return _overtaking(monitor, schedule=Schedule(anchor=now), prompt=True, **changes)


def _overtaking(monitor: Monitor, **changes: object) -> Monitor:
    progress: Progress = monitor.progress.with_(turn=monitor.progress.turn + 1, **changes)
    return replace(monitor, progress=progress)


def _revised(
    monitor: Monitor,
    command: AnyCommand,
    now: datetime,
    deadline: datetime,
    changes: dict[str, str] | None = None,
) -> Monitor:
    """One revision further, with the deadline where it is to be, and on record."""
    progress = monitor.progress
    moved = {} if deadline == progress.deadline else {"deadline": f"{progress.deadline} -> {deadline}"}
    revision = Revision(
        revision=progress.revision + 1,
        at=now,
        command_id=command.id,
        command=command.name,
        changes={name: text[:200] for name, text in {**(changes or {}), **moved}.items()},
    )
    revisions = (*progress.revisions, revision)[-KEPT_REVISIONS:]
    revised = progress.with_(revision=revision.revision, deadline=deadline, revisions=revisions)
    return replace(monitor, progress=revised)


def _recorded(
    monitor: Monitor, command_id: str, name: str, message: str, now: datetime, *, accepted: bool
) -> Monitor:
    outcome = CommandOutcome(id=command_id, name=name, at=now, accepted=accepted, message=message[:200])
    commands = (*monitor.progress.commands, outcome)[-KEPT_COMMANDS:]
    return replace(monitor, progress=monitor.progress.with_(commands=commands))
