"""What it costs to evaluate a condition in another process, and how long the loop stands still meanwhile."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from benchmarks.goals import Goal, goals
from benchmarks.report import median, table
from monitor_core.conditions import Condition, ConditionError
from monitor_core.kinds.http import HttpCheck
from monitor_worker.evaluator import Evaluator

ROUNDS: Final = 5
TIMES: Final = 1000
LOOPING: Final = "body.items.all(item, item.id >= 0)"
PLAIN: Final = " && ".join(["body == body"] * 7)
"""As costly as one may be that is evaluated in the worker."""
DENSE: Final[Mapping[str, Any]] = {"body": [0] * 500_000}
"""A JSON document of 1 MB with as many values as there can be."""
COSTLY: Final = "body.items.all(one, body.items.all(other, !text.contains('ba')))"


class Costs(NamedTuple):
    """Seconds for one evaluation: in the worker; in the other process, by the clock and of the worker's CPU."""

    here: float
    there: float
    cpu: float


def measure(rounds: int = ROUNDS, times: int = TIMES) -> str:
    """Its part of the page."""
    return asyncio.run(_measured(rounds, times))


async def _measured(rounds: int, times: int) -> str:
    evaluator, small, large = Evaluator(), seen(3), seen(9_000)
    try:
        await evaluator.holds(_condition(LOOPING), small)  # the process is there
        return written(
            [await _costs(evaluator, small, times) for _ in range(rounds)],
            [await _costs(evaluator, large, max(times // 100, 1)) for _ in range(rounds)],
            [_seconds_here(PLAIN, DENSE) for _ in range(rounds)],
            [await _standstill(evaluator) for _ in range(rounds)],
        )
    finally:
        await evaluator.close()


def seen(items: int) -> Mapping[str, Any]:
    """An observation with so many of them in its body, 100 bytes each."""
    body = {"items": [{"id": number, "state": "Running", "name": "x" * 56} for number in range(items)]}
    return {"body": body, "text": json.dumps(body), "code": 200}


def _condition(text: str) -> Condition:
    return Condition("success_when", text, HttpCheck.variables)


async def _costs(evaluator: Evaluator, values: Mapping[str, Any], times: int) -> Costs:
    condition = _condition(LOOPING)
    began = time.perf_counter()
    for _ in range(times):
        condition.holds(values)
    here, began, cpu = time.perf_counter() - began, time.perf_counter(), time.process_time()
    for _ in range(times):
        await evaluator.holds(condition, values)
    return Costs(here / times, (time.perf_counter() - began) / times, (time.process_time() - cpu) / times)


def _seconds_here(text: str, values: Mapping[str, Any]) -> float:
    condition, began = _condition(text), time.perf_counter()
    if not condition.is_plain:
        raise RuntimeError(f"{text} would not be evaluated here")
    condition.holds(values)
    return time.perf_counter() - began


async def _standstill(evaluator: Evaluator) -> float:
    """The longest that a sleep of a millisecond took while a condition took what it may."""
    values = {**seen(99), "text": "b" * 1_000_000}
    costly, longest = asyncio.ensure_future(evaluator.holds(_condition(COSTLY), values)), 0.0
    while not costly.done():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - began)
    with suppress(ConditionError):
        raise RuntimeError(f"{COSTLY} takes less than a condition may: {await costly}")
    return longest


def written(
    small: Sequence[Costs], large: Sequence[Costs], plain: Sequence[float], standstill: Sequence[float]
) -> str:
    """What was measured."""
    rows = [
        (
            what,
            median([each.here * 1e6 for each in costs]),
            median([each.there * 1e6 for each in costs]),
            median([each.cpu * 1e6 for each in costs]),
        )
        for what, costs in (("3 elements", small), ("9,000 elements, 0.9 MB", large))
    ]
    head = ("a loop over", "in the worker, µs", "in the process, µs", "of these the worker's CPU, µs")
    met = goals(
        Goal("longest standstill while a condition takes all it may, ms", 50, _milliseconds(standstill), ".0f"),
        Goal("a costly plain condition over half a million values, ms", 200, _milliseconds(plain), ".0f"),
    )
    return f"{table(head, *rows)}\n\n{met}"


def _milliseconds(seconds: Sequence[float]) -> list[float]:
    return [1000 * each for each in seconds]
