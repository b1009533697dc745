"""How single things are said: texts from outside, moments, lengths of time. Pure."""

import math
from datetime import datetime
from typing import Final

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_MINUTE: Final = 60
_JUST_DUE_SECONDS: Final = 2


def clean(text: str) -> str:
    """`text` in one line, without what could move a cursor or hide something: control and invisible characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def clock(moment: datetime) -> str:
    """`12:00:01Z`."""
    return moment.strftime("%H:%M:%SZ")


def day_and_clock(moment: datetime, now: datetime) -> str:
    """`12:00:01Z`, after its date where that is not today's."""
    return clock(moment) if moment.date() == now.date() else moment.strftime("%Y-%m-%d %H:%M:%SZ")


def span(seconds: float) -> str:
    """A length of time by its two largest units: `7 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = math.ceil(seconds)
    first = next((index for index, (size, _) in enumerate(_UNITS) if whole >= size), len(_UNITS) - 1)
    size, name = _UNITS[first]
    said = f"{whole // size} {name}"
    smaller = _UNITS[first + 1 : first + 2]
    return " ".join([said, *(f"{whole % size // step} {unit}" for step, unit in smaller if whole % size >= step)])


def duration(seconds: float) -> str:
    """A length of time that has passed: to a tenth of a second below a minute."""
    return f"{seconds:.1f} s" if seconds < _MINUTE else span(seconds)


def until(moment: datetime, now: datetime) -> str:
    """How far away a moment is: `in 7 s`, `now`, `4 min 10 s ago`."""
    seconds = (moment - now).total_seconds()
    if seconds > 0:
        return f"in {span(seconds)}"
    return "now" if seconds > -_JUST_DUE_SECONDS else f"{span(-seconds)} ago"


def count(number: int, noun: str) -> str:
    """`1 check`, `2 checks`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
