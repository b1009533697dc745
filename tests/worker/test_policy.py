"""What a monitor does next, as a pure function of any state it may be in."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core import pace
from monitor_core.contract import (
    DecidedBy,
    Decision,
    MonitorInput,
    ObservationSummary,
    Progress,
    Schedule,
    Turn,
    Verdict,
)
from monitor_core.schedule import due
from monitor_worker import policy
from monitor_worker.policy import AwaitTurn, Finish, Generation, Monitor, Renew, SleepUntil, StartTurn
from support import strategies as some
from support.strategies import examples
from support.virtual import START, request

RUN, KEY = "8a3e4c1e-5c0f-4d7c-9a55-3d9a2f1e0b6d", "monitor-job-1"
USED = Generation(turns=1, wakes=1)
DECISION = Decision(verdict=Verdict.COMPLETED, decided_by=DecidedBy.POLL, reason="so it is")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def monitor(progress: dict[str, Any] | None = None, **fields: Any) -> Monitor:
    """A monitor that has begun at the start, and what it knows by now."""
    begun = policy.begin(MonitorInput(request=request(**fields), run=RUN), KEY, START)
    return replace(begun, progress=begun.progress.with_(**(progress or {})))


def next_step(state: Monitor, seconds: float, generation: Generation = USED, *out: int) -> policy.Step:
    return policy.next_step(state, at(seconds), generation, frozenset(out))


def test_a_monitor_begins_with_its_deadline_and_its_first_check_at_once() -> None:
    state = policy.begin(MonitorInput(request=request(timeout_seconds=90), run=RUN), KEY, START)
    assert state.progress == Progress(started_at=START, deadline=at(90), schedule=Schedule(anchor=START))
    step = policy.next_step(state, START, Generation(), frozenset())
    assert isinstance(step, StartTurn)
    assert (step.turn.turn, step.turn.turn_seconds, step.turn.last_status) == (1, 0, None)


def test_after_continue_as_new_it_is_as_it_was() -> None:
    progress = monitor({"checks_performed": 7, "turn": 3}).progress
    given = MonitorInput(request=request(timeout_seconds=5), run=RUN, progress=progress)
    assert policy.begin(given, KEY, at(1000)).progress == progress


def test_it_sleeps_until_the_check_is_due() -> None:
    state = monitor(
        {"schedule": Schedule(anchor=START, k=2), "prompt": False},
        polling={"interval_seconds": 60},
        timeout_seconds=600,
    )
    assert next_step(state, 61) == SleepUntil(at(120))


def test_it_sleeps_no_longer_than_to_the_deadline() -> None:
    state = monitor(
        {"schedule": Schedule(anchor=START, k=2), "prompt": False},
        polling={"interval_seconds": 60},
        timeout_seconds=100,
    )
    assert next_step(state, 61) == SleepUntil(at(100))


@pytest.mark.parametrize(("seconds", "starts"), [(9, True), (8.99, False), (10, True), (300, True)])
def test_what_is_due_within_a_second_is_waited_for_in_the_turn(seconds: float, starts: bool) -> None:
    state = monitor({"schedule": Schedule(anchor=START, k=1), "prompt": False}, polling={"interval_seconds": 10})
    assert isinstance(next_step(state, seconds), StartTurn) is starts


@pytest.mark.parametrize(
    ("interval", "asked", "length"),
    [
        (4.9, "auto", 15),
        (5, "auto", 0),
        (0.1, "auto", 15),
        (60, "auto", 0),
        (1, 0, 0),
        (60, 60, 60),
        (1, 7.5, 7.5),
    ],
)
def test_how_long_a_turn_lasts(interval: float, asked: Any, length: float) -> None:
    polling = {"interval_seconds": interval, "turn_seconds": asked}
    assert policy.turn_seconds(monitor({"prompt": False}, polling=polling)) == length
    for prompt, expected in ((True, 0), (False, length)):
        step = next_step(monitor({"prompt": prompt}, polling=polling), 0)
        assert isinstance(step, StartTurn)
        assert step.turn.turn_seconds == expected


@pytest.mark.parametrize(("ahead", "starts"), [(15, True), (15.01, False)])
def test_a_check_that_is_due_within_a_turn_s_length_is_waited_for_in_the_turn(ahead: float, starts: bool) -> None:
    state = monitor({"schedule": Schedule(anchor=at(ahead)), "prompt": False}, polling={"interval_seconds": 1})
    assert isinstance(next_step(state, 0), StartTurn) is starts


def test_a_turn_carries_all_that_a_worker_needs() -> None:
    seen = ObservationSummary(at=START, status="Running", latency_seconds=0)
    known = {"revision": 4, "turn": 8, "checks_performed": 6, "observation": seen, "consecutive_successes": 1}
    fields: dict[str, Any] = {
        "success_when": "check > 3",
        "failure_when": "check > 9",
        "check_timeout_seconds": 7,
        "tolerance": {"consecutive_successes": 2},
    }
    state = monitor(known, **fields)
    step = next_step(state, 0)
    assert isinstance(step, StartTurn)
    assert step.turn == Turn(
        run=RUN,
        revision=4,
        turn=9,
        job_id="job-1",
        check={"kind": "simulated"},
        success_when="check > 3",
        failure_when="check > 9",
        polling=state.request.polling,
        check_timeout_seconds=7,
        required_successes=2,
        deadline=at(30),
        schedule=Schedule(anchor=START),
        turn_seconds=0,
        checks_performed=6,
        last_status="Running",
        consecutive_successes=1,
    )
    assert policy.started(state, step.turn).progress.turn == 9


@pytest.mark.parametrize("generation", [Generation(turns=20), Generation(wakes=25)])
def test_a_full_history_is_left_behind_once_no_turn_is_out(generation: Generation) -> None:
    state = monitor({"turn": 5})
    assert next_step(state, 0, generation) == Renew()
    assert next_step(state, 0, generation, 5) == AwaitTurn()
    assert next_step(state, 0, generation, 4) == AwaitTurn(), "one that is overtaken is out: no further one starts"
    assert isinstance(next_step(state, 0, USED, 4), StartTurn), "it starts where there is room"


def test_generations_are_counted_by_turns_and_wakes() -> None:
    generation = Generation()
    for _ in range(pace.TURNS_PER_GENERATION):
        assert not generation.is_full
        generation = generation.with_turn()
    assert generation.is_full
    generation = Generation()
    for _ in range(pace.WAKES_PER_GENERATION):
        assert not generation.is_full
        generation = generation.with_wake()
    assert generation.is_full


@pytest.mark.parametrize(("ahead", "renews"), [(3600, False), (3601, True)])
def test_a_long_sleep_starts_from_a_fresh_history(ahead: float, renews: bool) -> None:
    progress = {"schedule": Schedule(anchor=at(ahead))}
    state = monitor(progress, timeout_seconds=86400)
    assert next_step(state, 0) == (Renew() if renews else SleepUntil(at(ahead)))
    assert next_step(state, 0, Generation()) == SleepUntil(at(ahead))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Monitor, datetime, Generation, frozenset[int]]:
    turn = draw(st.integers(0, 40))
    progress = Progress(
        started_at=START,
        deadline=at(draw(st.integers(0, 10**6))),
        schedule=Schedule(anchor=at(draw(st.integers(-100, 10**5))), k=draw(st.integers(0, 5))),
        turn=turn,
        prompt=draw(st.booleans()),
    )
    state = Monitor(draw(some.requests()), RUN, KEY, progress, draw(st.none() | st.just(DECISION)))
    generation = Generation(draw(st.integers(0, 30)), draw(st.integers(0, 30)))
    out = draw(st.frozensets(st.integers(max(turn - 2, 0), turn), max_size=2))
    return state, at(draw(st.integers(0, 10**6))), generation, out


@given(situations())
@examples(120)
def test_every_step_keeps_its_promises(situation: tuple[Monitor, datetime, Generation, frozenset[int]]) -> None:
    state, now, generation, out = situation
    step = policy.next_step(state, now, generation, out)
    current_is_out = state.progress.turn in out
    match step:
        case Finish(decision):
            assert decision is state.decision
        case AwaitTurn():
            assert current_is_out or (out and generation.is_full)
        case Renew():
            assert not out, "no activity is ever in flight across generations"
            after = policy.next_step(state, now, Generation(), frozenset())
            assert not isinstance(after, Renew), "it does not renew for ever"
        case SleepUntil(moment):
            assert not current_is_out
            assert now < moment <= max(now, state.progress.deadline)
        case StartTurn(turn):
            assert not current_is_out
            assert not (out and generation.is_full)
            assert turn.turn == state.progress.turn + 1
            assert turn.turn not in out
            has_room = state.progress.allowed_seconds > 0
            near = timedelta(seconds=max(turn.turn_seconds, pace.NEAR_SECONDS) if has_room else 0)
            assert policy.next_due(state) <= now + near
    assert (state.decision is not None) == isinstance(step, Finish)


@given(situations())
@examples(100)
def test_a_check_is_due_by_the_deadline(situation: tuple[Monitor, datetime, Generation, frozenset[int]]) -> None:
    state = situation[0]
    tick = due(state.request.polling, KEY, state.progress.schedule)
    assert policy.next_due(state) == min(tick, state.progress.deadline)


def test_the_last_check_waits_for_the_deadline_by_the_orchestration_s_clock() -> None:
    """A worker's clock that is ahead would have the deadline come again and again."""
    state = monitor({"schedule": Schedule(anchor=at(30), k=1), "prompt": False}, timeout_seconds=30)
    assert next_step(state, 29.5) == SleepUntil(at(30))
    assert isinstance(next_step(state, 30), StartTurn)
