"""Live views for many viewers: one look-out per watched monitor, shared by all who watch it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress

from monitor_client.view import MonitorView
from monitor_core.telemetry import metrics

Watching = Callable[[str], AsyncIterator[MonitorView]]
"""Watches one monitor until it ends: `MonitorService.watch`."""


class Live:
    """Shares the watching of monitors. A viewer that is slow misses views, never the last one."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._lookouts: dict[str, _Lookout] = {}
        self._viewers = metrics.Instruments().up_down_counter(metrics.VIEWERS)

    @property
    def watched(self) -> int:
        """How many monitors are looked at just now."""
        return len(self._lookouts)

    async def views(self, job_id: str) -> AsyncGenerator[MonitorView, None]:
        """The monitor as it is, then on every change, until it ends. Close it to leave.

        Raises:
            ServiceError: as `MonitorService.watch`.
        """
        lookout = self._lookouts.get(job_id)
        if lookout is None or lookout.is_over:
            lookout = self._lookouts[job_id] = _Lookout(self._watching(job_id))
        lookout.viewers += 1
        self._viewers.add(1)
        try:
            async for view in lookout.views():
                yield view
        finally:
            lookout.viewers -= 1
            self._viewers.add(-1)
            if not lookout.viewers:
                if self._lookouts.get(job_id) is lookout:
                    del self._lookouts[job_id]
                await lookout.stop()


class _Lookout:
    """Watches one monitor, and keeps the last view of it alone."""

    def __init__(self, coming: AsyncIterator[MonitorView]) -> None:
        self.viewers = 0
        self._view: MonitorView | None = None
        self._number = 0
        self._error: Exception | None = None
        self.is_over = False
        self._changed = asyncio.Condition()
        self._task = asyncio.create_task(self._watch(coming))

    async def views(self) -> AsyncIterator[MonitorView]:
        seen = 0

        def has_news() -> bool:
            return self._number > seen or self.is_over

        while True:
            async with self._changed:
                await self._changed.wait_for(has_news)
            if self._number > seen and self._view is not None:
                seen = self._number
                yield self._view
            elif self._error is not None:
                raise self._error
            else:
                return

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _watch(self, coming: AsyncIterator[MonitorView]) -> None:
        try:
            async for view in coming:
                self._view, self._number = view, self._number + 1
                await self._notify()
        except Exception as error:  # noqa: BLE001 # every viewer is to have it
            self._error = error
        self.is_over = True
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
