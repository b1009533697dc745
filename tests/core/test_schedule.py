"""When checks are due: against a reference that walks tick by tick, and in the far future."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor_core.contract import Polling, Schedule
from monitor_core.schedule import advance, due, offset
from support.strategies import examples, pollings

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = 366 * 24 * 3600
KEY = "monitor-job-1"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tick(k: int, anchor: datetime = START) -> Schedule:
    return Schedule(anchor=anchor, k=k)


def walked(polling: Polling, schedule: Schedule, now: datetime) -> int:
    """The number of the next tick, by looking at every one."""
    k = schedule.k + 1
    while due(polling, KEY, tick(k, schedule.anchor)) <= now:
        k += 1
    return k


def summed(polling: Polling, k: int) -> float:
    """The offset of tick k, by adding every interval."""
    cap = polling.max_interval_seconds or YEAR
    return sum(min(polling.interval_seconds * polling.backoff**i, cap) for i in range(k))


@given(pollings(), st.integers(0, 40))
@examples(100)
def test_due_times_strictly_increase(polling: Polling, first: int) -> None:
    assume(summed(polling, first + 6) < 100 * YEAR)
    times = [due(polling, KEY, tick(k)) for k in range(first, first + 5)]
    assert all(earlier < later for earlier, later in pairwise(times))


@given(pollings(), st.integers(0, 60))
@examples(100)
def test_an_offset_is_the_sum_of_the_intervals_before_it(polling: Polling, k: int) -> None:
    expected = summed(polling, k)
    assume(expected < 100 * YEAR)
    assert offset(polling, k) == pytest.approx(expected, rel=1e-9, abs=0.001)


@given(pollings(), st.integers(0, 20), st.integers(0, 200), st.floats(-1, 1))
@examples(160)
def test_the_next_tick_is_the_first_that_lies_ahead(polling: Polling, k: int, ahead: int, part: float) -> None:
    assume(summed(polling, k + ahead + 3) < 100 * YEAR)
    one, other = (due(polling, KEY, tick(k + ahead + step)) for step in (0, 1))
    now = one + part * (other - one)
    following = advance(polling, KEY, tick(k), now)
    assert following == tick(walked(polling, tick(k), now))
    assert due(polling, KEY, following) > now


@given(pollings(), st.integers(0, 20), st.sampled_from([-1, 0, 1]))
@examples(120)
def test_a_tick_that_is_due_this_very_microsecond_is_not_ahead(polling: Polling, k: int, off: int) -> None:
    assume(summed(polling, k + 5) < 100 * YEAR)
    now = due(polling, KEY, tick(k + 2)) + timedelta(microseconds=off)
    assert advance(polling, KEY, tick(k), now).k == (k + 2 if off < 0 else k + 3)


@pytest.mark.parametrize(
    "polling",
    [
        Polling(interval_seconds=0.1),
        Polling(interval_seconds=0.1, jitter=0.9),
        Polling(interval_seconds=0.1, backoff=1.0001, max_interval_seconds=0.2),
        Polling(interval_seconds=0.1, backoff=2, max_interval_seconds=0.1),
        Polling(interval_seconds=0.1, backoff=1 + 1e-12),
        Polling(interval_seconds=0.1, backoff=2),
    ],
    ids=["linear", "jitter", "capped", "capped at once", "hardly growing", "doubling"],
)
def test_a_year_ahead_is_found_without_walking_there(polling: Polling) -> None:
    began = time.process_time()
    for days in (1, 10, *range(360, 366)):
        now = at(days * 86400 + days / 7)
        following = advance(polling, KEY, tick(0), now)
        assert due(polling, KEY, tick(following.k - 1)) <= now < due(polling, KEY, following)
        assert time.process_time() - began < 5, "in the end some 300 million ticks lie between"


def test_late_checks_leave_the_ticks_where_they_are() -> None:
    polling, schedule = Polling(interval_seconds=0.3), tick(0)
    for n in range(1, 1001):
        late = due(polling, KEY, schedule) + timedelta(seconds=0.29)
        schedule = advance(polling, KEY, schedule, late)
        assert (schedule.k, schedule.anchor) == (n, START)
    assert due(polling, KEY, schedule) == at(300)


def test_missed_ticks_are_skipped_and_never_made_up_for() -> None:
    polling = Polling(interval_seconds=10)
    assert advance(polling, KEY, tick(3), at(95)) == tick(10)


def test_a_clock_that_is_behind_still_moves_the_schedule_on() -> None:
    assert advance(Polling(interval_seconds=10), KEY, tick(3), at(-3600)) == tick(4)


@pytest.mark.parametrize(
    ("asked", "expected"), [(None, tick(2)), (15, tick(2)), (20, tick(2)), (25, tick(0, at(25)))]
)
def test_the_schedule_starts_anew_from_a_later_retry_after(asked: float | None, expected: Schedule) -> None:
    not_before = None if asked is None else at(asked)
    found = advance(Polling(interval_seconds=10), KEY, tick(1), at(12), not_before)
    assert found == expected


@given(pollings(), st.floats(0, 1e5), st.floats(0, 1e5))
@examples(100)
def test_nothing_is_due_before_retry_after_is_over(polling: Polling, elapsed: float, wait: float) -> None:
    not_before = at(elapsed + wait)
    assert due(polling, KEY, advance(polling, KEY, tick(0), at(elapsed), not_before)) >= not_before


@given(pollings(jitter=0.9), st.integers(1, 30))
@examples(120)
def test_jitter_delays_by_no_more_than_its_part_of_the_interval(polling: Polling, k: int) -> None:
    assume(summed(polling, k + 2) < 100 * YEAR)
    delay = (due(polling, KEY, tick(k)) - START).total_seconds() - offset(polling, k)
    step = offset(polling, k + 1) - offset(polling, k)
    assert -1e-6 <= delay <= 0.9 * step + 1e-6


def test_jitter_differs_between_monitors_and_between_ticks() -> None:
    polling = Polling(interval_seconds=10, jitter=0.5)
    delays = {
        due(polling, f"monitor-{n}", tick(k)) - at(offset(polling, k)) for n in range(20) for k in range(1, 11)
    }
    assert len(delays) == 200
    assert max(delays) - min(delays) > timedelta(seconds=4)


def test_the_first_tick_has_no_jitter() -> None:
    assert due(Polling(interval_seconds=10, jitter=0.9), KEY, tick(0)) == START


@pytest.mark.parametrize(
    ("polling", "expected"),
    [
        (Polling(interval_seconds=10, jitter=0.5), [0, 13.779094, 20.746579, 33.583433]),
        (Polling(interval_seconds=1.5, backoff=1.7), [0, 1.5, 4.05, 8.385]),
        (Polling(interval_seconds=1.5, backoff=1.31), [0, 1.5, 3.465, 6.039]),  # 6.03915: whole milliseconds
        (Polling(interval_seconds=1.5, backoff=1.7, max_interval_seconds=2), [0, 1.5, 3.5, 5.5]),
    ],
    ids=["jitter", "backoff", "rounded", "capped"],
)
def test_due_times_are_the_same_in_every_release(polling: Polling, expected: list[float]) -> None:
    # A replay on a newer worker has to find the timers that an older one has set.
    assert [due(polling, KEY, tick(k)) for k in range(4)] == [at(seconds) for seconds in expected]
