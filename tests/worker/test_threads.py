"""Blocking calls on threads: waited for, given up, and never more of them than allowed."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from monitor_worker.checks.threads import NoThreadFree, Stopped, Threads

LONG = 60.0
SHORT = 0.2


class Hanging:
    """A call that comes back when it is let go."""

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), threading.Semaphore(0)
        self.told: list[bool] = []

    def __call__(self, stopped: Stopped) -> str:
        self.begun.release()
        self.go.wait(LONG)
        self.told.append(stopped())
        return "late"


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    call = Hanging()
    yield call
    call.go.set()


def in_(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_what_a_call_returns_or_raises_is_its_outcome() -> None:
    threads = Threads(1, "test")

    def fails(stopped: Stopped) -> None:
        raise ValueError("as it is")

    assert await threads.run(lambda stopped: (threading.current_thread().name, stopped()), in_(LONG)) == (
        "test",
        False,
    )
    with pytest.raises(ValueError, match="as it is"):
        await threads.run(fails, in_(LONG))
    assert await threads.run(lambda _: 1, in_(LONG)) == 1


async def test_the_loop_goes_on_while_a_call_blocks(hanging: Hanging) -> None:
    call = asyncio.create_task(Threads(1, "test").run(hanging, in_(LONG)))
    await asyncio.sleep(SHORT)
    assert not call.done()
    hanging.go.set()
    assert await call == "late"
    assert hanging.told == [False]


async def test_a_call_that_hangs_keeps_its_thread_until_it_comes_back(hanging: Hanging) -> None:
    threads = Threads(1, "test")
    with pytest.raises(TimeoutError):
        await threads.run(hanging, in_(SHORT))
    with pytest.raises(NoThreadFree):
        await threads.run(lambda _: 1, in_(SHORT))

    waiting = asyncio.create_task(threads.run(lambda _: 2, in_(LONG)))
    hanging.go.set()
    assert await waiting == 2
    assert hanging.told == [True]


async def test_a_call_whose_waiter_is_cancelled_is_told_and_gives_its_thread_back(hanging: Hanging) -> None:
    threads = Threads(1, "test")
    call = asyncio.create_task(threads.run(hanging, in_(LONG)))
    await asyncio.to_thread(hanging.begun.acquire, timeout=LONG)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    hanging.go.set()
    assert await threads.run(lambda _: 1, in_(LONG)) == 1
    assert hanging.told == [True]


async def test_no_more_calls_are_under_way_than_allowed() -> None:
    threads, under_way, most = Threads(3, "test"), [0], [0]
    lock = threading.Lock()

    def call(stopped: Stopped) -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        threading.Event().wait(0.01)
        with lock:
            under_way[0] -= 1

    await asyncio.gather(*(threads.run(call, in_(LONG)) for _ in range(30)))
    assert 1 < most[0] <= 3


def test_a_call_that_outlives_its_loop_does_no_harm(hanging: Hanging) -> None:
    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await Threads(1, "outlives").run(hanging, in_(SHORT))

    asyncio.run(give_up())
    thread = next(thread for thread in threading.enumerate() if thread.name == "outlives")
    assert thread.daemon
    hanging.go.set()
    thread.join(LONG)  # an exception in it would be a warning, and warnings are errors here
    assert not thread.is_alive()
