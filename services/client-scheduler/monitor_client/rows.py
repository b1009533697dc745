"""What is shown of a monitor, as plain text: one line for a change, rows for how it stands or has ended. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from monitor_client.countdown import next_check
from monitor_client.view import MonitorView, Phase
from monitor_core.contract import CommandOutcome, MonitorResult, MonitorStatus, Transition
from monitor_core.words import clean, clock, count, day_and_clock, duration, span, until

Row = tuple[str, str]
"""A label and what stands beside it."""

TRANSITIONS: Final = "transitions"
_LATE_SECONDS: Final = 15.0
"""Past the time that a check may take; less is a busy worker's ordinary delay."""
_PENDING: Final = f"{Phase.PENDING} (no worker has taken it yet)"


def progress_line(view: MonitorView, now: datetime) -> str:
    """A change, in one line: `12:00:01Z job-1 Running, 3 checks, observed Running (200 OK), next check in 1 s`."""
    return f"{clock(now)} {clean(view.job_id)} " + ", ".join(_progress(view, now))


def _progress(view: MonitorView, now: datetime) -> Iterator[str]:
    yield view.state
    status = view.status
    if status is None:
        return
    yield count(status.check_count, "check")
    if status.observed is not None:
        yield f"observed {_observed(status.observed, status.summary)}"
    if status.error is not None:
        yield f"error {_error(status)}"
    if view.verdict is None:
        due = next_check(view, now)
        if due is not None:
            yield f"next check {until(due, now)}"
        yield f"deadline {_until_deadline(status, now)}"


def state_rows(view: MonitorView, now: datetime) -> list[Row]:
    """A monitor that has no verdict yet; what is not known is left out."""
    rows = [("job_id", clean(view.job_id)), ("state", _PENDING if view.state is Phase.PENDING else view.state)]
    if view.status is not None:
        rows += _status_rows(view, view.status, now)
    return [*rows, *_run_row(view.run)]


def _status_rows(view: MonitorView, status: MonitorStatus, now: datetime) -> Iterator[Row]:
    yield "checks", _checks(status)
    if status.observed is not None:
        yield "observed", _observed(status.observed, status.summary)
    if status.error is not None:
        yield "error", _error(status)
    due = next_check(view, now)
    if due is not None:
        yield "next check", _ahead(due, now)
        if (now - due).total_seconds() > _LATE_SECONDS + _check_timeout(view):
            yield "late", f"no report for {duration((now - status.as_of).total_seconds())}, is a worker running?"
    yield "deadline", _deadline(status, now)
    for last in status.commands[-1:]:
        yield "last command", f"{clean(last.name)} {outcome(last)}"
    yield from _transitions(status.transitions, now)


def result_rows(view: MonitorView, now: datetime) -> list[Row]:
    """A monitor that has ended."""
    if view.result is not None:
        return list(_result_rows(view.result, now))
    document = view.document()
    rows = [
        ("job_id", clean(view.job_id)),
        ("final_status", str(view.state)),
        ("reason", clean(view.failure or "")),
    ]
    return [*rows, ("checks", f"{document['checks_performed']:,}"), *_run_row(view.run)]


def _result_rows(result: MonitorResult, now: datetime) -> Iterator[Row]:
    yield "job_id", clean(result.job_id)
    yield "final_status", result.final_status
    yield "reason", f"{clean(result.reason)} ({result.decided_by})"
    yield "checks", f"{result.checks_performed:,} in {duration(result.monitoring_duration_seconds)}"
    observation, error = result.last_observation, result.last_error
    if observation is not None:
        yield "observed", _observed(observation.status, observation.summary)
    if error is not None and error.message not in result.reason:
        yield "error", clean(error.message)
    yield from _transitions(result.transitions, now)
    yield from _run_row(result.run)


def outcome(command: CommandOutcome) -> str:
    """What became of a command: `accepted: checking now`."""
    return clean(f"{'accepted' if command.accepted else 'refused'}: {command.message}")


def plain(rows: Sequence[Row]) -> list[str]:
    """The rows as lines, what stands beside the labels in one column."""
    width = max(len(label) for label, _ in rows) + 2
    return [f"{label:<{width}}{value}" for label, value in rows]


def _run_row(run: str | None) -> list[Row]:
    return [("run", clean(run))] if run else []


def _check_timeout(view: MonitorView) -> float:
    return view.request.check_timeout_seconds if view.request is not None else 0.0


def _ahead(moment: datetime, now: datetime) -> str:
    return f"{day_and_clock(moment, now)} ({until(moment, now)})"


def _until_deadline(status: MonitorStatus, now: datetime) -> str:
    if status.deadline_stopped_at is None:
        return until(status.deadline, now)
    return f"stopped, {span((status.deadline - status.deadline_stopped_at).total_seconds())} left"


def _deadline(status: MonitorStatus, now: datetime) -> str:
    when = _until_deadline(status, now)
    return when if status.deadline_stopped_at else f"{day_and_clock(status.deadline, now)} ({when})"


def _checks(status: MonitorStatus) -> str:
    # In a turn of several checks the worker has made more than it has reported.
    as_of = f" (as of {clock(status.as_of)})" if status.turn_seconds else ""
    return f"{status.check_count:,}{as_of}"


def _observed(status: str, summary: str | None) -> str:
    return clean(f"{status} ({summary})" if summary else status)


def _error(status: MonitorStatus) -> str:
    in_a_row = f"({status.consecutive_errors} in a row) " if status.consecutive_errors > 1 else ""
    return in_a_row + clean(status.error or "")


def _transitions(transitions: Sequence[Transition], now: datetime) -> Iterator[Row]:
    for index, transition in enumerate(transitions):
        yield "" if index else TRANSITIONS, f"{day_and_clock(transition.at, now)} {clean(transition.status)}"
