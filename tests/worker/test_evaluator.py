"""What a condition may take, and that one that takes more harms nobody else."""

import asyncio
import math
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from monitor_core.conditions import Condition, ConditionError
from monitor_core.kinds.http import HttpCheck
from monitor_worker.evaluator import PATIENCE, Evaluator
from monitor_worker.quarantine import GRACE_SECONDS
from monitor_worker.turns import LONGEST_PATIENCE

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
        "text.contains( \"no \" ) && !text.contains('one')",
        "has(body.error) ? body.error.code in ['a', 'b'] : size(body.items) > 0",
        "timestamp(body.updated) > timestamp('2026-01-01T00:00:00Z') && int(body.n) >= -1",
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
        "google.protobuf.ListValue{values: [body, body]} == []",
        "text.contains(body.part)",
        "text.contains('a' == 'b' ? text : text)",
        """text == "contains('" || body.all(x, x == [" ') "])""",
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
        (SLOW, LONG, "success_when takes more than 0.25 s of CPU; make it look at less"),
        (GROWING, {"text": "b" * 1000}, "success_when takes more than 256 MiB of memory; make it look at less"),
    ],
)
async def test_a_condition_that_takes_too_much_is_a_permanent_error_and_the_next_one_is_judged(
    evaluator: Evaluator, text: str, values: Mapping[str, Any], why: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        await evaluator.holds(condition(text), values)
    assert (caught.value.permanent, str(caught.value)) == (True, why)
    assert await evaluator.holds(condition("[1].all(x, x == 1)"), {})


async def test_while_a_condition_takes_long_the_loop_goes_on(evaluator: Evaluator) -> None:
    slow = asyncio.ensure_future(evaluator.holds(condition(SLOW), LONG))
    plain, meanwhile = condition("code == 200"), 0
    while not slow.done():
        await asyncio.sleep(0.001)
        meanwhile += await evaluator.holds(plain, VALUES)
    with pytest.raises(ConditionError, match="takes more than"):
        await slow
    assert meanwhile > 10


LOOPING = "[1].all(x, x == 1)"


def processes(evaluator: Evaluator) -> list[int]:
    """For the quick ones, for the slow ones; 0 where there is none yet."""
    both = [evaluator._quick._process, evaluator._slow._process]
    return [process.pid if process else 0 for process in both]


async def test_one_whose_process_was_ended_from_outside_is_not_to_blame(evaluator: Evaluator) -> None:
    assert await evaluator.holds(condition(LOOPING), {})
    process, _ = processes(evaluator)
    os.kill(process, signal.SIGSTOP)
    stopped = asyncio.ensure_future(evaluator.holds(condition(LOOPING), {}))
    await asyncio.sleep(0.1)
    os.kill(process, signal.SIGKILL)
    with pytest.raises(
        ConditionError, match=r"success_when cannot be judged: its process was ended \(-9\)"
    ) as caught:
        await stopped
    assert not caught.value.permanent
    assert await evaluator.holds(condition(LOOPING), {})


async def test_an_answer_that_nobody_waits_for_is_not_taken_for_the_next_one_s(evaluator: Evaluator) -> None:
    for seconds in (0.01, 0.1, 0.2):
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
    first, _ = processes(evaluator)
    assert environment_of(first) == [b"PYTHONPATH"]
    assert await evaluator.holds(condition(LOOPING), {})
    assert processes(evaluator) == [first, 0]


async def test_it_is_gone_once_it_is_not_needed_any_more(evaluator: Evaluator) -> None:
    await evaluator.close()
    assert await evaluator.holds(condition(LOOPING), {})
    process, _ = processes(evaluator)
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


async def test_a_slow_one_holds_up_its_like_alone(evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = condition(LOOPING)
    assert await evaluator.holds(slow, {})
    assert await evaluator.holds(slow, {})
    assert processes(evaluator)[1] == 0, "it has taken little"
    monkeypatch.setattr("monitor_worker.evaluator.SLOW_SECONDS", -1)  # the clock of CPU is a coarse one
    assert await evaluator.holds(slow, {})
    assert processes(evaluator)[1] == 0, "nobody knew"
    assert await evaluator.holds(slow, {})
    assert all(processes(evaluator))
    os.kill(processes(evaluator)[1], signal.SIGSTOP)
    assert await evaluator.holds(condition("[1].all(x, x > 0)"), {})


async def test_who_gets_no_answer_in_time_is_judged_another_time(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await evaluator.holds(condition(LOOPING), {})
    os.kill(processes(evaluator)[0], signal.SIGSTOP)
    monkeypatch.setattr("monitor_worker.evaluator.PATIENCE", 0.3)
    outcomes = await asyncio.gather(
        *(evaluator.holds(condition(LOOPING), {}) for _ in range(3)), return_exceptions=True
    )
    why = "success_when cannot be judged: there was no answer within 0.3 s, others take long"
    assert [str(outcome) for outcome in outcomes] == [why] * 3
    monkeypatch.undo()
    assert await evaluator.holds(condition(LOOPING), {})


def test_a_turn_waits_for_the_conditions_of_two_checks() -> None:
    """The one that the deadline cuts off, and the last one; and before it for another suspect."""
    assert LONGEST_PATIENCE + 2 * 2 * PATIENCE < GRACE_SECONDS


async def test_memory_that_others_have_left_is_not_counted_against_a_condition(evaluator: Evaluator) -> None:
    much = condition("body.map(x, text + x).size() == 150")
    values = {"text": "b" * 1_000_000, "body": [str(number) for number in range(150)]}
    assert await evaluator.holds(condition(LOOPING), {})
    first, _ = processes(evaluator)
    for _ in range(4):
        assert await evaluator.holds(much, values)
    with pytest.raises(ConditionError) as caught:
        await evaluator.holds(condition(GROWING), {"text": "b" * 1000})
    assert caught.value.permanent
    assert processes(evaluator)[0] != first, "it was asked once more, in a process that has answered nothing"
