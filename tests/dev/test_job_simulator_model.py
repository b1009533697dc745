"""What a job shows and answers, without a server."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from job_simulator.model import Answer, Behaviour, NewJob, answer, operation
from job_simulator.query import fields_of

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("elapsed", "status", "percent"),
    [
        (0, "Queued", 0),
        (1.99, "Queued", 33),
        (2, "Running", 33),
        (4, "Closing", 66),
        (5.999, "Closing", 99),
        (6, "Succeeded", 100),
        (1e9, "Succeeded", 100),
    ],
)
def test_the_steps_share_the_duration_equally(elapsed: float, status: str, percent: int) -> None:
    job = Behaviour(duration_seconds=6, steps=("Queued", "Running", "Closing"))
    shown = operation("nightly", job, START, elapsed)
    assert (shown.status, shown.percent_complete) == (status, percent)


@given(duration=st.floats(0, 1e6), count=st.integers(1, 7), one=st.floats(0, 2e6), more=st.floats(0, 2e6))
def test_a_job_never_goes_back(duration: float, count: int, one: float, more: float) -> None:
    steps = tuple(f"Step{number}" for number in range(count))
    job = Behaviour(duration_seconds=duration, steps=steps)
    order = [*steps, "Succeeded"]
    earlier, later = (operation("nightly", job, START, elapsed) for elapsed in (one, one + more))
    assert order.index(earlier.status) <= order.index(later.status)
    assert earlier.percent_complete <= later.percent_complete


def test_a_job_in_progress_shows_no_end() -> None:
    shown = operation("nightly", Behaviour(), START, 1)
    assert shown.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "id": "nightly",
        "name": "nightly",
        "status": "NotStarted",
        "percentComplete": 20,
        "startTime": "2030-01-01T00:00:00Z",
    }


def test_a_job_that_succeeded_shows_its_end_and_its_result() -> None:
    shown = operation("nightly", Behaviour(duration_seconds=90, steps=("Running",)), START, 1000)
    assert shown.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "id": "nightly",
        "name": "nightly",
        "status": "Succeeded",
        "percentComplete": 100,
        "startTime": "2030-01-01T00:00:00Z",
        "endTime": "2030-01-01T00:01:30Z",
        "properties": {"durationSeconds": 90.0, "steps": ["Running"]},
    }


def test_a_job_that_failed_says_why_and_is_not_complete() -> None:
    shown = operation("nightly", Behaviour(outcome="Failed"), START, 5)
    assert shown.error is not None
    assert (shown.error.code, shown.error.message) == (
        "JobFailed",
        "Job nightly failed after 5 s, as it was asked to.",
    )
    assert (shown.percent_complete, shown.properties) == (99, None)
    assert shown.end_time == START + timedelta(seconds=5)


def test_a_canceled_job_has_neither_error_nor_result() -> None:
    shown = operation("nightly", Behaviour(outcome="Canceled"), START, 5)
    assert (shown.status, shown.error, shown.properties) == ("Canceled", None, None)


def test_a_job_without_duration_is_over_at_once() -> None:
    assert operation("nightly", Behaviour(duration_seconds=0), START, 0).status == "Succeeded"


def test_retry_after_is_given_only_while_the_job_is_in_progress() -> None:
    job = Behaviour(retry_after_seconds=7)
    assert [answer(job, 1, elapsed) for elapsed in (4.9, 5)] == [Answer(200, 7), Answer(200, None)]
    assert answer(Behaviour(retry_after_seconds=None), 1, 0) == Answer(200, None)


def codes(job: Behaviour, count: int = 7) -> list[int]:
    return [answer(job, nth, elapsed=0).code for nth in range(1, count + 1)]


def test_flapping_fails_every_nth_get() -> None:
    assert codes(Behaviour(fail_every=3)) == [200, 200, 503, 200, 200, 503, 200]


def test_flapping_fails_the_first_gets() -> None:
    assert codes(Behaviour(fail_first=2)) == [503, 503, 200, 200, 200, 200, 200]


def test_the_two_ways_to_flap_add_up() -> None:
    assert codes(Behaviour(fail_first=2, fail_every=5, fail_status_code=429)) == [
        429, 429, 200, 200, 429, 200, 200,
    ]  # fmt: skip


@pytest.mark.parametrize("elapsed", [0, 1000])
def test_a_status_code_is_answered_always(elapsed: float) -> None:
    job = Behaviour(status_code=403)
    assert {answer(job, nth, elapsed) for nth in (1, 2, 100)} == {Answer(403, None)}


@pytest.mark.parametrize("job", [{"status_code": 429}, {"fail_first": 1}])
def test_an_error_has_a_retry_after_of_its_own(job: dict[str, int]) -> None:
    asked = Behaviour.model_validate({**job, "error_retry_after_seconds": 30, "retry_after_seconds": 1})
    assert answer(asked, 1, 0).retry_after == 30


@pytest.mark.parametrize(
    ("fields", "where", "reason"),
    [
        ({"duration_seconds": -1}, "duration_seconds", "greater than or equal to 0"),
        ({"duration_seconds": float("nan")}, "duration_seconds", "finite"),
        ({"duration_seconds": float("inf")}, "duration_seconds", "finite"),
        ({"outcome": "Cancelled"}, "outcome", "'Succeeded', 'Failed' or 'Canceled'"),
        ({"steps": []}, "steps", "at least one state"),
        ({"steps": ["Running", "Failed"]}, "steps", "Failed is one"),
        ({"steps": [""]}, "steps.0", "pattern"),
        ({"retry_after_seconds": 1.5}, "retry_after_seconds", "integer"),
        ({"retry_after_seconds": -1}, "retry_after_seconds", "greater than or equal to 0"),
        ({"fail_every": 0}, "fail_every", "greater than or equal to 1"),
        ({"status_code": 200}, "status_code", "greater than or equal to 400"),
        ({"status_code": 600}, "status_code", "less than or equal to 599"),
        ({"mode": "slow"}, "mode", "not permitted"),
        ({"status_code": 403, "fail_every": 2}, "", "status_code answers every GET"),
        ({"hang": True, "delay_seconds": 1}, "", "hang answers no GET"),
        ({"hang": True, "status_code": 500}, "", "hang answers no GET"),
        ({"id": ""}, "id", "at least 1 character"),
        ({"id": "x" * 257}, "id", "at most 256 characters"),
        ({"id": " x"}, "id", "no space at either end"),
        ({"id": "a/../b"}, "id", 'no part "." or ".."'),
    ],
)
def test_what_cannot_be_is_refused_by_name(fields: dict[str, object], where: str, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NewJob.model_validate(fields)
    [error] = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == where
    assert reason in error["msg"]


def test_a_query_reads_like_a_body() -> None:
    query = QueryParams(
        "duration_seconds=3&outcome=Failed&steps=Queued,Running&steps=Closing&retry_after_seconds=null&hang=true"
    )
    assert Behaviour.model_validate(fields_of(query)) == Behaviour(
        duration_seconds=3,
        outcome="Failed",
        steps=("Queued", "Running", "Closing"),
        retry_after_seconds=None,
        hang=True,
    )


def test_a_repeated_parameter_is_not_silently_dropped() -> None:
    with pytest.raises(ValidationError, match="duration_seconds"):
        Behaviour.model_validate(fields_of(QueryParams("duration_seconds=3&duration_seconds=4")))
