"""What is said of a monitor: exact lines, and nothing in them that could move a cursor."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from durabletask.client import OrchestrationStatus as Runtime
from durabletask.task import FailureDetails

from monitor_client.countdown import next_check
from monitor_client.rows import plain, progress_line, result_rows, state_rows
from monitor_client.view import MonitorView, view_of
from monitor_core.words import clean, day_and_clock, duration, span, until
from support.fake_scheduler import NOON, Instance, request, result, status

GIVEN = {"request": request().model_dump(mode="json"), "run": "run-1"}


AHEAD = "next check in 1 s, deadline in 7 s"


def view(shown: dict[str, Any] | None = None, **instance: Any) -> MonitorView:
    return view_of(Instance(given=GIVEN, shown=shown, **instance).state("monitor-job-1"))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        (view(runtime=Runtime.PENDING), "12:00:01Z job-1 Pending"),
        (view(), "12:00:01Z job-1 Running"),
        (
            view(status()),
            "12:00:01Z job-1 Running, 3 checks, observed Running (200 OK, 120 bytes in 4 ms), " + AHEAD,
        ),
        (
            view(status(check_count=0, observed=None, summary=None, next_check_time="2026-01-01T12:00:01Z")),
            "12:00:01Z job-1 Running, 0 checks, next check now, deadline in 7 s",
        ),
        (
            view(status(check_count=1, summary=None, error="503 Service Unavailable", consecutive_errors=1)),
            "12:00:01Z job-1 Running, 1 check, observed Running, error 503 Service Unavailable, " + AHEAD,
        ),
        (
            view(status(observed=None, error="503 Service Unavailable", consecutive_errors=2)),
            "12:00:01Z job-1 Running, 3 checks, error (2 in a row) 503 Service Unavailable, " + AHEAD,
        ),
        (
            view(status(paused=True)),
            "12:00:01Z job-1 Paused, 3 checks, observed Running (200 OK, 120 bytes in 4 ms), deadline in 7 s",
        ),
        (
            view(status(check_count=1234, next_check_time=None), runtime=Runtime.COMPLETED, output=result()),
            "12:00:01Z job-1 Completed, 1,234 checks, observed Running (200 OK, 120 bytes in 4 ms)",
        ),
    ],
)
def test_a_change_is_one_line(seen: MonitorView, line: str) -> None:
    assert progress_line(seen, NOON) == line


def test_a_check_that_is_late_says_so() -> None:
    line = progress_line(view(status()), after(300))
    assert line.endswith("next check 4 min 59 s ago, deadline 4 min 53 s ago")


def test_how_a_monitor_stands_row_by_row() -> None:
    command = {
        "id": "1",
        "name": "check_now",
        "at": "2026-01-01T12:00:00Z",
        "accepted": True,
        "message": "checking",
    }
    seen = view(status(turn_seconds=15, error="503", consecutive_errors=2, commands=[command]))
    assert plain(state_rows(seen, NOON)) == [
        "job_id        job-1",
        "state         Running",
        "checks        3 (as of 12:00:00Z)",
        "observed      Running (200 OK, 120 bytes in 4 ms)",
        "error         (2 in a row) 503",
        "next check    12:00:02Z (in 1 s)",
        "deadline      12:00:08Z (in 7 s)",
        "last command  check_now accepted: checking",
        "transitions   12:00:00Z Running",
        "run           run-1",
    ]


def test_what_is_not_known_is_left_out() -> None:
    assert plain(state_rows(view(runtime=Runtime.PENDING), NOON)) == [
        "job_id  job-1",
        "state   Pending (no worker has taken it yet)",
        "run     run-1",
    ]


def test_a_result_row_by_row() -> None:
    seen = view(runtime=Runtime.COMPLETED, output=result())
    assert plain(result_rows(seen, NOON)) == [
        "job_id        job-1",
        "final_status  Completed",
        "reason        the success condition holds (poll)",
        "checks        4 in 15.2 s",
        "observed      Succeeded (200 OK)",
        "transitions   12:00:00Z Running",
        "              12:00:15Z Succeeded",
        "run           run-1",
    ]


@pytest.mark.parametrize(("reason", "shown"), [("4 errors in a row, the last: 503", False), ("cancelled", True)])
def test_an_error_that_is_the_reason_is_not_said_twice(reason: str, shown: bool) -> None:
    error = {"error_class": "transient", "message": "503", "at": "2026-01-01T12:00:00Z"}
    seen = view(runtime=Runtime.COMPLETED, output=result(reason=reason, last_error=error))
    assert (("error", "503") in result_rows(seen, NOON)) is shown


@pytest.mark.parametrize(
    ("instance", "state", "reason"),
    [
        ({"runtime": Runtime.TERMINATED}, "Cancelled", "terminated from outside"),
        (
            {"runtime": Runtime.FAILED, "failure": FailureDetails("broke", "KeyError", None)},
            "Error",
            "the orchestration itself failed, which is a defect of Durable Monitor: KeyError: broke",
        ),
    ],
)
def test_an_end_without_a_result(instance: dict[str, Any], state: str, reason: str) -> None:
    rows = dict(result_rows(view(status(), **instance), NOON))
    assert rows == {"job_id": "job-1", "final_status": state, "reason": reason, "checks": "3", "run": "run-1"}


def test_nothing_from_outside_moves_the_cursor_or_breaks_the_line() -> None:
    evil = "a\x1b[2J\r\nb\x9b1A\u202ec\u2028d\x00\te"
    seen = view(
        status(
            observed=evil, summary=evil, error=evil, transitions=[{"at": "2026-01-01T12:00:00Z", "status": evil}]
        )
    )
    texts = [progress_line(seen, NOON), *plain(state_rows(seen, NOON))]
    assert all(text.isprintable() for text in texts)
    assert clean(evil) == "a [2J b 1A c d e"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.2, "1 s"),
        (59.5, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3659, "1 h"),
        (7500, "2 h 5 min"),
        (86400 * 3 + 3600 * 4, "3 d 4 h"),
        (86400 * 366, "366 d"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_moments_and_durations() -> None:
    assert (until(after(0.5), NOON), until(NOON, NOON), until(after(-3), NOON)) == ("in 1 s", "now", "3 s ago")
    assert (duration(0.04), duration(59.94), duration(61)) == ("0.0 s", "59.9 s", "1 min 1 s")
    assert day_and_clock(after(86400), NOON) == "2026-01-02 12:00:01Z"


def counting(seconds: float, shown: dict[str, Any], **polling: Any) -> float | None:
    """Seconds from noon to the next check, seen at so many seconds after noon."""
    asked = request(polling={"interval_seconds": 2, **polling})
    given = {"request": asked.model_dump(mode="json"), "run": "run-1"}
    due = next_check(view_of(Instance(given=given, shown=shown).state("i")), after(seconds))
    return None if due is None else (due - NOON).total_seconds()


def in_turn(**fields: Any) -> dict[str, Any]:
    return status(
        as_of=after(0).isoformat(),
        next_check_time=after(2).isoformat(),
        deadline=after(10).isoformat(),
        turn_seconds=15,
        **{"interval_seconds": 2, "schedule": {"anchor": after(0).isoformat(), "k": 1}, **fields},
    )


def test_the_countdown_goes_on_within_a_turn_until_the_deadline() -> None:
    assert [counting(seconds, in_turn()) for seconds in (0, 1.9, 2, 5, 9, 11)] == [2, 2, 4, 6, 10, 10]


def test_outside_a_turn_the_last_word_stands() -> None:
    assert counting(5, {**in_turn(), "turn_seconds": 0}) == 2


def test_a_turn_that_should_be_over_is_not_counted_on() -> None:
    assert counting(18, {**in_turn(), "deadline": after(60).isoformat()}) == 2
    assert counting(16, {**in_turn(), "deadline": after(60).isoformat()}) == 18


def test_the_countdown_knows_backoff_jitter_and_an_edited_interval() -> None:
    assert counting(5, in_turn(), backoff=2) == 6
    jittered = counting(5, in_turn(), jitter=0.5)
    assert jittered is not None
    assert 6 < jittered < 7
    assert counting(5, in_turn(interval_seconds=4)) == 8


def test_a_schedule_that_the_status_does_not_tell_is_not_guessed() -> None:
    assert counting(5, in_turn(schedule=None)) == 2


def test_nothing_is_due_while_paused_or_without_a_status() -> None:
    assert counting(0, in_turn(paused=True)) is None
    assert next_check(view(), NOON) is None
    assert next_check(view(status(), runtime=Runtime.TERMINATED), NOON) is None


def test_a_worker_that_does_not_report_is_asked_after() -> None:
    seen = view(status(deadline="2026-01-01T13:00:00Z"))
    due = next_check(seen, NOON)
    assert due is not None
    assert "late" not in dict(state_rows(seen, due + timedelta(seconds=20)))
    late = dict(state_rows(seen, due + timedelta(seconds=60)))["late"]
    assert late.startswith("no report for ")
    assert late.endswith(", is a worker running?")


def test_a_deadline_that_has_stopped_is_not_counted_down() -> None:
    stopped = status(
        paused=True,
        deadline="2026-01-01T12:05:00Z",
        deadline_stopped_at="2026-01-01T12:00:00Z",
        next_check_time=None,
    )
    shown = dict(state_rows(view(shown=stopped), after(100)))
    assert shown["deadline"] == "stopped, 5 min left"
    assert progress_line(view(shown=stopped), after(100)).endswith("deadline stopped, 5 min left")
