"""Timers: one thread for all, in the order of their due times, none while the scheduler is stopped."""

import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dev.local_scheduler_rig import MOMENT, PATIENCE, finish, news, rig, timer
from local_scheduler import Mends
from local_scheduler.timer_queue import TimerQueue


@pytest.fixture
def timers() -> Iterator[TimerQueue]:
    made = TimerQueue()
    yield made
    made.stop()


def fails() -> None:
    raise ValueError("one that fails")


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize("mended", [True, False])
def test_timers_need_no_thread_each(mended: bool) -> None:
    with rig(Mends(timers=mended)) as it:
        worker = it.worker()
        it.start("one")
        turn = worker.take()
        before = set(threading.enumerate())

        worker.answer(turn, *(timer(number, timedelta(seconds=2)) for number in range(1, 21)))

        new = set(threading.enumerate()) - before
        sleeping = [thread for thread in new if not thread.name.startswith("local-scheduler")]
        assert len(sleeping) == (0 if mended else 20)
        for thread in sleeping:
            thread.join()


def test_a_timer_fires_at_its_time_and_not_before() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        turn = worker.take()
        due = in_seconds(0.2)
        worker.answer(turn, timer(1, timedelta(seconds=0.2)))

        fired = worker.take()

        assert news(fired) == ["timerFired"]
        assert fired.orchestratorRequest.newEvents[0].timestamp.ToDatetime(tzinfo=UTC) >= due


def test_a_timer_due_while_the_scheduler_was_stopped_fires_when_it_is_back() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), timer(1, timedelta(seconds=0.1)))
        it.scheduler.stop()

        it.scheduler.start()

        assert news(it.worker().take()) == ["timerFired"]


def test_a_timer_does_not_wake_a_finished_instance() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), timer(1), finish())

        it.fire_timers()

        assert worker.gets_nothing()


def test_the_queue_runs_what_is_due_in_order(timers: TimerQueue) -> None:
    ran: queue.Queue[str] = queue.Queue()
    timers.at(in_seconds(0.2), lambda: ran.put("second"))
    timers.start()
    timers.at(in_seconds(0.1), lambda: ran.put("first"))
    timers.at(in_seconds(-9), lambda: ran.put("at once"))

    assert [ran.get(timeout=PATIENCE) for _ in range(3)] == ["at once", "first", "second"]


def test_a_stopped_queue_keeps_what_it_has(timers: TimerQueue) -> None:
    ran = threading.Event()
    timers.start()
    timers.at(in_seconds(MOMENT / 2), ran.set)
    timers.stop()

    assert not ran.wait(MOMENT)
    timers.start()
    assert ran.wait(PATIENCE)


def test_a_cleared_queue_has_forgotten(timers: TimerQueue) -> None:
    ran: queue.Queue[str] = queue.Queue()
    timers.at(in_seconds(0), lambda: ran.put("forgotten"))
    timers.clear()
    timers.at(in_seconds(0), lambda: ran.put("kept"))
    timers.start()

    assert ran.get(timeout=PATIENCE) == "kept"


def test_one_that_fails_does_not_stop_the_others(timers: TimerQueue, caplog: pytest.LogCaptureFixture) -> None:
    ran = threading.Event()
    timers.at(in_seconds(-1), fails)
    timers.at(in_seconds(0), ran.set)
    timers.start()

    assert ran.wait(PATIENCE)
    assert "A timer failed" in caplog.text
