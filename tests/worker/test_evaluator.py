"""What a condition may take, and that one that takes more harms nobody else."""

import asyncio
import math
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from monitor_core.conditions import Condition, ConditionError
from monitor_core.contract import ErrorClass
from monitor_core.kinds.http import HttpCheck
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.evaluation import CPU_SECONDS
from monitor_worker.evaluator import Evaluator

GROWING = "text" + ".replace('', text)" * 6 + " == ''"
"""Each replacement multiplies the text's length by itself: of a thousand letters it makes a million at once."""
SLOW = "body.all(x, body.all(y, !text.contains('ba')))"
"""Some gigabytes are looked at."""
LONG = {"text": "b" * 1_000_000, "body": [0] * 99}


def condition(text: str) -> Condition:
    return Condition("success_when", text, HttpCheck.variables)


@pytest.fixture
async def evaluator() -> AsyncIterator[Evaluator]:
    made = Evaluator()
    yield made
    await made.close()


@pytest.mark.parametrize(
    "text",
    [
        "body.status == 'Succeeded'",
        "code == 200 && body.count > 3 && !(text.contains('error') || text.startsWith ('bad'))",
        "has(body.error) ? body.error.code in ['a', 'b'] : size(body.items) > 0",
        "timestamp(body.updated) > timestamp('2026-01-01T00:00:00Z') && int(body.n) >= -1 && double(body.n) < 1.5",
    ],
)
def test_a_plain_condition_looks_at_each_value_once(text: str) -> None:
    assert condition(text).is_plain


@pytest.mark.parametrize(
    "text",
    [
        "body.exists(x, x == 1)",
        "body.all (x, x == 1)",
        "body.filter\n(x, x == 1).size() == 1",
        "body.map(x, x) == [1]",
        "body.map//\n(x, x) == [1]",
        "text + text == ''",
        "[body] + [body] == []",
        "text.replace('a', 'aa') == ''",
        "text.matches('(x{1,100}){1,100}')",
        "[text, text].join(text) == ''",
        "'%s%s'.format([text, text]) == ''",
        "text.split('').size() == 1",
        f"body == {' == body || body == '.join(['1'] * 20)}",
    ],
)
def test_what_loops_or_grows_or_is_long_is_not_plain(text: str) -> None:
    assert not condition(text).is_plain


VALUES: Mapping[str, Any] = {
    "body": {"items": [{"id": 1, "ok": True}, {"id": 2.5, "ok": False}], "text": "é\u2028\n\ud800", "none": None},
    "text": "a\nb",
    "code": 200,
}


@pytest.mark.parametrize(
    "text",
    [
        "body.items.exists(i, i.id == 2.5)",
        "body.items.all(i, i.ok)",
        "body.items.map(i, i.id)[0] + 1 == 2",
        "text.matches('^a\\nb$') && body.text.matches('\\n')",
        "body.none == null && code + 1 == 201",
        "body.items.exists(i, i.missing)",
        "body.items.map(i, i.id)[1]",
        "[latency_ms].exists(ms, ms > 0.0)",
    ],
)
async def test_the_process_comes_to_what_is_come_to_here(evaluator: Evaluator, text: str) -> None:
    one = condition(text)
    assert not one.is_plain
    try:
        here: Any = one.holds(VALUES)
    except ConditionError as error:
        here = str(error)
    try:
        there: Any = await evaluator.holds(one, VALUES)
    except ConditionError as error:
        there = str(error)
    assert there == here


async def test_numbers_that_json_does_not_have_arrive(evaluator: Evaluator) -> None:
    assert await evaluator.holds(condition("[body].all(x, x > 1.0)"), {"body": math.inf})
    assert not await evaluator.holds(condition("[body].all(x, x == x)"), {"body": math.nan})


@pytest.mark.parametrize(
    ("text", "values", "why"),
    [
        (SLOW, LONG, "success_when takes more than 1 s of CPU; make it look at less"),
        (GROWING, {"text": "b" * 1000}, "success_when takes more than 256 MiB of memory; make it look at less"),
    ],
)
async def test_a_condition_that_takes_too_much_is_a_permanent_error_and_the_next_one_is_judged(
    evaluator: Evaluator, text: str, values: Mapping[str, Any], why: str
) -> None:
    with pytest.raises(CheckFailed) as caught:
        await evaluator.holds(condition(text), values)
    assert (caught.value.error_class, str(caught.value)) == (ErrorClass.PERMANENT, why)
    assert await evaluator.holds(condition("[1].all(x, x == 1)"), {})


async def test_while_a_condition_takes_long_the_loop_goes_on(evaluator: Evaluator) -> None:
    slow = asyncio.ensure_future(evaluator.holds(condition(SLOW), LONG))
    plain, longest = condition("code == 200"), 0.0
    while not slow.done():
        before = time.monotonic()
        await asyncio.sleep(0.001)
        assert await evaluator.holds(plain, VALUES)
        longest = max(longest, time.monotonic() - before)
    with pytest.raises(CheckFailed):
        await slow
    assert longest < CPU_SECONDS / 2


LOOPING = "[1].all(x, x == 1)"


def the_process(evaluator: Evaluator) -> int:
    process = evaluator._process  # nobody else may know it
    assert process is not None
    return process.pid


async def test_one_whose_process_was_ended_from_outside_is_not_to_blame(evaluator: Evaluator) -> None:
    slow = asyncio.ensure_future(evaluator.holds(condition(SLOW), LONG))
    while evaluator._process is None:  # noqa: ASYNC110 # nobody tells
        await asyncio.sleep(0.01)
    os.kill(the_process(evaluator), signal.SIGKILL)
    with pytest.raises(ConditionError, match=r"success_when cannot be judged: its process was ended \(-9\)"):
        await slow
    assert await evaluator.holds(condition(LOOPING), {})


async def test_an_answer_that_nobody_waits_for_is_not_taken_for_the_next_one_s(evaluator: Evaluator) -> None:
    for seconds in (0.01, 0.1, 0.3, 0.6):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(evaluator.holds(condition(SLOW), LONG), seconds)
        assert await evaluator.holds(condition(LOOPING), {})


def environment_of(process: int) -> list[bytes]:
    variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return [one.partition(b"=")[0] for one in variables if one]


async def test_the_process_is_kept_and_knows_nothing_of_the_worker_s_environment(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_SECRET_PASSWORD", "s3cret")
    assert await evaluator.holds(condition(LOOPING), {})
    first = the_process(evaluator)
    assert environment_of(first) == [b"PYTHONPATH"]
    assert await evaluator.holds(condition(LOOPING), {})
    assert the_process(evaluator) == first


async def test_it_is_gone_once_it_is_not_needed_any_more(evaluator: Evaluator) -> None:
    await evaluator.close()
    assert await evaluator.holds(condition(LOOPING), {})
    process = the_process(evaluator)
    await evaluator.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_where_there_can_be_no_process_the_condition_cannot_be_judged_yet(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ConditionError, match="there can be no process for it: No such file or directory"):
        await evaluator.holds(condition(LOOPING), {})


async def test_what_is_no_json_cannot_be_judged(evaluator: Evaluator) -> None:
    with pytest.raises(ConditionError, match="what was seen is no JSON: Object of type bytes"):
        await evaluator.holds(condition(LOOPING), {"body": b"\0"})
