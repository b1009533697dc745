"""A check that ends the process must not take the other monitors down with it.

The engine hands its turn out again, to this worker once it is back or to another one. So whoever was under way in
two deaths in a row is a suspect, and suspects are checked one at a time: none that is innocent dies with the
guilty one again, and a check that comes back clears its monitor. Who is under way in two deaths more is not
checked any more, and its monitor ends as `Error`. One death (a worker that is killed) holds nobody up.
"""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Final

from monitor_core.contract import CheckError, ErrorClass
from monitor_worker.journal import SUSPECTED, Journal
from monitor_worker.turns import Checkpoint, Look, Looker

CONVICTED: Final = 4
"""Deaths in a row, two of them with no other suspect under way."""


class Quarantine:
    """Who may make a check, and beside whom. For the loop's thread.

    Args:
        journal: knows who was under way; without one nobody is held back.
        now: the time (UTC).
    """

    def __init__(self, journal: Journal | None, now: Callable[[], datetime]) -> None:
        self._journal, self._now = journal, now
        self._alone = asyncio.Lock()

    def guarded(self, key: str, look: Looker) -> Looker:
        """What makes the checks of a turn: as `look`, unless it has ended too many processes.

        Args:
            key: of the monitor and its run.
            look: makes the checks.
        """
        journal = self._journal
        if journal is None:
            return look

        async def held(number: int, allowed: float, checkpoint: Checkpoint) -> Look:
            deaths = journal.deaths(key)
            if deaths >= CONVICTED:
                return Look(error=self._refusal(deaths))
            async with self._alone if deaths >= SUSPECTED else nullcontext():
                with journal.under_way(key):
                    return await look(number, allowed, checkpoint)

        return held

    def _refusal(self, deaths: int) -> CheckError:
        times = f"each of the last {deaths} times that the worker died"
        message = f"the check was under way {times}: it is not made any more"
        return CheckError(error_class=ErrorClass.PERMANENT, message=message, at=self._now())
