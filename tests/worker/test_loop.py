"""The worker's event loop: work from any thread, cut off in time, and nothing left behind at its end."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any

import pytest

from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation
from monitor_worker.loop import LoopThread, ask

PATIENCE = 30


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    thread.start()
    yield thread
    thread.stop()


class Sleeper:
    """Waits for ever; says when it began and when it was cancelled."""

    def __init__(self) -> None:
        self.begun, self.cancelled = threading.Event(), threading.Event()

    async def sleep(self) -> str:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "woken"

    async def check(self, spec: Any, context: CheckContext) -> Observation:
        return Observation(await self.sleep())

    async def close(self) -> None:
        """There is nothing to close."""


def test_it_runs_a_coroutine_on_its_own_thread_and_gives_back_what_it_says(loop: LoopThread) -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert loop.run(where()) == "checks" != threading.current_thread().name


def test_an_exception_comes_back_as_it_is(loop: LoopThread) -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        loop.run(fail())


def test_at_its_time_limit_a_coroutine_is_cancelled_and_not_waited_for(loop: LoopThread) -> None:
    sleeper = Sleeper()
    with pytest.raises(TimeoutError):
        loop.run(sleeper.sleep(), 0.05)
    assert sleeper.cancelled.wait(PATIENCE)


def test_one_that_will_not_be_cancelled_holds_nobody(loop: LoopThread) -> None:
    release = threading.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    with pytest.raises(TimeoutError):
        loop.run(stubborn(), 0.05)
    assert loop.run(asyncio.sleep(0, "alive"), PATIENCE) == "alive"
    release.set()


def test_a_driver_is_asked_within_the_context_s_time(loop: LoopThread) -> None:
    sleeper = Sleeper()
    with pytest.raises(TimeoutError):
        loop.run(ask(sleeper, None, CheckContext("key", "id", 1, timeout_seconds=0.05)), PATIENCE)
    assert sleeper.cancelled.wait(PATIENCE)


def test_a_driver_s_word_comes_back_to_who_asked(loop: LoopThread) -> None:
    class Echo(Sleeper):
        async def check(self, spec: Any, context: CheckContext) -> Observation:
            if spec is None:
                raise CheckFailed(ErrorClass.PERMANENT, "no spec")
            return Observation(f"{spec} {context.number}")

    context = CheckContext("key", "id", 7, PATIENCE)
    assert loop.run(ask(Echo(), "spec", context), PATIENCE) == Observation("spec 7")
    with pytest.raises(CheckFailed, match="no spec"):
        loop.run(ask(Echo(), None, context), PATIENCE)


def test_many_threads_wait_at_the_same_time(loop: LoopThread) -> None:
    together = 20
    arrived: list[int] = []
    everybody = asyncio.Event()

    async def meet(n: int) -> int:
        arrived.append(n)
        if len(arrived) == together:
            everybody.set()
        await everybody.wait()
        return n

    with ThreadPoolExecutor(together) as threads:
        assert list(threads.map(lambda n: loop.run(meet(n), PATIENCE), range(together))) == list(range(together))


def test_at_its_end_it_cancels_what_still_runs() -> None:
    loop, sleepers = LoopThread(), [Sleeper() for _ in range(3)]
    loop.start()
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(loop.run, sleeper.sleep(), PATIENCE) for sleeper in sleepers]
        assert all(sleeper.begun.wait(PATIENCE) for sleeper in sleepers)
        loop.stop()
        assert not wait_for(waiting, PATIENCE).not_done
    assert all(sleeper.cancelled.is_set() for sleeper in sleepers)
    assert all(isinstance(future.exception(), Exception) for future in waiting), "an activity turns that into data"
    assert not loop._thread.is_alive()
