"""The worker's clock: UTC, waits that end, and a drain that wakes whoever waits."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from monitor_worker.clock import SystemClock

PATIENCE = 30


def test_it_tells_the_time_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=PATIENCE)


def test_it_does_not_drain_until_it_is_told_to() -> None:
    assert SystemClock().is_draining is False


@pytest.mark.parametrize("seconds", [-5, 0, 0.001])
def test_a_wait_that_is_over_was_not_cut_off(seconds: float) -> None:
    assert SystemClock().wait(seconds) is True


def test_a_drain_wakes_everyone_that_waits_and_lets_nobody_wait_again() -> None:
    clock, answers = SystemClock(), []
    threads = [threading.Thread(target=lambda: answers.append(clock.wait(600))) for _ in range(3)]
    for thread in threads:
        thread.start()
    clock.drain()
    for thread in threads:
        thread.join(PATIENCE)
    assert answers == [False, False, False]
    assert clock.is_draining is True
    assert (clock.wait(600), clock.wait(0), clock.wait(-1)) == (False, False, False)
