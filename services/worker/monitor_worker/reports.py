"""What a report of a turn changes, and which verdict it brings. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from monitor_core.contract import (
    CheckError,
    DecidedBy,
    Decision,
    ErrorClass,
    MonitorRequest,
    ObservationSummary,
    Progress,
    Schedule,
    Transition,
    Turn,
    TurnEnd,
    TurnReport,
    Verdict,
)
from monitor_core.schedule import advance, due
from monitor_worker.policy import Monitor

KEPT_TRANSITIONS: Final = 10
CLOCKS_AGREE: Final = timedelta(seconds=5)
"""A check that a report dates this long after its arrival was made by a clock that is wrong."""


def absorb(monitor: Monitor, report: TurnReport, now: datetime) -> Monitor:
    """The monitor after a report.

    One of another run is discarded: an engine may deliver it late, to a restarted instance. One of a turn that a
    command has overtaken counts its checks and decides nothing.
    """
    if report.run != monitor.run:
        return monitor
    progress, ahead = monitor.progress, _ahead(report, now)
    report = _dated_back(report, ahead) if ahead else report
    counted = progress.with_(
        checks_performed=progress.checks_performed + report.checks,
        last_check_at=_latest(progress.last_check_at, report.last_check_at),
    )
    if report.turn != progress.turn:
        return replace(monitor, progress=counted)
    report = _by_our_clock(monitor, report, ahead, now)
    observed = _observed(counted, report)
    return replace(monitor, progress=observed, decision=_decide(monitor.request, observed, report, now))


def _ahead(report: TurnReport, now: datetime) -> timedelta:
    """By how much the worker's clock is wrong: none of its checks can have been made later than now."""
    ahead = report.last_check_at - now if report.last_check_at else timedelta()
    return ahead if ahead > CLOCKS_AGREE else timedelta()


def _dated_back(report: TurnReport, ahead: timedelta) -> TurnReport:
    seen, error = report.observation, report.error
    return report.model_copy(
        update={
            "last_check_at": report.last_check_at - ahead if report.last_check_at else None,
            "observation": seen.model_copy(update={"at": seen.at - ahead}) if seen else None,
            "error": error.model_copy(update={"at": error.at - ahead}) if error else None,
        }
    )


def _by_our_clock(monitor: Monitor, report: TurnReport, ahead: timedelta, now: datetime) -> TurnReport:
    """The report as a worker would have made it whose clock is right.

    One that is far ahead would have the next check made when it thinks that it is due; to one that is behind the
    deadline would not have come, and its last check would be made again and again.
    """
    progress, polling = monitor.progress, monitor.request.polling
    if ahead:
        asked_later = report.schedule.k == 0  # Retry-After has set the anchor, by that clock
        schedule = Schedule(anchor=report.schedule.anchor - ahead)
        if not asked_later:
            schedule = advance(polling, monitor.key, progress.schedule, now)
        report = report.model_copy(update={"schedule": schedule})
    if report.put_off_seconds:
        later = timedelta(seconds=report.put_off_seconds) + now - due(polling, monitor.key, progress.schedule)
        schedule = Schedule(anchor=progress.schedule.anchor + max(later, timedelta()), k=progress.schedule.k)
        report = report.model_copy(update={"schedule": schedule})
    if report.checks > 0 and due(polling, monitor.key, progress.schedule) >= progress.deadline:
        report = report.model_copy(update={"final": True})
    return report


def lost_turn(monitor: Monitor, turn: Turn, message: str, now: datetime) -> TurnReport:
    """The report of a turn whose activity failed: a transient error, no check counted."""
    return TurnReport(
        run=turn.run,
        revision=turn.revision,
        turn=turn.turn,
        ended_by=TurnEnd.ERROR,
        checks=0,
        last_check_at=None,
        schedule=advance(turn.polling, monitor.key, turn.schedule, now),
        error=CheckError(error_class=ErrorClass.TRANSIENT, message=message[:1000], at=now),
        final=min(due(turn.polling, monitor.key, turn.schedule), turn.deadline) >= turn.deadline,
    )


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _observed(progress: Progress, report: TurnReport) -> Progress:
    told = report.checks > 0 or report.error is not None
    if not told:  # a worker gave it back untouched: it drains, has no slot to wait in, or leaves it for later
        return progress.with_(allowed_seconds=report.allowed_seconds, schedule=report.schedule)
    # A check that the deadline cut off has seen nothing, and starts no count anew.
    seen_something = report.observation is not None or report.error is not None
    return progress.with_(
        allowed_seconds=report.allowed_seconds,
        schedule=report.schedule,
        prompt=False,
        observation=report.observation or progress.observation,
        error=report.error if seen_something else progress.error,
        consecutive_errors=_errors_in_a_row(progress, report),
        consecutive_successes=report.consecutive_successes,
        transitions=_transitions(progress, report.observation),
        checkpoint=progress.checkpoint if report.checkpoint is None else report.checkpoint,
    )


def _errors_in_a_row(progress: Progress, report: TurnReport) -> int:
    if report.error is None:
        return 0 if report.observation is not None else progress.consecutive_errors
    # A turn comes back at its first error, so the checks before it in the same turn had none.
    return 1 if report.checks > 1 else progress.consecutive_errors + 1


def _transitions(progress: Progress, seen: ObservationSummary | None) -> tuple[Transition, ...]:
    known = progress.transitions
    if seen is None or (known and known[-1].status == seen.status):
        return known
    return (*known, Transition(at=seen.at, status=seen.status))[-KEPT_TRANSITIONS:]


def _decide(request: MonitorRequest, progress: Progress, report: TurnReport, now: datetime) -> Decision | None:
    """The verdict that a report brings, or None where the wait goes on.

    The first rule that applies: failed, completed, an error that will stay, too many errors in a row, time out.
    """
    seen, error, tolerance = report.observation, report.error, request.tolerance
    observed = f"observed {seen.status}" if seen else "nothing observed"
    sure = progress.consecutive_successes >= tolerance.consecutive_successes
    if seen is not None and seen.failure:
        return _by_poll(Verdict.FAILED, f"the failure condition holds: {observed}")
    if seen is not None and seen.success and sure:
        return _by_poll(Verdict.COMPLETED, f"the success condition holds: {observed}")
    if error is not None and error.error_class is not ErrorClass.TRANSIENT:
        return _by_poll(Verdict.ERROR, error.message)
    if error is not None and progress.consecutive_errors > tolerance.consecutive_errors:
        count = progress.consecutive_errors
        return _by_poll(Verdict.ERROR, f"{count} error{'s' * (count > 1)} in a row, the last: {error.message}")
    if report.final and now >= progress.deadline:
        reason = f"the deadline passed; the last check: {error.message if error else observed}"
        return Decision(verdict=Verdict.TIMEOUT, decided_by=DecidedBy.DEADLINE, reason=reason)
    return None


def _by_poll(verdict: Verdict, reason: str) -> Decision:
    return Decision(verdict=verdict, decided_by=DecidedBy.POLL, reason=reason)
