"""What to do about a condition that does not compile, for those who come from other languages than CEL. Pure."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

_UNDECLARED: Final = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD: Final = re.compile(r"no matching overload for '(\S+)' applied to '\((\w+), (\w+)\)'")
_FOREIGN: Final = re.compile(r"Syntax error: .*? (?:input|at:) '([^']*)")
_WORDS: Final[Mapping[str, str]] = {
    "and": "write && for and",
    "or": "write || for or",
    "not": "write ! for not",
    "is": "write == for is",
    "=": "write == for =",
    "&": "write && for &",
    "|": "write || for |",
    "=~": "write x.matches('...') for =~",
    "like": "write x.contains('...') for like",
    "<>": "write != for <>",
    "===": "write == for ===",
    "True": "write true",
    "False": "write false",
    "None": "write null",
    "len": "write x.size()",
    "lower": "write x.lowerAscii()",
    "upper": "write x.upperAscii()",
    "now": "a condition has no clock",
}
_NUMBERS: Final = {"int", "double"}
_LIKE: Final = 0.8


def hint(message: str, text: str, variables: Iterable[str]) -> str:
    """What to do, in brackets after a space; empty where nothing is known to help.

    Args:
        message: the compiler's, in one line.
        text: the condition.
        variables: what it may use.
    """
    advice = _of_types(message) or _of_syntax(message, text) or _of_names(message, text, sorted(variables))
    return f" ({advice})" if advice else ""


def _of_types(message: str) -> str | None:
    found = _OVERLOAD.search(message)
    if found is None:
        return None
    types = {found[2], found[3]}
    if types == _NUMBERS:
        return "30.0 goes with a double, 30 with an int; or convert by double(x), int(x)"
    if "string" in types and types & _NUMBERS:
        return "a text in quotes is no number: leave the quotes out, or convert by string(x), int(x)"
    return None


def _of_syntax(message: str, text: str) -> str | None:
    found = _FOREIGN.search(message)
    if found is None:
        return None
    word = found[1].strip()
    if text.startswith("not ") and word not in _WORDS:
        word = "not"
    whole = next((operator for operator in ("<>", "===") if word in operator and operator in text), word)
    return _WORDS.get(whole)


def _of_names(message: str, text: str, variables: list[str]) -> str | None:
    found = _UNDECLARED.search(message)
    if found is None:
        return None
    name = found[1].partition(".")[0]
    if name in _WORDS:
        return _WORDS[name]
    if re.search(rf"\b{re.escape(name)}\s*\(", text):
        return "there is no such function: docs/conditions.md has those that there are"
    close = get_close_matches(name, variables, 1, _LIKE)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(variables)}; a text stands in quotes" if variables else None
