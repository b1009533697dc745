"""What is told of a monitor, when, and to whom: the rules of `on_verdict`. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from monitor_core import notices
from monitor_core.contract import Decision, Notification
from monitor_core.notices import Deliveries, Told
from monitor_worker.policy import Finish, Monitor, Step


def due(before: Monitor, after: Monitor, step: Step, now: datetime) -> Deliveries:
    """What is to be told now.

    Args:
        before: the monitor when this was asked the last time.
        after: as it is now.
        step: what it does next.
        now: the orchestration's time (UTC).
    """
    if not after.request.on_verdict:
        return {}
    told = _of_verdict(after, step.decision, now) if isinstance(step, Finish) else _of_time(after, now)
    return {**_of_change(before, after, now), **told}


def reminded(monitor: Monitor, now: datetime) -> Monitor:
    """The monitor once all that was due until now is told."""
    return replace(monitor, progress=monitor.progress.with_(reminded_at=now))


def next_reminder(monitor: Monitor) -> datetime | None:
    """When the next reminder is due (UTC); None where there is none before the deadline."""
    return min((at for one in monitor.request.on_verdict for at in _due(monitor, one)), default=None)


def _of_verdict(monitor: Monitor, decision: Decision, now: datetime) -> Deliveries:
    return notices.of_verdict(
        _told(monitor), decision.verdict, now, decided_by=decision.decided_by, reason=decision.reason
    )


def _of_change(before: Monitor, after: Monitor, now: datetime) -> Deliveries:
    """A change of the observed status."""
    seen = after.progress.transitions[-1:]
    if not seen or seen == before.progress.transitions[-1:]:
        return {}
    return notices.of_transition(_told(after), seen[0].at, now)


def _of_time(monitor: Monitor, now: datetime) -> Deliveries:
    """Reminders; several that were missed are one."""

    def is_due(one: Notification) -> bool:
        return any(at <= now for at in _due(monitor, one))

    # Asked at every wake, and again at every replay: a notice is made only where somebody gets it.
    is_any = any(is_due(one) for one in monitor.request.on_verdict)
    return notices.of_reminder(_told(monitor), now, is_due) if is_any else {}


def _due(monitor: Monitor, notification: Notification) -> Iterator[datetime]:
    """The next time of each kind of reminder, since the last ones were told; none at the deadline or later."""
    started, deadline = monitor.progress.started_at, monitor.progress.deadline
    since = monitor.progress.reminded_at or started
    parts = [started + (deadline - started) * (part / 100) for part in notification.at_percent]
    if notification.every_seconds is not None:
        ticks = (since - started).total_seconds() // notification.every_seconds + 1
        parts.append(started + timedelta(seconds=ticks * notification.every_seconds))
    yield from (at for at in parts if since < at < deadline)


def _told(monitor: Monitor) -> Told:
    return Told.of(monitor.key, monitor.run, monitor.request, monitor.progress)
