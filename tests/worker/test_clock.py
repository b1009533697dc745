"""The worker's clock: UTC, waits that end, and a drain that wakes whoever waits."""

import asyncio
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
async def test_a_wait_that_is_over_was_not_cut_off(seconds: float) -> None:
    assert await SystemClock().wait(seconds) is True


async def test_a_drain_from_another_thread_wakes_everyone_that_waits_and_lets_nobody_wait_again() -> None:
    clock = SystemClock()
    waits = [asyncio.create_task(clock.wait(600)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.to_thread(clock.drain)
    assert await asyncio.wait_for(asyncio.gather(*waits), PATIENCE) == [False, False, False]
    assert clock.is_draining is True
    assert [await clock.wait(seconds) for seconds in (600, 0, -1)] == [False, False, False]


async def test_a_wait_that_is_given_up_leaves_nothing() -> None:
    clock = SystemClock()
    wait = asyncio.create_task(clock.wait(600))
    await asyncio.sleep(0)
    wait.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wait
    clock.drain()
