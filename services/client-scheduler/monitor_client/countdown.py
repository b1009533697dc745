"""When the next check is due, for who counts down to it. Pure."""

from datetime import datetime, timedelta

from monitor_client.view import MonitorView
from monitor_core.contract import MonitorStatus
from monitor_core.schedule import advance, due


def next_check(view: MonitorView, now: datetime) -> datetime | None:
    """When the next check is due (UTC); in the past where it is late, None where it is not known.

    In a turn of several checks the status stands as of the last report: the schedule goes on from there by the
    worker's own rule, for as long as the turn may last.
    """
    status = view.status
    if status is None or view.verdict is not None or status.paused:
        return None
    said = status.next_check_time
    if said is None or said > now or not _in_turn(status, now):
        return said
    return min(_tick_after(view, status, now), status.deadline)


def _in_turn(status: MonitorStatus, now: datetime) -> bool:
    longest = timedelta(seconds=status.turn_seconds + status.interval_seconds)
    return status.turn_seconds > 0 and now <= status.as_of + longest


def _tick_after(view: MonitorView, status: MonitorStatus, now: datetime) -> datetime:
    if view.request is None or status.schedule is None or status.next_check_time is None:
        return status.next_check_time or now
    polling = view.request.polling.model_copy(update={"interval_seconds": status.interval_seconds})
    return due(polling, view.instance_id, advance(polling, view.instance_id, status.schedule, now))
