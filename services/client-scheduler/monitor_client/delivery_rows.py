"""What is shown of a monitor's deliveries, as plain text rows. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from monitor_client.delivery_view import DeliveryView
from monitor_client.rows import Row
from monitor_client.view import MonitorView
from monitor_core.contract import DeliveryOutcome
from monitor_core.words import clean, count, day_and_clock, until

TOLD: Final = "told"


def told_rows(view: MonitorView, now: datetime) -> Iterator[Row]:
    """A row a delivery: `webhook verdict: delivered after 1 attempt (HTTP 204)`; none where nobody is told."""
    if view.deliveries is None:
        return
    lines = [_line(one, view, now) for one in view.deliveries] or ["nothing yet"]
    if view.deliveries_note is not None:
        lines.append(f"({clean(view.deliveries_note)})")
    for index, line in enumerate(lines):
        yield "" if index else TOLD, line


def is_failed(line: str) -> bool:
    """Whether a row tells of a delivery that has failed."""
    return line.partition(": ")[2].startswith(DeliveryOutcome.FAILED)


def _line(one: DeliveryView, view: MonitorView, now: datetime) -> str:
    # Several channels of a kind are told apart as a request's errors name them.
    several = view.request is not None and len(view.request.on_verdict) > 1 and one.position is not None
    channel = f"{one.kind} (on_verdict.{one.position})" if several else one.kind
    return clean(f"{channel} {one.occasion}: {_became(one, now)}")


def _became(one: DeliveryView, now: datetime) -> str:
    attempts, detail = count(one.attempts, "attempt"), one.detail or ""
    match one.outcome:
        case DeliveryOutcome.DELIVERED:
            return f"delivered after {attempts} ({detail})"
        case DeliveryOutcome.FAILED:
            return f"failed after {attempts}: {detail}"
        case DeliveryOutcome.PENDING:
            return f"pending, {_next(one, now)}{f'; {attempts}, the last: {detail}' if detail else ''}"


def _next(one: DeliveryView, now: datetime) -> str:
    if one.next_attempt_at is None:
        return "no attempt yet"
    return f"next attempt {day_and_clock(one.next_attempt_at, now)} ({until(one.next_attempt_at, now)})"
