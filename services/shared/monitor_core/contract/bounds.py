"""How large a request may be as a whole: it is carried in the history, from turn to turn, and by every notice."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from monitor_core.contract.base import Problem

LARGEST_REQUEST: Final = 256 * 1024
"""Bytes as JSON, without what is at its default. The scheduler takes 1 MB at a time, of which this is a part."""
DEEPEST: Final = 50
"""Levels of nesting: beyond some 200 neither the engine nor pydantic can write it any more."""


def too_deep(data: object) -> list[Problem]:
    """What of decoded JSON is nested too deeply: by the fields of the outermost level."""
    if not isinstance(data, Mapping):
        return []
    reason = f"should be nested at most {DEEPEST} levels deep"
    return [Problem(str(name), reason) for name, value in data.items() if is_deep(value)]


def too_large(request: Mapping[str, Any]) -> list[Problem]:
    """That a request is too large, if so; the field that takes most of it is named.

    Args:
        request: as JSON data.
    """
    sizes = {name: len(json.dumps(value)) for name, value in request.items()}
    if sum(sizes.values()) <= LARGEST_REQUEST:
        return []
    name = max(sizes, key=lambda one: sizes[one])
    kept = f"{LARGEST_REQUEST:,} bytes as JSON: it is kept in the history"
    return [Problem(name, f"has {sizes[name]:,} bytes, and the whole request should have at most {kept}")]


def is_deep(value: object, deepest: int = DEEPEST) -> bool:
    """Whether decoded JSON is nested more than so many levels deep."""
    level = [value]
    for _ in range(deepest):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: object) -> Collection[object]:
    match node:
        case Mapping():
            return node.values()
        case list() | tuple():
            return node
        case _:
            return ()
