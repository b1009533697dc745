"""What others send straight to the engine: a monitor goes on, says what was wrong, and can still be read."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor_core.contract import CommandOutcome, MonitorStatus, Verdict
from monitor_core.contract.command import COMMANDS
from monitor_worker.views import STATUS_BYTES
from support.executor import ExecutorEngine
from support.strategies import examples, json_values
from support.virtual import START, Answer, request, run

HALVES = st.text(st.characters(categories=["Cs", "Cc", "Ll"]), max_size=80)
"""Texts that JSON carries and nobody else: half a surrogate pair, control characters."""
LONG = st.sampled_from(["x" * 5000, "\U0001f600" * 300, "a" * 64, "a" * 65])
ODD: st.SearchStrategy[Any] = HALVES | LONG | json_values | st.sampled_from([10**300, -1, 1e308, float("nan")])
FIELDS = sorted({field for command in COMMANDS.values() for field in command.model_fields})
payloads = ODD | st.dictionaries(st.sampled_from([*FIELDS, "\ud800", "x" * 3000]), ODD, max_size=4).flatmap(
    lambda fields: st.sampled_from([*COMMANDS, None, "\ud800"]).map(
        lambda name: fields if name is None else {**fields, "name": name}
    )
)


@example(events=[{"id": "\U0001f600" * 64, "name": "cancel", "reason": "\U0001f600" * 9000}] * 6)
@examples(60)
@given(events=st.lists(payloads, min_size=1, max_size=6))
def test_no_event_breaks_a_monitor_or_makes_it_unreadable(events: list[Any]) -> None:
    told = [(0.5 + number, event) for number, event in enumerate(events)]
    result, engine = run(lambda *_: Answer(), *told, timeout_seconds=20)
    assert result["final_status"] in set(Verdict)
    for shown in engine.statuses:
        status = MonitorStatus.model_validate_json(json.dumps(shown))
        assert len(json.dumps(shown)) <= STATUS_BYTES
        assert all(outcome.message for outcome in status.commands)


def test_half_a_surrogate_pair_in_an_event_is_replaced_and_the_refusal_can_be_read() -> None:
    _, engine = run(lambda *_: Answer(), (1, {"id": "\ud800", "name": "\udfff", "\ud800": 1}), timeout_seconds=5)
    (outcome,) = MonitorStatus.model_validate_json(json.dumps(engine.statuses[-1])).commands
    assert (outcome.id, outcome.name, outcome.accepted) == ("?", "?", False)
    assert outcome.message.startswith("command.name: should be one of cancel, check_now, ")
    assert CommandOutcome.model_validate_json(outcome.model_dump_json()) == outcome


@pytest.mark.parametrize(
    "payload",
    [
        "cancel",
        "{",
        '{"a": 1,}',
        "1" * 5000,
        "[" * 100_000,
        '{"a":' * 900 + "1" + "}" * 900,
        "NaN",
        '"\\ud800"',
        "",
    ],
    ids=lambda payload: payload[:8],
)
def test_a_payload_that_is_no_json_is_refused_and_the_monitor_goes_on(payload: str) -> None:
    engine = ExecutorEngine(request(timeout_seconds=5), lambda *_: Answer())
    engine.raise_event(START + timedelta(seconds=1), payload)
    result = engine.run()
    assert (result["final_status"], result["decided_by"]) == ("Timeout", "deadline")
