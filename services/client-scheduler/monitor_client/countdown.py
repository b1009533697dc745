"""When the next check is due, for who counts down to it. Pure."""

from datetime import datetime, timedelta

from monitor_client.view import MonitorView
from monitor_core.contract import MonitorStatus, Polling, Schedule
from monitor_core.schedule import advance, due


def next_check(view: MonitorView, now: datetime) -> datetime | None:
    """When the next check is due (UTC); in the past where it is late, None where it is not known.

    In a turn of several checks the status stands as of the last report. A schedule that is a plain row of
    intervals goes on from there by itself, for as long as the turn may last; of any other the last word stands.
    """
    status = view.status
    if status is None or view.verdict is not None or status.paused:
        return None
    said = status.next_check_time
    if said is None or said > now or view.request is None or not _in_turn(status, view.request.polling, now):
        return said
    return min(_tick_after(said, view.request.polling, now), status.deadline)


def _in_turn(status: MonitorStatus, polling: Polling, now: datetime) -> bool:
    plain = polling.backoff == 1 and not polling.jitter
    longest = timedelta(seconds=status.turn_seconds + polling.interval_seconds)
    return plain and status.turn_seconds > 0 and now <= status.as_of + longest


def _tick_after(said: datetime, polling: Polling, now: datetime) -> datetime:
    # The key seeds the jitter, of which there is none here.
    following = advance(polling, "", Schedule(anchor=said), now)
    return due(polling, "", following)
