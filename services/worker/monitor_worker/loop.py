"""The worker's one event loop, on a thread of its own: turns and checks run on it, activities wait for them."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from monitor_core.contract import ErrorClass, Notice
from monitor_worker.channels.base import Channel, DeliveryContext
from monitor_worker.checks.base import CheckContext, CheckFailed, Driver, Observation

T = TypeVar("T")


class LoopThread:
    """An asyncio event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="checks", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_seconds: float | None = None) -> T:
        """Run a coroutine on the loop and wait for it, from any other thread.

        Raises:
            TimeoutError: it has not ended in time; it is cancelled, and not waited for.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout_seconds)
        except TimeoutError:
            future.cancel()
            raise

    def hand_over(self, channel: Channel, spec: Any, notice: Notice, context: DeliveryContext) -> str:
        """Run a channel's attempt within the context's timeout; raises as `ask`."""
        return self.run(_answer(lambda: channel.deliver(spec, notice, context)), context.timeout_seconds)

    def stop(self) -> None:
        """Cancel what still runs, then end the thread."""
        self.run(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def ask(driver: Driver, spec: Any, context: CheckContext) -> Observation:
    """Have a driver make its check within the context's timeout.

    Raises:
        TimeoutError: there was no answer in time.
        CheckFailed: as the driver says.
    """
    async with asyncio.timeout(context.timeout_seconds):
        return await _answer(lambda: driver.check(spec, context))


async def _answer(asked: Callable[[], Awaitable[T]]) -> T:
    """The driver's answer. What would end the loop, or look like our own time-out, is an error of this call."""
    try:
        return await asked()
    except TimeoutError as error:
        raise CheckFailed(ErrorClass.TRANSIENT, "the driver timed out") from error
    except (KeyboardInterrupt, SystemExit) as error:
        raise RuntimeError(f"the driver raised {type(error).__name__}") from error
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        raise RuntimeError("the driver raised CancelledError") from error


def _is_cancelled() -> bool:
    """Whether somebody has cancelled what runs here: a driver may raise the like by itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
