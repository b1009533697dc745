"""From a row as PostgreSQL writes it to what a condition can be judged over. Pure.

The text form is read, not psycopg's objects: those know no infinite time and no year 10000, nest as deeply as a
stranger likes, and are none that CEL takes.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from monitor_core.contract import ErrorClass
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.http_body import parsed, storable

LONGEST_ROW: Final = 1_000_000
"""Bytes."""
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(\+00)?")


class Cell(NamedTuple):
    """One column of a row.

    Args:
        name: the column's.
        type: the number that PostgreSQL knows the type by.
        content: its text form; None for null.
    """

    name: bytes
    type: int
    content: bytes | None


def values(row: Sequence[Cell]) -> list[tuple[str, Any]]:
    """Names and values.

    Raises:
        CheckFailed: the row is larger than LONGEST_ROW.
    """
    if sum(len(cell.content or b"") for cell in row) > LONGEST_ROW:
        reason = f"the first row has more than {LONGEST_ROW:,} bytes: select what the conditions need"
        raise CheckFailed(ErrorClass.PERMANENT, reason)
    return [(_text(cell.name), _value(cell)) for cell in row]


def digest(row: Sequence[Cell] | None, salt: str) -> str:
    """What a row is recognised by without being kept.

    Args:
        row: None for none.
        salt: makes equal rows of two monitors look different.
    """
    cells = None if row is None else [[_text(cell.name), _hex(cell.content)] for cell in row]
    return hashlib.sha256(json.dumps([salt, cells]).encode()).hexdigest()


def _hex(content: bytes | None) -> str | None:
    return None if content is None else content.hex()


def _text(content: bytes) -> str:
    return storable(content.decode(errors="replace"))


def _value(cell: Cell) -> Any:
    if cell.content is None:
        return None
    return _READ.get(cell.type, _as_it_is)(_text(cell.content))


def _as_it_is(text: str) -> str:
    return text


def _bool(text: str) -> bool:
    return text == "t"


def _json(text: str) -> Any:
    try:
        return parsed(text, "application/json")
    except ValueError:  # none that CEL can take
        return text


def _time(text: str) -> str:
    """RFC 3339, as CEL reads it; what has no such form (infinity, before Christ) stays as it is."""
    found = _TIME.fullmatch(text)
    return f"{found[1]}T{found[2]}{'Z' if found[3] else ''}" if found else text


# By the types' numbers, which never change: https://github.com/postgres/postgres, src/include/catalog/pg_type.dat.
_READ: Final[Mapping[int, Callable[[str], Any]]] = {
    16: _bool,
    20: int,  # int8
    21: int,  # int2
    23: int,  # int4
    26: int,  # oid
    114: _json,
    700: float,  # float4
    701: float,  # float8
    1114: _time,  # timestamp
    1184: _time,  # timestamptz
    1700: float,  # numeric: sum(), avg() and extract() give one
    3802: _json,  # jsonb
}
