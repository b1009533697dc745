"""What is shown of an explanation, as plain text rows: variables as conditions name them. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from monitor_client.rows import Row
from monitor_core.contract import Explanation, Judgement, ObservationSummary
from monitor_core.words import clean, day_and_clock, until

_LONGEST_LINE: Final = 200
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def explanation_rows(said: Explanation, now: datetime) -> list[Row]:
    """What the check saw, what each condition says of it, and what would follow."""
    return [*_seen(said), *_decided(said, now)]


def _seen(said: Explanation) -> Iterator[Row]:
    yield "job_id", clean(said.job_id)
    yield "check", clean(said.kind)
    yield "observed", _observed(said.observation)
    whole = [_variable(path, value) for path, value in _leaves("", said.variables or {})]
    lines = [line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 3]}..." for line in whole]
    if said.shortened or lines != whole:
        lines.append("(shortened here, less so in JSON; the conditions saw all of it)")
    yield from _under("variables", lines)


def _decided(said: Explanation, now: datetime) -> Iterator[Row]:
    for judgement in said.conditions:
        yield judgement.field, _judged(judgement)
        if judgement.problem and said.observation and not said.error:
            yield "", clean(judgement.problem)
    if said.error is not None:
        yield "error", clean(f"{said.error.error_class}: {said.error.message}")
    yield "verdict", said.verdict or "none yet"
    yield "reason", clean(said.reason)
    if said.retry_after_seconds is not None:
        yield "retry after", f"{said.retry_after_seconds:g} s, the target asks"
    if said.next_check_at is not None:
        yield "next check", f"{day_and_clock(said.next_check_at, now)} ({until(said.next_check_at, now)})"


def _observed(observation: ObservationSummary | None) -> str:
    if observation is None:
        return "nothing"
    return clean(f"{observation.status} ({observation.summary})" if observation.summary else observation.status)


def _judged(judgement: Judgement) -> str:
    holds = {True: "true", False: "false", None: "cannot be judged"}[judgement.holds]
    natural = " (the kind's own)" if judgement.natural else ""
    return clean(f"{holds}: {judgement.condition}{natural}")


def _variable(path: str, value: Any) -> str:
    return clean(f"{path} = {json.dumps(value, ensure_ascii=False)}")


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Each single value, under the name that a condition has for it."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(_member(path, name), inner)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(f"{path}[{index}]", inner)
    elif path:
        yield path, value


def _member(path: str, name: str) -> str:
    if not path:
        return name
    return f"{path}.{name}" if _NAME.fullmatch(name) else f"{path}[{json.dumps(name, ensure_ascii=False)}]"


def _under(label: str, lines: list[str]) -> Iterator[Row]:
    for index, line in enumerate(lines):
        yield "" if index else label, line
