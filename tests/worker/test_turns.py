"""A turn under a scripted clock: when it waits, when it checks, when and with what it comes back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.contract import (
    CheckError,
    ErrorClass,
    ObservationSummary,
    Polling,
    Schedule,
    Turn,
    TurnEnd,
    TurnReport,
)
from monitor_core.pace import NEAR_SECONDS
from monitor_core.schedule import due
from monitor_worker.activities import longest
from monitor_worker.quarantine import GRACE_SECONDS
from monitor_worker.turns import LONGEST_PATIENCE, Checkpoint, Look, TurnRun
from support.strategies import examples, pollings
from support.virtual import START, at_once

KEY = "monitor-job-1"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Clock:
    """Waiting moves it on; `drains` says at which second the worker is told to stop."""

    def __init__(self, seconds: float = 0.0, drains: float = 1e9) -> None:
        self.time, self.drains = at(seconds), at(drains)
        self.waits: list[float] = []

    @property
    def seconds(self) -> float:
        return (self.time - START).total_seconds()

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    async def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        until = self.time + timedelta(seconds=max(seconds, 0))
        self.time = max(self.time, min(until, self.drains))
        return until < self.drains


@dataclass
class Answer:
    """What one check sees, and how long it takes."""

    status: str = "Running"
    takes: float = 0.0
    success: bool = False
    failure: bool = False
    error: ErrorClass | None = None
    retry_after: float | None = None
    leaves: Checkpoint = None


@dataclass
class Target:
    """Answers in the order of its script, the last answer for ever; keeps what it was asked."""

    clock: Clock
    script: list[Answer]
    asked: list[tuple[int, float, float]] = field(default_factory=list)
    given: list[Checkpoint] = field(default_factory=list)

    @property
    def times(self) -> list[float]:
        return [since for _, _, since in self.asked]

    async def look(self, number: int, allowed: float, checkpoint: Checkpoint) -> Look:
        self.given.append(checkpoint)
        answer = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append((number, allowed, self.clock.seconds))
        moment = self.clock.now()
        self.clock.time += timedelta(seconds=min(answer.takes, allowed))
        error = ErrorClass.TRANSIENT if answer.takes > allowed else answer.error
        if error is not None:
            return Look(
                error=CheckError(error_class=error, message="no", at=moment),
                retry_after_seconds=answer.retry_after,
                checkpoint=answer.leaves,
            )
        seen = ObservationSummary(
            at=moment,
            status=answer.status,
            latency_seconds=answer.takes,
            success=answer.success,
            failure=answer.failure,
        )
        return Look(observation=seen, retry_after_seconds=answer.retry_after, checkpoint=answer.leaves)


def turn(**changes: Any) -> Turn:
    """A turn whose check is due at the start, of a monitor whose deadline is far; it has seen `Running`."""
    fields: dict[str, Any] = {
        "run": "run-1",
        "revision": 3,
        "turn": 7,
        "job_id": "job-1",
        "check": {"kind": "simulated"},
        "success_when": None,
        "failure_when": None,
        "polling": Polling(interval_seconds=1),
        "check_timeout_seconds": 10,
        "required_successes": 1,
        "deadline": at(1000),
        "schedule": Schedule(anchor=START),
        "turn_seconds": 5,
        "checks_performed": 10,
        "last_status": "Running",
        "consecutive_successes": 0,
    }
    return Turn(**fields | changes)


def play(
    asked: Turn,
    *script: Answer,
    clock: Clock | None = None,
    has_room: Callable[[], bool] = lambda: True,
    held_back: Callable[[], float] = lambda: 0.0,
) -> tuple[TurnReport, Target, Clock]:
    clock = clock or Clock()
    target = Target(clock, list(script) or [Answer()])
    report = at_once(TurnRun(asked, KEY, target.look, clock, has_room, held_back=held_back).run())
    assert TurnReport.model_validate_json(report.model_dump_json()) == report
    return report, target, clock


def test_it_checks_at_every_due_time_while_the_turn_lasts() -> None:
    report, target, _ = play(turn())
    assert target.times == [0, 1, 2, 3, 4, 5]
    assert (report.ended_by, report.checks, report.last_check_at) == (TurnEnd.OVER, 6, at(5))
    assert report.schedule == Schedule(anchor=START, k=6)


def test_it_counts_its_length_from_its_first_check() -> None:
    _, target, clock = play(turn(schedule=Schedule(anchor=at(0.8))))
    assert clock.waits[0] == pytest.approx(0.8)
    assert target.times == [0.8, 1.8, 2.8, 3.8, 4.8, 5.8]


def test_a_turn_of_no_length_makes_one_check() -> None:
    report, target, clock = play(turn(turn_seconds=0))
    assert target.times == [0]
    assert (report.ended_by, report.schedule.k, clock.seconds) == (TurnEnd.OVER, 1, 0)


def test_it_says_which_turn_it_was_and_counts_on_from_the_checks_before() -> None:
    report, target, _ = play(turn(turn_seconds=2))
    assert (report.run, report.revision, report.turn) == ("run-1", 3, 7)
    assert [number for number, _, _ in target.asked] == [11, 12, 13]


@pytest.mark.parametrize("drains", [0, 0.5])
def test_told_to_stop_before_its_check_it_comes_back_untouched(drains: float) -> None:
    asked = turn(schedule=Schedule(anchor=at(0.9), k=0), consecutive_successes=2)
    report, target, clock = play(asked, clock=Clock(drains=drains))
    assert (report.ended_by, report.checks, report.last_check_at) == (TurnEnd.DRAIN, 0, None)
    assert (report.schedule, report.consecutive_successes) == (asked.schedule, 2)
    assert (report.observation, report.error, report.final) == (None, None, False)
    assert (target.asked, clock.seconds) == ([], drains)


def test_told_to_stop_between_two_checks_it_reports_those_made() -> None:
    report, target, _ = play(turn(), clock=Clock(drains=2.5))
    assert target.times == [0, 1, 2]
    assert (report.ended_by, report.checks, report.schedule.k) == (TurnEnd.DRAIN, 3, 3)
    assert report.observation is not None
    assert report.observation.status == "Running"


def test_told_to_stop_during_a_check_it_comes_back_after_it() -> None:
    report, _, clock = play(turn(), Answer(takes=3), clock=Clock(drains=1))
    assert (report.ended_by, report.checks, clock.seconds) == (TurnEnd.DRAIN, 1, 3)


def test_it_reports_its_largest_lateness() -> None:
    # Due at 0, 1 and 5: the first starts 0.25 s late, the second is on time and takes long, so 2, 3 and 4 go by.
    report, target, _ = play(turn(turn_seconds=5), Answer(), Answer(takes=3.5), clock=Clock(seconds=0.25))
    assert target.times == [0.25, 1, 5]
    assert report.lateness_seconds == pytest.approx(0.25)


def test_a_check_on_time_is_not_late() -> None:
    report, _, _ = play(turn())
    assert report.lateness_seconds == 0


def test_a_check_is_cut_at_the_deadline_and_the_last_one_has_its_own_time() -> None:
    report, target, clock = play(turn(deadline=at(4), turn_seconds=0), Answer(takes=99), Answer(takes=8))
    assert target.asked == [(11, 4.0, 0), (12, 10.0, 4)]
    assert (report.ended_by, report.final, report.checks) == (TurnEnd.DEADLINE, True, 2)
    assert report.error is None, "the deadline cut it off, not the target"
    assert clock.seconds == 12


def test_a_check_that_the_deadline_does_not_cut_may_take_its_time() -> None:
    report, target, _ = play(turn(deadline=at(500), turn_seconds=0), Answer(takes=99))
    assert target.asked == [(11, 10.0, 0)]
    assert report.error is not None
    assert (report.ended_by, report.final) == (TurnEnd.ERROR, False)


def test_an_error_that_will_stay_is_one_even_where_the_deadline_passed_meanwhile() -> None:
    report, _, _ = play(turn(deadline=at(4)), Answer(takes=4, error=ErrorClass.PERMANENT), Answer())
    assert (report.ended_by, report.checks) == (TurnEnd.ERROR, 1)
    assert report.error is not None


def test_an_answer_counts_even_where_the_deadline_passed_meanwhile() -> None:
    report, _, _ = play(turn(deadline=at(4)), Answer(takes=4, success=True), Answer())
    assert (report.ended_by, report.checks, report.final) == (TurnEnd.CONDITION, 1, False)


def test_the_last_check_starts_at_the_deadline_though_no_tick_is_due_then() -> None:
    report, target, _ = play(turn(deadline=at(2.5)))
    assert target.times == [0, 1, 2, 2.5]
    assert (report.ended_by, report.final) == (TurnEnd.DEADLINE, True)


def test_the_last_check_ends_it_whatever_the_status() -> None:
    report, _, _ = play(turn(deadline=at(0)), Answer("Waiting"))
    assert (report.ended_by, report.final) == (TurnEnd.DEADLINE, True)


def test_no_check_but_the_last_is_final() -> None:
    report, _, _ = play(turn(deadline=at(5.5)))
    assert (report.ended_by, report.final) == (TurnEnd.OVER, False)


def test_an_error_of_the_last_check_is_reported() -> None:
    report, _, _ = play(turn(schedule=Schedule(anchor=at(0), k=30), deadline=at(0)), Answer(takes=99))
    assert (report.ended_by, report.final) == (TurnEnd.ERROR, True)


def test_a_change_of_status_ends_it() -> None:
    report, target, _ = play(turn(), Answer(), Answer("Waiting"))
    assert target.times == [0, 1]
    assert (report.ended_by, report.checks) == (TurnEnd.STATUS, 2)
    assert report.observation is not None
    assert (report.observation.status, report.observation.at) == ("Waiting", at(1))


def test_the_first_status_of_all_is_a_change() -> None:
    assert play(turn(last_status=None))[0].ended_by is TurnEnd.STATUS


@pytest.mark.parametrize("error", ErrorClass)
def test_an_error_ends_it(error: ErrorClass) -> None:
    report, _, _ = play(turn(), Answer(), Answer(error=error))
    assert (report.ended_by, report.checks) == (TurnEnd.ERROR, 2)
    assert report.error is not None
    assert (report.error.error_class, report.error.at) == (error, at(1))
    assert report.observation is None


@pytest.mark.parametrize("answer", [Answer(success=True), Answer(failure=True)])
def test_a_condition_that_decides_ends_it(answer: Answer) -> None:
    report, _, _ = play(turn(), Answer(), answer)
    assert (report.ended_by, report.checks) == (TurnEnd.CONDITION, 2)


def test_the_last_check_of_all_may_decide() -> None:
    report, _, _ = play(turn(deadline=at(1)), Answer(), Answer(success=True))
    assert (report.ended_by, report.final) == (TurnEnd.CONDITION, True)


def test_successes_are_counted_on_until_there_are_enough() -> None:
    asked = turn(required_successes=3, consecutive_successes=1)
    report, _, _ = play(asked, Answer(success=True))
    assert (report.ended_by, report.checks, report.consecutive_successes) == (TurnEnd.CONDITION, 2, 3)


def test_successes_start_anew_after_a_check_without_one() -> None:
    good = Answer(success=True)
    report, _, _ = play(turn(required_successes=3, turn_seconds=4), good, good, Answer(), good)
    assert (report.ended_by, report.checks, report.consecutive_successes) == (TurnEnd.OVER, 5, 2)
    report, _, _ = play(turn(required_successes=3), good, good, Answer(error=ErrorClass.TRANSIENT))
    assert (report.ended_by, report.consecutive_successes) == (TurnEnd.ERROR, 0)


def test_a_failure_ends_it_though_more_successes_are_needed() -> None:
    report, _, _ = play(turn(required_successes=3), Answer(success=True, failure=True))
    assert report.ended_by is TurnEnd.CONDITION


@pytest.mark.parametrize(
    ("honor", "asked_for", "expected"),
    [(True, 2.5, [0, 2.5, 5]), (False, 2.5, [0, 1, 2, 3, 4, 5]), (True, 0.5, [0, 1, 2, 3, 4, 5])],
)
def test_retry_after_moves_the_schedule_within_the_turn(
    honor: bool, asked_for: float, expected: list[float]
) -> None:
    polling = Polling(interval_seconds=1, honor_retry_after=honor)
    _, target, _ = play(turn(polling=polling), Answer(retry_after=asked_for))
    assert target.times == expected


def test_retry_after_counts_from_the_end_of_the_check() -> None:
    report, _, _ = play(turn(turn_seconds=0), Answer(takes=0.5, retry_after=60))
    assert report.schedule == Schedule(anchor=at(60.5))


def test_a_retry_after_beyond_the_turn_ends_it() -> None:
    report, target, clock = play(turn(), Answer(retry_after=60))
    assert (target.times, clock.seconds) == ([0], 0)
    assert (report.ended_by, report.schedule) == (TurnEnd.OVER, Schedule(anchor=at(60)))


def test_an_error_s_retry_after_is_honoured_too() -> None:
    report, _, _ = play(turn(), Answer(error=ErrorClass.TRANSIENT, retry_after=60))
    assert report.schedule == Schedule(anchor=at(60))


def test_without_room_it_waits_for_no_second_check() -> None:
    report, target, _ = play(turn(), has_room=lambda: False)
    assert (target.times, report.ended_by, report.allowed_seconds) == ([0], TurnEnd.OVER, 0)


def test_it_waits_for_as_long_as_there_is_room() -> None:
    rooms = iter([True, True, False, False])
    report, target, _ = play(turn(), has_room=lambda: next(rooms))
    assert (target.times, report.ended_by, report.allowed_seconds) == ([0, 1, 2], TurnEnd.OVER, 0)


def test_a_turn_whose_long_wait_there_is_no_room_for_comes_back_untouched() -> None:
    report, target, clock = play(turn(schedule=Schedule(anchor=START, k=4)), has_room=lambda: False)
    assert (target.asked, clock.waits) == ([], [])
    assert (report.checks, report.schedule, report.allowed_seconds) == (0, Schedule(anchor=START, k=4), 0)


@pytest.mark.parametrize(("length", "waits"), [(5.0, [NEAR_SECONDS]), (0.0, [NEAR_SECONDS])])
def test_a_check_that_is_near_is_waited_for_even_without_room(length: float, waits: list[float]) -> None:
    # So is one that is far by this machine's clock alone: given back, it would come again and again.
    far = NEAR_SECONDS if length else 3600
    asked = turn(turn_seconds=length, schedule=Schedule(anchor=at(far)))
    report, target, clock = play(asked, has_room=lambda: False)
    assert (target.times, clock.waits) == ([NEAR_SECONDS], waits)
    assert report.checks == 1


def test_a_check_that_is_due_already_needs_no_room() -> None:
    report, target, _ = play(turn(deadline=at(1)), Answer(takes=2), has_room=lambda: False)
    assert target.times == [0, 1]
    assert report.final


def test_a_check_that_may_not_be_made_now_is_left_for_later_and_holds_no_slot() -> None:
    report, target, clock = play(turn(), held_back=lambda: 7.5)
    assert (target.asked, clock.seconds) == ([], 0)
    assert (report.ended_by, report.checks, report.final) == (TurnEnd.OVER, 0, False)
    assert (report.schedule, report.put_off_seconds) == (turn().schedule, 7.5)


@pytest.mark.parametrize(
    ("drains", "end", "put_off"),
    [(1e9, TurnEnd.OVER, 0.75), (32.0, TurnEnd.DRAIN, 0.0), (30.5, TurnEnd.DRAIN, 0.0)],
)
def test_a_last_check_that_may_not_be_made_now_is_waited_for_with_patience(
    drains: float, end: TurnEnd, put_off: float
) -> None:
    asked = turn(deadline=at(30), schedule=Schedule(anchor=START, k=30))
    report, target, clock = play(asked, clock=Clock(30, drains), held_back=lambda: 0.75)
    assert (report.ended_by, report.put_off_seconds, report.final) == (end, put_off, False)
    assert (target.asked, clock.seconds) == ([], min(30 + LONGEST_PATIENCE, drains))


def test_a_last_check_is_made_in_its_turn_once_it_may_be() -> None:
    asked = turn(deadline=at(30), schedule=Schedule(anchor=START, k=30))
    lefts = iter([0.5, 2.0, 0.0])
    report, target, _ = play(asked, clock=Clock(30), held_back=lambda: next(lefts))
    assert (target.times, report.final, report.lateness_seconds) == ([32.5], True, 2.5)


def test_no_turn_takes_longer_than_it_is_waited_for() -> None:
    # It waits for its first check, goes on, has one cut off by the deadline, and makes the last one.
    asked = turn(
        schedule=Schedule(anchor=START, k=5), deadline=at(20 + 59.9), check_timeout_seconds=60, turn_seconds=15
    )
    report, _, clock = play(asked, *[Answer()] * 15, Answer(takes=99))
    assert (report.checks, clock.seconds) == (17, 20 + 59.9 + 60)
    assert clock.seconds <= longest(asked) - GRACE_SECONDS


@pytest.mark.parametrize("length", [0.0, 5.0, 60.0])
def test_a_clock_an_hour_behind_does_not_hold_the_slot(length: float) -> None:
    report, _, clock = play(turn(turn_seconds=length, schedule=Schedule(anchor=at(3600))), Answer("Waiting"))
    assert clock.waits == [max(length, NEAR_SECONDS)]
    assert report.checks == 1


def test_a_clock_an_hour_behind_makes_no_check_the_last() -> None:
    # It is the deadline by the orchestrator's clock: the check counts as the last, whatever this machine says.
    report, target, _ = play(turn(turn_seconds=0, schedule=Schedule(anchor=at(3590), k=9), deadline=at(3600)))
    assert report.final is False
    report, target, _ = play(turn(turn_seconds=0, schedule=Schedule(anchor=at(3590), k=10), deadline=at(3600)))
    assert (report.final, target.asked) == (True, [(11, 10.0, NEAR_SECONDS)])


def test_a_clock_an_hour_ahead_checks_at_once() -> None:
    report, target, clock = play(turn(turn_seconds=0, deadline=at(30)), clock=Clock(seconds=3600))
    assert (target.asked, clock.waits) == ([(11, 10.0, 3600)], [-3600])
    assert (report.checks, report.final, report.lateness_seconds) == (1, True, 3600)


answers = st.builds(
    Answer,
    status=st.sampled_from(["Running", "Running", "Running", "Waiting"]),
    takes=st.sampled_from([0.0, 0.05, 0.9, 3.0, 20.0]),
    success=st.integers(0, 4).map(lambda n: n == 0),
    failure=st.integers(0, 9).map(lambda n: n == 0),
    error=st.sampled_from([None, None, None, *ErrorClass]),
    retry_after=st.sampled_from([None, None, 0.0, 2.0, 500.0]),
)


def thousandths(largest: int) -> st.SearchStrategy[float]:
    return st.integers(0, 1000 * largest).map(lambda n: n / 1000)


def test_a_check_is_given_what_the_one_before_has_left() -> None:
    script = [Answer(), Answer(leaves={"n": 1}), Answer(), Answer(leaves={"n": 2}), Answer()]
    report, target, _ = play(turn(checkpoint={"n": 0}), *script)
    assert target.given == [{"n": 0}, {"n": 0}, {"n": 1}, {"n": 1}, {"n": 2}, {"n": 2}]
    assert report.checkpoint == {"n": 2}


def test_an_error_may_leave_something_too_and_a_turn_that_leaves_nothing_says_so() -> None:
    report, _, _ = play(turn(), Answer(error=ErrorClass.TRANSIENT, leaves={"n": 1}))
    assert report.checkpoint == {"n": 1}
    assert play(turn(checkpoint={"n": 0}))[0].checkpoint is None


@given(
    polling=pollings(),
    script=st.lists(answers, min_size=1, max_size=6),
    length=st.sampled_from([0.0, 5.0, 15.0, 60.0]),
    deadline=thousandths(200),
    k=st.integers(0, 5),
    ahead=thousandths(1),
    drains=thousandths(100) | st.just(1e9),
    required=st.integers(1, 3),
)
@examples(100)
def test_every_turn_keeps_its_promises(
    *,
    polling: Polling,
    script: list[Answer],
    length: float,
    deadline: float,
    k: int,
    ahead: float,
    drains: float,
    required: int,
) -> None:
    first = due(polling, KEY, Schedule(anchor=START, k=k)) - START
    schedule = Schedule(anchor=at(min(ahead, deadline)) - first, k=k)
    asked = turn(
        polling=polling, turn_seconds=length, deadline=at(deadline), schedule=schedule, required_successes=required
    )
    report, target, clock = play(asked, *script, clock=Clock(drains=drains))
    assert report.checks == len(target.asked)
    assert [number for number, _, _ in target.asked] == list(range(11, 11 + report.checks))
    assert all(0 < allowed <= 10 for _, allowed, _ in target.asked)
    assert all(since + allowed <= deadline + 1e-5 for _, allowed, since in target.asked if since < deadline)
    assert sum(since >= deadline for since in target.times) <= 1, "one last check"
    assert report.final == any(since >= deadline for since in target.times)
    assert clock.seconds <= 1 + length + 10 + 10, "a thread is held no longer than for a turn and its checks"
    if report.checks:
        assert due(polling, KEY, report.schedule) > at(target.times[-1]), "the next tick lies ahead"
    assert (report.error is not None) == (report.ended_by is TurnEnd.ERROR)
