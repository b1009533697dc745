"""What a monitor does next: the rules of turns, sleeps and history, pure.

The orchestrator asks and does what it is told; nothing here knows the engine. Time comes in as `now`, the
orchestration's clock (UTC). What a report changes stands in `reports`, what a command changes in `commands`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from monitor_core import pace
from monitor_core.contract import (
    DecidedBy,
    Decision,
    MonitorInput,
    MonitorRequest,
    Progress,
    Schedule,
    Turn,
    Verdict,
)
from monitor_core.pace import LONG_SLEEP_SECONDS, TURNS_PER_GENERATION, WAKES_PER_GENERATION
from monitor_core.schedule import due


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor between two wakes. `key` is its instance id, `started_as` the request before any edit."""

    started_as: MonitorRequest
    run: str
    key: str
    progress: Progress
    decision: Decision | None = None
    callback_digest: str | None = None

    @property
    def request(self) -> MonitorRequest:
        """The request as it is now."""
        return self.progress.edited or self.started_as


@dataclass(frozen=True, slots=True)
class Generation:
    """How much history this execution has gathered since it started or continued as new, and how much it may."""

    turns: int = 0
    wakes: int = 0
    most_turns: int = TURNS_PER_GENERATION
    most_wakes: int = WAKES_PER_GENERATION

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has happened in it yet."""
        return self.turns == self.wakes == 0

    @property
    def is_full(self) -> bool:
        """Whether the next quiet moment is the time to continue as new."""
        return self.turns >= self.most_turns or self.wakes >= self.most_wakes

    def with_turn(self) -> Self:
        """One turn more."""
        return replace(self, turns=self.turns + 1)

    def with_wake(self) -> Self:
        """One wake more."""
        return replace(self, wakes=self.wakes + 1)


@dataclass(frozen=True, slots=True)
class StartTurn:
    """Schedule the activity."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class SleepUntil:
    """Sleep durably (UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class AwaitTurn:
    """A turn is out: wait for its report."""


@dataclass(frozen=True, slots=True)
class AwaitCommand:
    """Paused, and no time runs: wait for a command."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Continue as new: the history has grown, or a long sleep is ahead."""


@dataclass(frozen=True, slots=True)
class Finish:
    """End the orchestration."""

    decision: Decision


Step = StartTurn | SleepUntil | AwaitTurn | AwaitCommand | Renew | Finish


def begin(given: MonitorInput, key: str, now: datetime) -> Monitor:
    """The monitor that an orchestration's input describes: fresh, or as it was before continue-as-new."""
    progress = given.progress or Progress(
        started_at=now,
        deadline=now + timedelta(seconds=given.request.timeout_seconds),
        schedule=Schedule(anchor=now),
    )
    return Monitor(given.request, given.run, key, progress, callback_digest=given.callback_digest)


def next_step(monitor: Monitor, now: datetime, generation: Generation, out: frozenset[int]) -> Step:
    """What to do now. `out` holds the numbers of the turns that have not reported yet."""
    if monitor.decision is not None:
        return Finish(monitor.decision)
    if monitor.progress.turn in out:
        return AwaitTurn()
    step = _paused_step(monitor, now) if monitor.progress.pause else _polling_step(monitor, now)
    if not out:
        return Renew() if _is_time_to_renew(step, now, generation) else step
    # Overtaken turns are out. A full history takes no more of them: it is renewed once they have come back.
    return AwaitTurn() if generation.is_full and isinstance(step, StartTurn) else step


def _polling_step(monitor: Monitor, now: datetime) -> Step:
    due_at, turn = next_due(monitor), _turn(monitor)
    if now < due_at == monitor.progress.deadline:
        # This clock says when the deadline has come: a worker's that is ahead would have it come again and again.
        return SleepUntil(due_at)
    near_seconds = pace.longest_wait(turn.turn_seconds) if monitor.progress.allowed_seconds else 0.0
    near = (due_at - now).total_seconds() <= near_seconds
    return StartTurn(turn) if near else SleepUntil(due_at)


def _paused_step(monitor: Monitor, now: datetime) -> Step:
    progress = monitor.progress
    if progress.pause is not None and progress.pause.deadline_stops:
        return AwaitCommand()
    if now < progress.deadline:
        return SleepUntil(progress.deadline)
    reason = "the deadline passed while the monitor was paused; no last check was made"
    return Finish(Decision(verdict=Verdict.TIMEOUT, decided_by=DecidedBy.DEADLINE, reason=reason))


def _is_time_to_renew(step: Step, now: datetime, generation: Generation) -> bool:
    match step:
        case Finish():
            return False
        case AwaitCommand():
            return not generation.is_fresh
        case SleepUntil(at) if (at - now).total_seconds() > LONG_SLEEP_SECONDS:
            return not generation.is_fresh
        case _:
            return generation.is_full


def next_due(monitor: Monitor) -> datetime:
    """When the next check is due (UTC); the last one is due at the deadline."""
    progress = monitor.progress
    return min(due(monitor.request.polling, monitor.key, progress.schedule), progress.deadline)


def turn_seconds(monitor: Monitor) -> float:
    """How long the next turn goes on checking: as asked for, as the worker allows, and first of all promptly."""
    polling, progress = monitor.request.polling, monitor.progress
    if progress.prompt:
        return 0.0
    return min(pace.turn_seconds(polling), progress.allowed_seconds)


def _turn(monitor: Monitor) -> Turn:
    request, progress = monitor.request, monitor.progress
    return Turn(
        run=monitor.run,
        revision=progress.revision,
        turn=progress.turn + 1,
        job_id=request.job_id,
        check=request.check,
        success_when=request.success_when,
        failure_when=request.failure_when,
        polling=request.polling,
        check_timeout_seconds=request.check_timeout_seconds,
        required_successes=request.tolerance.consecutive_successes,
        deadline=progress.deadline,
        schedule=progress.schedule,
        turn_seconds=turn_seconds(monitor),
        checks_performed=progress.checks_performed,
        last_status=progress.observation.status if progress.observation else None,
        consecutive_successes=progress.consecutive_successes,
        checkpoint=progress.checkpoint,
    )


def started(monitor: Monitor, turn: Turn) -> Monitor:
    """The monitor once `turn` is scheduled: only that turn's report may decide from here on."""
    return replace(monitor, progress=monitor.progress.with_(turn=turn.turn))
