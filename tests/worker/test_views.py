"""What a monitor shows while it runs and leaves behind: complete where it is short, and never too large."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.contract import (
    CheckError,
    CommandOutcome,
    DecidedBy,
    Decision,
    ErrorClass,
    MonitorInput,
    MonitorRequest,
    MonitorResult,
    MonitorStatus,
    ObservationSummary,
    Paused,
    Progress,
    Transition,
    Verdict,
)
from monitor_worker import policy, views
from monitor_worker.policy import AwaitTurn, Finish, Monitor, Renew, SleepUntil, StartTurn
from support import strategies as some
from support.strategies import examples
from support.virtual import START, request

RUN, KEY = "8a3e4c1e-5c0f-4d7c-9a55-3d9a2f1e0b6d", "monitor-job-1"
DECISION = Decision(verdict=Verdict.COMPLETED, decided_by=DecidedBy.POLL, reason="so it is")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def monitor(progress: dict[str, Any] | None = None, **fields: Any) -> Monitor:
    """A monitor that has begun at the start, and what it knows by now."""
    begun = policy.begin(MonitorInput(request=request(**fields), run=RUN), KEY, START)
    return replace(begun, progress=begun.progress.with_(**(progress or {})))


# A character above U+FFFF takes twelve bytes in JSON, one below it six at most.
wide = st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF), max_size=100)
longest = st.sampled_from(["", "a" * 100, "\u4e16" * 100, "\x01" * 100])
statuses = wide | longest


@st.composite
def shown(draw: st.DrawFn) -> tuple[Monitor, policy.Step]:
    """A monitor with texts as long as the contract lets them be."""
    observation = ObservationSummary(
        at=START,
        status=draw(statuses),
        summary=draw(st.none() | statuses.map(lambda text: text * 3)),
        latency_seconds=0,
    )
    error = CheckError(error_class=ErrorClass.TRANSIENT, message=draw(statuses) * 10, at=START)
    outcome = CommandOutcome(
        id=draw(statuses)[:64], name=draw(statuses)[:64], at=START, accepted=False, message=draw(statuses) * 2
    )
    progress = monitor(
        {
            "observation": draw(st.none() | st.just(observation)),
            "error": draw(st.none() | st.just(error)),
            "commands": draw(st.just(()) | st.just((outcome,))),
            "transitions": tuple(
                Transition(at=START, status=draw(statuses)) for _ in range(draw(st.integers(0, 10)))
            ),
            "checks_performed": 10**9,
        }
    ).progress
    job_id = draw(st.sampled_from(["job-1", "a" * 128, "\u4e16" * 128]))
    state = Monitor(request(job_id=job_id), RUN, KEY, progress)
    steps: list[policy.Step] = [
        AwaitTurn(),
        SleepUntil(at(60)),
        Renew(),
        Finish(DECISION),
        StartTurn(policy._turn(state)),
    ]
    return state, draw(st.sampled_from(steps))


@given(shown())
@examples(100)
def test_the_status_is_of_at_most_2_kb_and_can_be_read(given: tuple[Monitor, policy.Step]) -> None:
    state, step = given
    data = views.status_of(state, step, at(5))
    written = json.dumps(data, allow_nan=False)
    assert len(written) <= 2048
    status = MonitorStatus.model_validate(json.loads(written))
    assert (status.job_id, status.run, status.as_of) == (state.request.job_id, RUN, at(5))
    assert status.status == ("Completed" if isinstance(step, Finish) else "Running")
    assert status.observed == (state.progress.observation.status if state.progress.observation else None)


def test_what_is_short_is_shown_whole() -> None:
    transitions = tuple(Transition(at=at(n), status=f"S{n}") for n in range(10))
    seen = ObservationSummary(at=at(9), status="S9", summary="fine", latency_seconds=0)
    error = CheckError(error_class=ErrorClass.TRANSIENT, message="HTTP 503", at=at(9))
    known = {
        "transitions": transitions,
        "observation": seen,
        "error": error,
        "last_check_at": at(9),
        "consecutive_errors": 1,
    }
    status = MonitorStatus.model_validate(views.status_of(monitor(known), SleepUntil(at(10)), at(9)))
    assert status.transitions == transitions
    assert (status.observed, status.summary, status.error) == ("S9", "fine", "HTTP 503")
    assert (status.kind, status.last_check_time, status.next_check_time) == ("simulated", at(9), START)
    assert (status.consecutive_errors, status.paused, status.revision, status.deadline) == (1, False, 0, at(30))


def test_where_it_is_too_much_the_oldest_transitions_give_way_first() -> None:
    transitions = tuple(Transition(at=at(n), status="\u4e16" * 90 + f"{n}") for n in range(10))
    status = MonitorStatus.model_validate(
        views.status_of(monitor({"transitions": transitions}), AwaitTurn(), at(9))
    )
    kept = len(status.transitions)
    assert 0 < kept < 10
    assert status.transitions == transitions[-kept:]


def test_a_long_text_is_cut_with_a_mark() -> None:
    seen = ObservationSummary(at=START, status="S", summary="y" * 161, latency_seconds=0)
    status = views.status_of(monitor({"observation": seen}), AwaitTurn(), START)
    assert status["summary"] == "y" * 157 + "..."


@pytest.mark.parametrize(
    ("prompt", "step", "length"),
    [
        (False, AwaitTurn(), 15),
        (True, AwaitTurn(), 0),
        (False, SleepUntil(at(9)), 0),
        (False, Renew(), 0),
        (False, Finish(DECISION), 0),
    ],
)
def test_the_status_says_how_long_it_may_stand(prompt: bool, step: policy.Step, length: float) -> None:
    state = monitor({"prompt": prompt}, polling={"interval_seconds": 1})
    assert views.status_of(state, step, START)["turn_seconds"] == length
    started = StartTurn(policy._turn(state))
    assert views.status_of(state, started, START)["turn_seconds"] == (0 if prompt else 15)


def test_once_it_is_over_no_check_is_announced() -> None:
    status = views.status_of(monitor(), Finish(DECISION), START)
    assert (status["status"], status["next_check_time"]) == ("Completed", None)


@given(some.requests(), some.progresses, st.sampled_from(Verdict), st.sampled_from(DecidedBy), some.moments)
@examples(100)
def test_the_result_is_the_verdict_and_its_evidence(
    asked: MonitorRequest, progress: Progress, verdict: Verdict, by: DecidedBy, now: datetime
) -> None:
    decision = Decision(verdict=verdict, decided_by=by, reason="so it is")
    data = views.result_of(Monitor(asked, RUN, KEY, progress), decision, now)
    result = MonitorResult.model_validate(json.loads(json.dumps(data, allow_nan=False)))
    assert (result.job_id, result.run, result.labels) == (asked.job_id, RUN, asked.labels)
    assert (result.final_status, result.decided_by, result.reason) == (verdict, by, "so it is")
    assert (result.checks_performed, result.revision) == (progress.checks_performed, progress.revision)
    assert (result.started_at, result.ended_at, result.deadline) == (progress.started_at, now, progress.deadline)
    assert result.monitoring_duration_seconds == (now - progress.started_at).total_seconds()
    assert (result.last_observation, result.last_error) == (progress.observation, progress.error)
    assert result.transitions == progress.transitions


def test_a_pause_that_stops_the_deadline_says_since_when() -> None:
    for stops, since in ((True, at(3)), (False, None)):
        paused = monitor({"pause": Paused(since=at(3), deadline_stops=stops)})
        status = MonitorStatus.model_validate(views.status_of(paused, AwaitTurn(), at(4)))
        assert (status.paused, status.deadline_stopped_at) == (True, since)
    status = MonitorStatus.model_validate(views.status_of(monitor(), AwaitTurn(), at(4)))
    assert (status.paused, status.deadline_stopped_at) == (False, None)
