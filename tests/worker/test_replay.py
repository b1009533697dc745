"""The orchestrator through the SDK's own executor: it replays the same way, and its history stays bounded."""

from datetime import timedelta
from typing import Any

import pytest

from monitor_core.contract import ErrorClass
from support.executor import LARGEST_DISPATCH, ExecutorEngine, execute
from support.virtual import START, Answer, Target, request, run


def play(target: Target, **fields: Any) -> tuple[dict[str, Any], ExecutorEngine]:
    engine = ExecutorEngine(request(**fields), target)
    return engine.run(), engine


def largest(engine: ExecutorEngine) -> int:
    return max(dispatch.size for dispatch in engine.dispatches)


def test_three_thousand_checks_never_replay_more_than_a_constant() -> None:
    result, engine = play(lambda *_: Answer(), polling={"interval_seconds": 1}, timeout_seconds=2999)
    assert result["checks_performed"] == 3000
    assert largest(engine) <= LARGEST_DISPATCH


@pytest.mark.parametrize("turn_seconds", [0, 30])
def test_one_check_a_turn_replays_no_more(turn_seconds: float) -> None:
    def restless(number: int, _: float) -> Answer:
        return Answer(str(number))

    polling = {"interval_seconds": 5, "turn_seconds": turn_seconds}
    result, engine = play(restless, polling=polling, timeout_seconds=2000)
    assert result["checks_performed"] == 401
    assert largest(engine) <= LARGEST_DISPATCH


def test_it_does_the_same_as_under_the_plain_generator() -> None:
    def busy(number: int, now: float) -> Answer:
        if number % 7 == 0:
            return Answer(error=ErrorClass.TRANSIENT, retry_after=3)
        return Answer("Succeeded" if now > 200 else f"step {number // 5}", takes=(number % 3) / 2)

    fields: dict[str, Any] = {"polling": {"interval_seconds": 2, "jitter": 0.2}, "timeout_seconds": 300}
    result, engine = play(busy, **fields)
    plain, _ = run(busy, **fields)
    assert result == plain
    assert engine.generation >= 1


def test_commands_are_carried_over_and_applied_once_each() -> None:
    engine = ExecutorEngine(
        request(polling={"interval_seconds": 5}, timeout_seconds=600), lambda *_: Answer(takes=0.3)
    )
    for number in range(200):
        engine.send(START + timedelta(seconds=number * 2.9), {"name": "check_now", "id": f"c{number}"})
    engine.send(START + timedelta(seconds=599), {"name": "cancel", "id": "end"})
    result = engine.run()
    assert result["final_status"] == "Cancelled"
    assert len(engine.checked_at) >= 201
    assert engine.generation > 5


def test_every_dispatch_replays_to_the_same_actions() -> None:
    _, engine = play(
        lambda number, _: Answer(str(number // 4)), polling={"interval_seconds": 3}, timeout_seconds=300
    )
    for dispatch in engine.dispatches:
        assert execute(engine.instance, dispatch.past, dispatch.new) == dispatch.actions
