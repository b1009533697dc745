"""What an operator's command changes. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from monitor_core.contract import Cancel, CheckNow, CommandOutcome, DecidedBy, Decision, Schedule, Verdict
from monitor_worker.policy import Monitor

KEPT_COMMANDS: Final = 32


def apply(monitor: Monitor, command: Cancel | CheckNow, now: datetime) -> Monitor:
    """The monitor after a command; one that came before under the same id changes nothing."""
    progress = monitor.progress
    if monitor.decision is not None or any(known.id == command.id for known in progress.commands):
        return monitor
    match command:
        case Cancel():
            reason = (
                f"cancelled by an operator: {command.reason}" if command.reason else "cancelled by an operator"
            )
            decision = Decision(verdict=Verdict.CANCELLED, decided_by=DecidedBy.OPERATOR, reason=reason)
            return replace(_recorded(monitor, command, now, "cancelled"), decision=decision)
        case CheckNow():
            # The number goes up, so that a turn that is out counts as an earlier one.
            soon = progress.with_(schedule=Schedule(anchor=now), prompt=True, turn=progress.turn + 1)
            return _recorded(replace(monitor, progress=soon), command, now, "checking now")


def reject(monitor: Monitor, command_id: str, name: str, why: str, now: datetime) -> Monitor:
    """The monitor after an event that is no command it knows: on record, and nothing else."""
    outcome = CommandOutcome(id=command_id, name=name, at=now, accepted=False, message=why[:200])
    return _with_outcome(monitor, outcome)


def _recorded(monitor: Monitor, command: Cancel | CheckNow, now: datetime, message: str) -> Monitor:
    outcome = CommandOutcome(id=command.id, name=command.name, at=now, accepted=True, message=message)
    return _with_outcome(monitor, outcome)


def _with_outcome(monitor: Monitor, outcome: CommandOutcome) -> Monitor:
    commands = (*monitor.progress.commands, outcome)[-KEPT_COMMANDS:]
    return replace(monitor, progress=monitor.progress.with_(commands=commands))
