"""Looks at one run of a monitor until it ends, no more often than there can be something new."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from monitor_client.countdown import next_check
from monitor_client.errors import GaveUp, RunReplaced, SchedulerUnreachable
from monitor_client.view import MonitorView

SLOWEST_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 60.0
_RETRY_SECONDS = 1.0
_PART_OF_WAIT = 4
_EAGER_LOOKS = 3
"""So many are made sooner, each after twice the time of the one before: a first check is made in a moment."""


class Look(Protocol):
    """One look at a monitor: with its payloads, or without as long as it runs."""

    def __call__(self, *, payloads: bool) -> Awaitable[MonitorView]:
        """Look."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Watch:
    """One watcher of one run."""

    def __init__(
        self,
        look: Look,
        *,
        run: str | None,
        fastest_seconds: float,
        on_unreachable: Callable[[str], None],
        now: Callable[[], datetime] = _utc_now,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Watch `run`, or where that is None the run of the first look."""
        self._look = look
        self._run = run
        self._fastest = fastest_seconds
        self._on_unreachable = on_unreachable
        self._now, self._clock, self._sleep = now, clock, sleep

    async def views(self) -> AsyncIterator[MonitorView]:
        """The first view, every changed one, and the last.

        Raises:
            ServiceError: as `MonitorService.watch`.
        """
        view = self._pinned(await self._look(payloads=True))
        yield view
        eager = _EAGER_LOOKS
        while view.verdict is None:
            eager = eager - 1 if _is_unchecked(view) else -1
            await self._sleep(self._fastest / 2 ** (eager + 1) if eager >= 0 else self._pause(view))
            later = await self._later(view)
            if _what_counts(later) != _what_counts(view):
                yield later
            view = later

    async def _later(self, view: MonitorView) -> MonitorView:
        later = await self._patiently(payloads=False)
        if later.run is None and view.status is not None:
            # The status is gone: the engine has continued as new, or another run has begun. The input says which.
            later = await self._patiently(payloads=True)
        return self._pinned(later).after(view)

    def _pinned(self, view: MonitorView) -> MonitorView:
        self._run = self._run or view.run
        if view.run is not None and self._run is not None and view.run != self._run:
            raise RunReplaced(view.job_id, self._run, view.run)
        return view

    async def _patiently(self, *, payloads: bool) -> MonitorView:
        since: float | None = None
        while True:
            try:
                return await self._look(payloads=payloads)
            except SchedulerUnreachable as error:
                if since is None:
                    since = self._clock()
                    self._on_unreachable(str(error))
                if self._clock() - since >= PATIENCE_SECONDS:
                    raise GaveUp(PATIENCE_SECONDS, error) from error
            await self._sleep(_RETRY_SECONDS)

    def _pause(self, view: MonitorView) -> float:
        now = self._now()
        due = next_check(view, now)
        ahead = (due - now).total_seconds() if due is not None else 0.0
        return max(self._fastest, min(SLOWEST_SECONDS, ahead / _PART_OF_WAIT))


def _is_unchecked(view: MonitorView) -> bool:
    return view.status is None or view.status.check_count == 0


def _what_counts(view: MonitorView) -> tuple[object, ...]:
    return view.state, view.status
