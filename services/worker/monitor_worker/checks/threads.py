"""Blocking calls on a few threads of their own, away from the event loop and from one another.

Not an executor: a call that never comes back would keep the worker from ending.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")
Stopped = Callable[[], bool]
"""Says to a call under way that nobody waits for it any more."""


class NoThreadFree(Exception):
    """Every thread is still busy with an earlier call."""


class Threads:
    """Runs calls, so many at a time. Use it on one event loop.

    Args:
        count: how many calls may be under way, those included that are not waited for any more.
        name: of the threads, for whoever looks at the process.
    """

    def __init__(self, count: int, name: str) -> None:
        self.count = count
        self._free, self._name = asyncio.Semaphore(count), name

    async def run(self, call: Callable[[Stopped], T], deadline: float) -> T:
        """Make a call on a thread, and wait for it.

        Cancelled, or at the deadline, it is not waited for any more; it keeps its thread until it comes back.

        Args:
            call: what to do; what it raises is raised here.
            deadline: on the loop's clock.

        Raises:
            NoThreadFree: no thread became free in time.
            TimeoutError: the call did not come back in time.
        """
        try:
            async with asyncio.timeout_at(deadline):
                await self._free.acquire()
        except TimeoutError:
            raise NoThreadFree from None
        stop = threading.Event()
        try:
            async with asyncio.timeout_at(deadline):
                return await self._begin(partial(call, stop.is_set))
        finally:
            stop.set()

    def _begin(self, call: Callable[[], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        # A daemon: a call that hangs must not keep the worker from ending.
        thread = threading.Thread(target=self._serve, args=(loop, outcome, call), name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the process has no more threads
            self._free.release()
            raise NoThreadFree from None
        return outcome

    def _serve(self, loop: asyncio.AbstractEventLoop, outcome: asyncio.Future[T], call: Callable[[], T]) -> None:
        try:
            settle = partial(outcome.set_result, call())
        except Exception as error:  # noqa: BLE001 # whatever it is, it belongs to who waits for it
            settle = partial(outcome.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: the worker has ended
            loop.call_soon_threadsafe(self._end, outcome, settle)

    def _end(self, outcome: asyncio.Future[T], settle: Callable[[], None]) -> None:
        self._free.release()
        if not outcome.done():
            settle()
