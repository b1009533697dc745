"""Finds monitors that were ended from outside, and has their verdicts told.

The scheduler lists ended instances by the time of their end, so a look takes up where earlier ones left off; only
the first one after a start goes over all. The scheduler's clock says where, never this machine's: at the newest
end that the look before the last one saw, or a minute before the last one began. So an end is mostly looked at
twice, and one that the scheduler lists somewhat late is not missed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from monitor_client.bulk import side_by_side
from monitor_client.errors import SchedulerUnreachable, ServiceError, Unreadable
from monitor_client.gateway import Gateway
from monitor_client.untold import FROM_OUTSIDE, Untold
from monitor_core.contract import INSTANCE_PREFIX

PAGE: Final = 200
AT_A_TIME: Final = 16
LATE: Final = timedelta(minutes=1)
"""By so much may the scheduler list an end late, or by the time between two looks where that is shorter."""
_log = logging.getLogger(__name__)


@dataclass
class _Look:
    """One look at what has ended.

    Args:
        newest: the latest change of all that was seen (UTC), by the scheduler's clock.
        told: how many deliveries were started.
        unreadable: the instances that were left out.
        trouble: the first that kept a verdict from being told.
    """

    newest: datetime | None
    told: int = 0
    unreadable: set[str] = field(default_factory=set)
    trouble: ServiceError | None = None


class Reconciler:
    """Looks again and again. Several may, side by side: a delivery is started once, whoever starts it."""

    def __init__(self, gateway: Gateway, untold: Untold) -> None:
        self._gateway, self._untold = gateway, untold
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._since: datetime | None = None
        self._last = _Look(None)

    async def run(self, every_seconds: float) -> None:
        """Look at once, then every so many seconds; what goes wrong is logged once, until it goes well."""
        failing = False
        while True:
            try:
                await self.look()
                failing = False
            except Exception as error:  # noqa: BLE001 # whatever it was, the next look begins where this one did
                if not failing:
                    traceback = None if isinstance(error, ServiceError) else error
                    said = "Monitors ended from outside: will look again every %g s: %s"
                    _log.warning(said, every_seconds, error, exc_info=traceback)
                failing = True
            await asyncio.sleep(every_seconds)

    async def look(self) -> int:
        """Tell for all monitors that have ended since the last looks; how many deliveries that took.

        A monitor that cannot be read is left out.

        Raises:
            ServiceError: the scheduler cannot be reached, or refuses; the next look begins where this one did.
        """
        clock = asyncio.get_running_loop()
        began, look, token = clock.time(), _Look(self._last.newest), None
        while True:
            page = await self._gateway.ended(FROM_OUTSIDE, self._since, token, PAGE)
            monitors = [instance for instance in page.items if instance.startswith(INSTANCE_PREFIX)]
            async with aclosing(side_by_side(self._see(instance, look) for instance in monitors)) as seen:
                async for _ in seen:
                    pass
            token = page.continuation_token
            if token is None or not page.items:
                break
        if look.trouble is not None:
            raise look.trouble
        self._since = _next_since(self._last.newest, look.newest, timedelta(seconds=clock.time() - began))
        self._last = look
        return look.told

    async def _see(self, instance: str, look: _Look) -> None:
        async with self._slots:
            state = await self._gateway.read(instance, payloads=True)
            if state is None:
                return
            ended = state.last_updated_at.replace(tzinfo=UTC)
            look.newest = ended if look.newest is None else max(look.newest, ended)
            try:
                started = await self._untold.tell(state)
                look.told += started
            except SchedulerUnreachable:
                raise  # it would be no other with the next one
            except Unreadable as error:
                look.unreadable.add(instance)
                if instance not in self._last.unreadable:
                    _log.debug("Nothing is told: %s", error)
            except ServiceError as error:
                look.trouble = look.trouble or error


def _next_since(before: datetime | None, newest: datetime | None, took: timedelta) -> datetime | None:
    """Where the next look begins: never after the last one did, of which `newest` may say no more than its end."""
    if newest is None:
        return None
    surely = newest - took - LATE
    return surely if before is None else max(before, surely)


@asynccontextmanager
async def reconciling(reconciler: Reconciler, every_seconds: float) -> AsyncIterator[None]:
    """Have it run meanwhile; not at all where `every_seconds` is 0."""
    task = asyncio.create_task(reconciler.run(every_seconds)) if every_seconds else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
