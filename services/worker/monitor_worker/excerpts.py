"""An observation's variables as they are shown: JSON without secrets, and no more than there is room for."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import JsonValue

from monitor_core.contract.explain import LONGEST_VARIABLES
from monitor_worker.checks.masking import Mask

LEFT_OUT: Final = "..."
"""Begins whatever stands for something that was left out."""
_LARGEST_BITS: Final = 64


class _Room(NamedTuple):
    """How much of each part is shown: characters of a text, members of a collection, levels below a variable."""

    characters: int
    members: int
    levels: int


# From the widest on, the first whose excerpt is small enough.
_ROOMS: Final = (_Room(2000, 100, 8), _Room(500, 30, 6), _Room(200, 12, 5), _Room(100, 6, 4), _Room(50, 3, 2))
_SMALLEST: Final = _Room(10, 3, 0)
_MOST_VARIABLES: Final = 50


class Excerpt(NamedTuple):
    """The variables (None where there are none), and whether anything of them was left out."""

    variables: dict[str, JsonValue] | None
    shortened: bool


def excerpt(variables: Mapping[str, Any] | None, mask: Mask) -> Excerpt:
    """The variables as JSON data of at most `LONGEST_VARIABLES` characters, every text in it masked.

    What is left out leaves a mark that begins with `...`. Whatever is not JSON is named by its type: its text
    is a stranger's.
    """
    if variables is None:
        return Excerpt(None, shortened=False)
    for room in (*_ROOMS, _SMALLEST):
        made = _Maker(room, mask)
        shown = made.members(variables, room.levels, _MOST_VARIABLES)
        if len(json.dumps(shown)) <= LONGEST_VARIABLES:
            break
    return Excerpt(shown, made.shortened)


class _Maker:
    def __init__(self, room: _Room, mask: Mask) -> None:
        self._room, self._mask = room, mask
        self.shortened = False

    def value(self, value: Any, levels: int) -> JsonValue:
        match value:
            case Mapping() if levels > 0 or not value:
                return self.members(value, levels - 1, self._room.members)
            case list() | tuple() if levels > 0 or not value:
                return self._list(value, levels - 1)
            case Mapping() | list() | tuple():
                return self._instead(f"{len(value)} more")
            case str():
                return self._text(value)
            case _:
                return self._single(value)

    def _single(self, value: Any) -> JsonValue:
        match value:
            case None | bool():
                return value
            case int() if value.bit_length() <= _LARGEST_BITS:
                return value
            case float():
                return value if math.isfinite(value) else str(value)
            case int():
                return self._instead(f"a whole number of {value.bit_length()} bits")
            case _:
                return self._instead(f"a {type(value).__name__}")

    def members(self, value: Mapping[Any, Any], levels: int, most: int) -> dict[str, JsonValue]:
        shown: dict[str, JsonValue] = {}
        for name in list(value)[:most]:
            shown[self._text(str(name))] = self.value(value[name], levels)
        if len(shown) < len(value):
            shown[LEFT_OUT] = self._instead(f"{len(value) - len(shown)} more")
        return shown

    def _list(self, value: Sequence[Any], levels: int) -> list[JsonValue]:
        shown = [self.value(one, levels) for one in value[: self._room.members]]
        left = len(value) - len(shown)
        return [*shown, self._instead(f"{left} more")] if left else shown

    def _text(self, text: str) -> str:
        # Masked first: a secret that is cut off would not be found any more.
        masked = self._mask(text).encode("utf-8", "replace").decode()
        left = len(masked) - self._room.characters
        return masked if left <= 0 else masked[: self._room.characters] + self._instead(f"{left} more characters")

    def _instead(self, what: str) -> str:
        self.shortened = True
        return f"{LEFT_OUT} ({what})"
