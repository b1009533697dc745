"""Many monitors as lines: one column a property, as wide as its widest value. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from monitor_client.view import MonitorView


class Column(NamedTuple):
    """A property of a monitor, and how it is said."""

    title: str
    say: Callable[[MonitorView, datetime], str]


def lines_of(views: Sequence[MonitorView], columns: Sequence[Column], now: datetime, *, header: bool) -> list[str]:
    """The monitors, a line each, below the titles where `header`."""
    rows = [[column.say(view, now) for column in columns] for view in views]
    if header:
        rows.insert(0, [column.title for column in columns])
    widths = [max(len(row[index]) for row in rows) for index in range(len(columns))]
    return [
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
