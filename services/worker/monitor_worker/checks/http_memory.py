"""What one check of kind `http` leaves for the next: marks of the first answer, and how to ask for the last again.

It stands in the monitor's state, so it holds no content: of the first answer only digests.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from pydantic import JsonValue

from monitor_worker.checks.base import Observation
from monitor_worker.checks.http_answer import Answer

_SUCCESSES: Final = range(200, 300)
_WEAK: Final = "W/"
_PRECONDITIONS: Final = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_REMEMBERED: Final = ("code", "status", "changed")
_LARGEST_LAST: Final = 2000
"""Characters as JSON: with the digests it stays within what a checkpoint may be."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known from earlier checks.

    Args:
        first: digests of what the first good answer is known by; None before there was one.
        last: `validators` (by header), `variables` and `shown` (the observed status) of the last good answer; None
            where it cannot be asked for conditionally.
    """

    first: dict[str, Any] | None = None
    last: dict[str, Any] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any] | None) -> Self:
        """What the check before left."""
        left = checkpoint or {}
        return cls(left.get("first"), left.get("last"))

    def preconditions(self) -> dict[str, str]:
        """The headers that ask whether the last answer still stands; none where that cannot be asked."""
        validators = self.last["validators"] if self.last else {}
        return {header: validators[name] for name, header in _PRECONDITIONS.items() if name in validators}

    def unmodified(self, seen: Observation) -> Observation:
        """The observation of a 304: the last answer's, with the headers and the time of this one."""
        last = self.last or {}
        variables = {**seen.variables, **last["variables"], "not_modified": True}
        return replace(seen, status=last["shown"], variables=variables, error=None)

    def take_in(self, answer: Answer, seen: Observation, *, remember: bool) -> Observation:
        """The observation of any other answer, with what is to be known of it from then on.

        Args:
            answer: the answer.
            seen: what it shows; with an error it is no good answer.
            remember: whether the next check may ask if it still stands.
        """
        good = answer.code in _SUCCESSES and seen.error is None
        marks = _marks(answer) if good else {}
        variables = {**seen.variables, "changed": self._is_changed(marks), "not_modified": False}
        seen = replace(seen, variables=variables)
        if not good:
            return seen
        first = marks if self.first is None else self.first
        new = Memory(first, _last(answer, seen) if remember else None)
        return seen if new == self else replace(seen, checkpoint=new.as_checkpoint())

    def as_checkpoint(self) -> dict[str, JsonValue]:
        """For the next check's `of`."""
        return {"first": self.first, "last": self.last}

    def _is_changed(self, marks: Mapping[str, str]) -> bool:
        first = self.first or {}
        best = next((name for name in marks if name in first), None)
        return best is not None and first[best] != marks[best]


def _marks(answer: Answer) -> dict[str, str]:
    """What an answer is known by, the best first."""
    marks = {name: value.removeprefix(_WEAK).encode() for name, value in _validators(answer).items()}
    if answer.method != "HEAD":
        marks["content"] = answer.content
    return {name: hashlib.sha256(mark).hexdigest() for name, mark in marks.items()}


def _validators(answer: Answer) -> dict[str, str]:
    found = {name: answer.headers.get(name, "").strip() for name in _PRECONDITIONS}
    return {name: value for name, value in found.items() if value and value.isascii() and value.isprintable()}


def _last(answer: Answer, seen: Observation) -> dict[str, Any] | None:
    last = {
        "validators": _validators(answer),
        "variables": {name: seen.variables[name] for name in _REMEMBERED if name in seen.variables},
        "shown": seen.status,
    }
    fits = len(json.dumps(last)) <= _LARGEST_LAST
    return last if last["validators"] and fits else None
