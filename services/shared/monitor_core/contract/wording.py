"""Puts what pydantic finds wrong into the words of those who write requests, with the field that they meant."""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from monitor_core.contract.base import Problem
from monitor_core.words import clean

WITHHELD: Final = "withheld"
"""The type of an error whose value must not be repeated: it holds a secret."""
Fields = Mapping[str, str]
"""What each field means, by its dotted path."""
_NONE: Final[Fields] = {}
_LONGEST_SHOWN: Final = 80
MOST_PROBLEMS: Final = 20
"""More would hide the first, and each takes its time: a stranger's request may have a hundred thousand."""
_MOST_READ: Final = 10 * MOST_PROBLEMS
_TAGS: Final = ("[key]", "constrained-", "function-", "literal[")
_UNKNOWN: Final = "extra_forbidden"
_PREFIX: Final = re.compile(r"^(Value error, )?((Input|String) (?=should ))?")
_QUOTE: Final = "'"
_WHOLE, _NUMBER, _TRUTH = "should be a whole number", "should be a number", "should be true or false"
_OBJECT, _LIST = "should be an object: names, each with its value", "should be a list"
_TIME: Final = "should be a time with its offset, 2026-11-24T12:00:00Z say"
_REASONS: Final[Mapping[str, str]] = {
    "missing": "is required",
    "string_type": "should be a text",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), _TRUTH),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing"), _TIME),
    "timezone_aware": _TIME,
    "string_unicode": "should be whole Unicode, without half a surrogate pair",
    **dict.fromkeys(("list_type", "tuple_type"), _LIST),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), _OBJECT),
}
_COUNTED: Final[Mapping[str, str]] = {
    "too_long": "should have at most {max_length} items",
    "too_short": "should have at least {min_length} items",
}


def problems_of(
    error: ValidationError, prefix: str = "", whole: str = "request", fields: Fields = _NONE
) -> list[Problem]:
    """Pydantic's errors as problems, one a field, their paths below `prefix`; `whole` names what has no path.

    Args:
        error: what was found wrong.
        prefix: the path of what was validated.
        whole: what an error of no field is an error of.
        fields: those that there are, as `fields_of` gives them: for what a wrong one was meant to be.
    """
    reasons: dict[str, list[str]] = {}
    details = error.errors(include_url=False)
    for detail in details[:_MOST_READ]:
        path = _path(prefix, detail, fields)
        reasons.setdefault(path or whole, []).append(_reason(detail, path, fields))
    problems = [Problem(field, ", or ".join(several)) for field, several in reasons.items()]
    return first_of(problems, whole=prefix or whole, unread=len(details[_MOST_READ:]))


def first_of(problems: list[Problem], whole: str, unread: int = 0) -> list[Problem]:
    """The problems, as many as are of use, and how many more there are of `whole`."""
    left = len(problems) - MOST_PROBLEMS + unread
    if left <= 0:
        return problems
    more = f"{left:,} more {'is' if left == 1 else 'are'} wrong: mend these first"
    return [*problems[:MOST_PROBLEMS], Problem(whole, more)]


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The dotted path of each field of a model and of its parts, below `prefix`, and what it means."""
    above = _without_positions(prefix)
    for name, field in model.model_fields.items():
        path = f"{above}.{name}" if above else name
        yield path, field.description or ""
        for part in _models_in(field.annotation):
            yield from fields_of(part, path)


def reason_of(kind: str, message: str, value: object, more: Mapping[str, Any] = MappingProxyType({})) -> str:
    """What is wrong, and with what value: an error's type, message, input and context as pydantic gives them."""
    reason = _REASONS.get(kind) or _COUNTED.get(kind, "").format(**more) or _PREFIX.sub("", message)
    if kind == "string_type" and isinstance(value, bool | int | float):
        reason += ": put it in quotes"
    # A value that is long, or has parts of its own, would hide the reason.
    return f"{reason} (got {_shown(value)})" if kind != WITHHELD and _is_short(value) else reason


def _is_short(value: object) -> bool:
    if isinstance(value, int) and value.bit_length() > _LONGEST_SHOWN:
        return False  # Python writes no number of thousands of digits
    return isinstance(value, int | float | str) and len(str(value)) <= _LONGEST_SHOWN


def _shown(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else repr(value)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _path(prefix: str, detail: Mapping[str, Any], fields: Fields) -> str:
    path, location = prefix, detail["loc"]
    for depth, part in enumerate(location):
        unknown = detail["type"] == _UNKNOWN and depth == len(location) - 1
        kept = unknown or isinstance(part, int) or not (part.startswith(_TAGS) or _is_tag(path, part, fields))
        if kept:
            name = _named(part)
            path = f"{path}.{name}" if path else name
    return path


def _named(part: str | int) -> str:
    """A part of a path, which may be a stranger's: in one line, no longer than needed, and fit to be stored."""
    name = clean(str(part).encode("utf-8", "replace").decode())
    return name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}..."


def _is_tag(path: str, part: str, fields: Fields) -> bool:
    """Whether it is what pydantic adds to a path for a union's member, which names no field of the user's."""
    place = _without_positions(path)
    return f"{place}.{part}" not in fields and bool(place) and any(one.startswith(f"{place}.") for one in fields)


def _without_positions(path: str) -> str:
    """`on_verdict.0.to` as `on_verdict.to`: the fields are those of any item of a list."""
    return ".".join(part for part in path.split(".") if not part.isdecimal())


def _reason(detail: Mapping[str, Any], path: str, fields: Fields) -> str:
    if detail["type"] == _UNKNOWN:
        meant = _meant(path, fields)
        return f"is not a known field{f': did you mean {meant}?' if meant else ''}"
    if detail["type"] == "missing":
        return _REASONS["missing"]
    message, more = detail["msg"], detail.get("ctx", {})
    if detail["type"] == "union_tag_invalid":
        return (
            f"{more['discriminator'].strip(_QUOTE)} should be one of {more['expected_tags']} (got {more['tag']!r})"
        )
    if detail["type"] == "union_tag_not_found":
        return f"{more['discriminator'].strip(_QUOTE)} is required in it"
    if detail["type"] == "string_pattern_mismatch":
        place = _without_positions(path)
        means = fields.get(place) or fields.get(place.rpartition(".")[0])
        message = (
            f"has not the form that it should have: {means.partition('. ')[0].rstrip('.')}" if means else message
        )
    return reason_of(detail["type"], message, detail["input"], more)


def _meant(path: str, fields: Fields) -> str | None:
    """The field that a path which is none was probably meant to be: a like one beside it, else one of its name."""
    parent, _, name = path.rpartition(".")
    place = _without_positions(parent)
    beside = [one.rpartition(".")[2] for one in fields if one.rpartition(".")[0] == place]
    if close := get_close_matches(name, beside, 1):
        return f"{parent}.{close[0]}" if parent else close[0]
    elsewhere = [one for one in fields if f"{one.rpartition('.')[2]}_".startswith(f"{name}_")]
    return min(elsewhere, key=len, default=None)
