"""Runs a worker's work items on threads, in the place of the SDK's own manager.

The SDK's leads each item through a queue, two tasks and a shared pool, and wakes its event loop when it is done:
an eighth of the CPU of a turn of one check. Here an item goes to a thread at once. There are as many threads as
items may run at a time, and a waiting turn keeps no orchestration from its thread.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

_NO_THREAD: Final = "can't start new thread"
"""How CPython words it that the system gives no thread more."""


class WorkItems:
    """A pool for activities, one for orchestrations (and the entities, of which we have none).

    It has the methods that the SDK's worker calls of its `_AsyncWorkerManager`.

    Args:
        max_activities: how many run at a time.
        max_orchestrations: likewise.
        logger: the SDK's.
    """

    def __init__(self, *, max_activities: int, max_orchestrations: int, logger: logging.Logger) -> None:
        self._logger = logger
        self._over = asyncio.Event()
        self._activities = ThreadPoolExecutor(max_activities, "activity")
        self._orchestrations = ThreadPoolExecutor(max_orchestrations, "orchestration")
        self._is_short_of_threads = False

    def prepare_for_run(self) -> None:
        """Nothing is to be prepared: a worker that has drained is not started again."""

    async def run(self) -> None:
        """Wait for the end, then for what still runs."""
        await self._over.wait()
        for pool in (self._activities, self._orchestrations):
            pool.shutdown()

    def submit_activity(self, work: Callable[..., None], cancel: Callable[..., None], *arguments: Any) -> None:
        """Run an activity; if it raises, `cancel` gives it back."""
        self._submit(self._activities, work, cancel, arguments)

    def submit_orchestration(
        self, work: Callable[..., None], cancel: Callable[..., None], *arguments: Any
    ) -> None:
        """Likewise an orchestration."""
        self._submit(self._orchestrations, work, cancel, arguments)

    submit_entity_batch = submit_orchestration

    def shutdown(self) -> None:
        """End the run."""
        self._over.set()

    def _submit(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[..., None],
        cancel: Callable[..., None],
        arguments: tuple[Any, ...],
    ) -> None:
        try:
            pool.submit(self._run, work, cancel, arguments)
        except RuntimeError as error:
            if str(error) != _NO_THREAD:
                raise
            # It is queued all the same, and runs when a thread is free. What is raised here would end the stream.
            if not self._is_short_of_threads:
                self._logger.warning("The system gives no thread more: work items wait for one that is free")
            self._is_short_of_threads = True

    def _run(self, work: Callable[..., None], cancel: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 # what is left of a work item is given back
            # Its text may be a stranger's.
            self._logger.error("A work item is given back: %s", type(error).__name__)  # noqa: TRY400
            cancel(*arguments)
