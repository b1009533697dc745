"""Paths into JSON data, by which a template and the script of its page name the same thing. Pure."""

import json
from collections.abc import Mapping
from typing import Any


def at(data: Any, paths: str) -> Any:
    """What stands at the first of `paths` that leads to something; else None.

    `result.deadline|status.deadline` are two paths.
    """
    for path in paths.split("|"):
        found = data
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        if found is not None:
            return found
    return None


def entries(data: Any) -> list[Any]:
    """What a list shows: its items, or the members of an object as `{name, value}`."""
    if isinstance(data, Mapping):
        return [{"name": name, "value": value} for name, value in data.items()]
    return list(data or ())


def in_words(value: Any) -> str:
    """A value in one line: an object as `name: value; name: value`, nothing as nothing."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {in_words(one)}" for name, one in value.items())
    return "" if value is None else str(value)


def yes_in_words(value: Any, words: str) -> str:
    """Of `yes|no|unknown` the one that a value is."""
    yes, no, unknown = words.split("|")
    return unknown if value is None else yes if value else no


def shown_json(value: Any) -> str:
    """A value for people: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
