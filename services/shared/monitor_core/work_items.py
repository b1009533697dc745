"""Runs a worker's work items on threads, in the place of the SDK's own manager.

The SDK's leads each item through a queue, two tasks and a shared pool, and wakes its event loop when it is done:
an eighth of the CPU of a turn of one check. Here an item goes to a thread at once. There are as many threads as
activities may run at a time, and a waiting turn keeps no orchestration from its thread.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

_ORCHESTRATING: Final = 8
"""Threads for orchestrations: they compute, one at a time under the interpreter's lock."""


class WorkItems:
    """A pool for activities, one for orchestrations (and the entities, of which we have none).

    It has the methods that the SDK's worker calls of its `_AsyncWorkerManager`.

    Args:
        max_activities: how many run at a time.
        max_orchestrations: how many it is given at a time.
        logger: the SDK's.
    """

    def __init__(self, *, max_activities: int, max_orchestrations: int, logger: logging.Logger) -> None:
        self._sizes, self._logger = (max_activities, max_orchestrations), logger
        self._over = asyncio.Event()
        self._activities, self._orchestrations = self._pools()

    def _pools(self) -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
        activities, orchestrations = self._sizes
        few = min(orchestrations, _ORCHESTRATING)
        return ThreadPoolExecutor(activities, "activity"), ThreadPoolExecutor(few, "orchestration")

    def prepare_for_run(self) -> None:
        """Be ready for a run; the worker may be started again after a stop."""
        if self._over.is_set():
            self._over = asyncio.Event()
            self._activities, self._orchestrations = self._pools()

    async def run(self) -> None:
        """Wait for the end, then for what still runs."""
        await self._over.wait()
        for pool in (self._activities, self._orchestrations):
            pool.shutdown()

    def submit_activity(self, work: Callable[..., None], cancel: Callable[..., None], *arguments: Any) -> None:
        """Run an activity; if it raises, `cancel` gives it back."""
        self._activities.submit(self._run, work, cancel, arguments)

    def submit_orchestration(
        self, work: Callable[..., None], cancel: Callable[..., None], *arguments: Any
    ) -> None:
        """Likewise an orchestration."""
        self._orchestrations.submit(self._run, work, cancel, arguments)

    submit_entity_batch = submit_orchestration

    def shutdown(self) -> None:
        """End the run."""
        self._over.set()

    def _run(self, work: Callable[..., None], cancel: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 # what is left of a work item is given back
            # Its text may be a stranger's.
            self._logger.error("A work item is given back: %s", type(error).__name__)  # noqa: TRY400
            cancel(*arguments)
