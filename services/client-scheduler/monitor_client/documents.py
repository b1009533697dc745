"""Reads YAML and JSON as JSON data, with the line of each field, and without YAML's surprises.

A plain YAML value is what JSON would take it for, else a text as it is written: `2026-01-01` and `12:30` are
texts, `1e3` is a number. What can be read in two ways (`yes`, `012`, `0x10`, `1_000`) is refused, and so are
aliases, tags and keys that are given twice.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from monitor_client.numerals import number_in
from monitor_core.contract import Problem, RequestError
from monitor_core.contract.bounds import DEEPEST, is_deep

LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MOST_REQUESTS: Final = 10_000
"""Documents of a source, and items of a document that is a list."""
_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
TOO_MANY: Final = f"holds more than {MOST_REQUESTS:,} requests: make several files of it"
_TOO_DEEP: Final = f"is nested too deeply: {DEEPEST} levels are enough for any request"
_AMBIGUOUS: Final = (
    (re.compile(r"(?i:y|yes|n|no|on|off)"), "write true or false, or put it in quotes if it is a text"),
    (re.compile(r"[-+]?0[0-9_]+"), "a number does not begin with 0: leave that out, or put it in quotes"),
    (re.compile(r"[-+]?0[xob][0-9A-Fa-f_]+|[-+]?[0-9]++_[0-9_]*+"), "write digits only, or put it in quotes"),
)

_BELOW: Final = (
    "put a text with quotes, ': ' or '#' in it on a line of its own, below FIELD: >-, and see the indentation"
)
_ADVICE: Final = (
    ("did not find expected key", _BELOW),
    ("expected <block end>", _BELOW),
    ("mapping values are not allowed", _BELOW),
    ("expected ',' or", "put a text with { } [ ] or , in it in quotes"),
    ("cannot start any token", "put a text that begins with it in quotes"),
    ("anchor", "put a text that begins with & or * in quotes"),
    ("alias", "put a text that begins with & or * in quotes"),
)
"""By the parser's words, those of the one in C and those of the one in Python."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a source.

    Args:
        source: what it was read from, for messages.
        data: JSON data.
        lines: the line of each field by its dotted path, and of the whole by ''; empty where they are not known.
    """

    source: str
    data: Any
    lines: Mapping[str, int]

    def place(self, field: str) -> str:
        """Where a field stands, or would: `jobs.yaml, line 3`."""
        while field and field not in self.lines:
            field = field.rpartition(".")[0]
        return _place(self.source, self.lines.get(field))


def parse(text: str, source: str, loader: Any = LOADER) -> list[Document]:
    """The documents in a text: several of YAML are separated by `---`.

    Args:
        text: YAML or JSON.
        source: what it was read from, for messages.
        loader: the parser in C where the installation has it, else that in Python.

    Raises:
        RequestError: it cannot be read, or would be read in two ways; the message names source and line.
    """
    if text.lstrip().startswith(("{", "[")):
        try:
            return [Document(source, _json(text, source), _lines(text, source, loader))]
        except json.JSONDecodeError as error:
            if source.endswith(".json"):
                raise RequestError([_problem(source, error.lineno, "", f"is no JSON: {error.msg}")]) from error
    return list(_yaml(text, source, loader))


def items_of(document: Document) -> list[Document]:
    """The items of a document that is a list, else the document itself."""
    if not isinstance(document.data, list):
        return [document]
    lines: dict[str, dict[str, int]] = defaultdict(dict)
    for path, line in document.lines.items():
        index, _, below = path.partition(".")
        lines[index][below] = line
    return [Document(document.source, item, lines[str(index)]) for index, item in enumerate(document.data)]


def _json(text: str, source: str) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise RequestError([_problem(source, None, twice, "is given twice")])
        return made

    def constant(name: str) -> None:
        raise RequestError([_problem(source, None, "", f"{name} is not JSON")])

    try:
        data = json.loads(text, object_pairs_hook=members, parse_constant=constant, parse_int=number_in)
    except RecursionError as error:
        raise RequestError([_problem(source, None, "", _TOO_DEEP)]) from error
    if is_deep(data):
        raise RequestError([_problem(source, None, "", _TOO_DEEP)])
    if isinstance(data, list) and len(data) > MOST_REQUESTS:
        raise RequestError([_problem(source, None, "", TOO_MANY)])
    return data


def _lines(text: str, source: str, loader: Any) -> Mapping[str, int]:
    """JSON is nearly YAML: where it is, its lines are known."""
    try:
        return next(_yaml(text, source, loader)).lines
    except (RequestError, StopIteration):
        return {}


def _yaml(text: str, source: str, loader: Any) -> Iterator[Document]:
    try:
        yield from _Reader(text, source, loader).documents()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else None
        raise RequestError([_problem(source, line, "", f"is no YAML: {_advised(why, text, line)}")]) from error


def _advised(why: str, text: str, line: int | None) -> str:
    """What the parser says in one line, and what to do about what is mostly meant by it."""
    said = " ".join(why.split())
    written = "".join(text.split("\n")[line - 1 : line]) if line else ""  # the parser may be past the last one
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return f"{said} (indent with spaces, not with tabs)"
    return said + next((f" ({advice})" for words, advice in _ADVICE if words in said), "")


def _problem(source: str, line: int | None, field: str, reason: str) -> Problem:
    return Problem(", ".join(filter(None, (_place(source, line), field))), reason)


def _place(source: str, line: int | None) -> str:
    return source if line is None else f"{source}, line {line}"


class _Reader:
    """Builds data from the parser's events: no object is made that a tag or an alias asks for."""

    def __init__(self, text: str, source: str, loader: Any) -> None:
        self._events = yaml.parse(text, Loader=loader)
        self._source = source
        self._lines: dict[str, int] = {}

    def documents(self) -> Iterator[Document]:
        starts = (event for event in self._events if isinstance(event, yaml.DocumentStartEvent))
        for number, start in enumerate(starts):
            self._require_few(start, number)
            self._lines = {}
            data = self._value(next(self._events), "", 0)
            yield Document(self._source, data, self._lines)

    def _require_few(self, event: Any, number: int) -> None:
        if number >= MOST_REQUESTS:
            raise self._refused(event, "", TOO_MANY)

    def _value(self, event: Any, path: str, depth: int) -> Any:
        self._lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent):
            raise self._refused(
                event, path, f"the alias *{event.anchor} is not taken: write out what it stands for"
            )
        if event.tag is not None:
            raise self._refused(
                event, path, f"the tag {event.tag} is not taken (put a text that begins with ! in quotes)"
            )
        if depth > DEEPEST:
            raise self._refused(event, "", _TOO_DEEP)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._scalar(event, path)

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key in self._until(yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                raise self._refused(key, path, "the name of a field should be a text")
            inner = f"{path}.{key.value}" if path else key.value
            if key.value in made:
                raise self._refused(key, inner, f"is given twice (before in line {self._lines[inner]})")
            self._lines[inner] = _line(key)
            made[key.value] = self._value(next(self._events), inner, depth + 1)
        return made

    def _sequence(self, path: str, depth: int) -> list[Any]:
        items = []
        for index, event in enumerate(self._until(yaml.SequenceEndEvent)):
            if not path:
                self._require_few(event, index)
            items.append(self._value(event, f"{path}.{index}" if path else str(index), depth + 1))
        return items

    def _until(self, end: type) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _scalar(self, event: Any, path: str) -> Any:
        text = event.value
        if event.style:
            return text  # in quotes, or a block
        if text in _WORDS:
            return _WORDS[text]
        for form, advice in _AMBIGUOUS:
            if form.fullmatch(text):
                raise self._refused(event, path, f"{text} can be read in two ways: {advice}")
        found = number_in(text)
        return text if found is None else found

    def _refused(self, event: Any, path: str, reason: str) -> RequestError:
        return RequestError([_problem(self._source, _line(event), path, reason)])


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1
