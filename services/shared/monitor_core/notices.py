"""Notices and their deliveries, made the same way by whoever tells: by the monitor itself, or for it. Pure.

A monitor tells of its own verdict; one that was ended from outside cannot, so the client-scheduler does. Both
come to the same ids, and the engine starts a delivery once by its id.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from monitor_core.contract import (
    DecidedBy,
    Delivery,
    MonitorRequest,
    Notice,
    Notification,
    Occasion,
    Progress,
    Verdict,
    delivery_id,
)

Deliveries = Mapping[str, Delivery]
"""What is to be delivered, by the instance ids of the deliveries."""


@dataclass(frozen=True, slots=True)
class Told:
    """A monitor as of the moment in which something is told of it.

    Args:
        instance_id: the monitor's.
        request: as it is now.
        run: of the monitor.
        revision: how many edits it has had.
        observed: the last observed status.
        summary: the last observation in a line.
        error: the last check's.
        checks_performed: until then.
        started_at: when it began (UTC).
        deadline: when its time is out (UTC).
    """

    instance_id: str
    request: MonitorRequest
    run: str
    revision: int
    observed: str | None
    summary: str | None
    error: str | None
    checks_performed: int
    started_at: datetime
    deadline: datetime

    @classmethod
    def of(cls, instance_id: str, run: str, request: MonitorRequest, progress: Progress) -> Self:
        """A monitor whose whole progress is known."""
        seen = progress.observation
        return cls(
            instance_id=instance_id,
            request=request,
            run=run,
            revision=progress.revision,
            observed=seen.status if seen else None,
            summary=seen.summary if seen else None,
            error=progress.error.message if progress.error else None,
            checks_performed=progress.checks_performed,
            started_at=progress.started_at,
            deadline=progress.deadline,
        )


def of_verdict(
    told: Told, verdict: Verdict, now: datetime, *, decided_by: DecidedBy | None, reason: str
) -> Deliveries:
    """The verdict, for who asked for it."""
    name = f"{verdict}:{told.revision}"
    notice = _notice(told, Occasion.VERDICT, name, now, status=verdict, decided_by=decided_by, reason=reason)
    return _for(told, notice, lambda one: verdict in one.verdicts)


def of_transition(told: Told, since: datetime, now: datetime) -> Deliveries:
    """The status observed since `since`, for who asked for changes."""
    notice = _notice(told, Occasion.TRANSITION, f"transition:{since.isoformat()}", now)
    return _for(told, notice, lambda one: one.transitions)


def of_reminder(told: Told, now: datetime, is_due: Callable[[Notification], bool]) -> Deliveries:
    """That it still waits, for whom it `is_due`."""
    return _for(told, _notice(told, Occasion.REMINDER, f"reminder:{now.isoformat()}", now), is_due)


def _for(told: Told, notice: Notice, wants: Callable[[Notification], bool]) -> Deliveries:
    deliveries = (
        (position, Delivery(to=one.to, notice=notice))
        for position, one in enumerate(told.request.on_verdict)
        if wants(one)
    )
    return {delivery_id(delivery, position): delivery for position, delivery in deliveries}


def _notice(
    told: Told,
    occasion: Occasion,
    name: str,
    now: datetime,
    *,
    status: str = "Running",
    decided_by: DecidedBy | None = None,
    reason: str | None = None,
) -> Notice:
    elapsed, span = now - told.started_at, told.deadline - told.started_at
    return Notice(
        id=f"{told.instance_id}:{told.run}:{name}",
        occasion=occasion,
        at=now,
        instance_id=told.instance_id,
        job_id=told.request.job_id,
        run=told.run,
        revision=told.revision,
        kind=str(told.request.check.get("kind")),
        status=status,
        decided_by=decided_by,
        reason=reason,
        observed=told.observed,
        summary=told.summary,
        error=told.error,
        checks_performed=told.checks_performed,
        started_at=told.started_at,
        deadline=told.deadline,
        elapsed_seconds=elapsed.total_seconds(),
        elapsed_percent=100 * elapsed / span if span else 100.0,
        labels=told.request.labels,
    )
