"""A check that ends the process must not take the other monitors down with it.

The engine hands its turn out again, to this worker once it is back or to another one. So whoever was under way
in two deaths in a row is a suspect, and suspects are checked one at a time: no two of them die together again,
and a check that comes back clears its monitor. A suspect that is due while another one is checked is left for
later, each for a while longer than the one before, and its turn is given back until then. Who is under way in two
deaths more is not checked any more, and its monitor ends as `Error`. One death (a worker that is killed) holds
nobody up.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

from monitor_core.contract import CheckError, ErrorClass
from monitor_worker.journal import SUSPECTED, Journal
from monitor_worker.turns import Checkpoint, Clock, Look, Looker

CONVICTED: Final = 4
"""Deaths in a row, two of them with no other suspect under way."""
GRACE_SECONDS: Final = 30.0
"""How much longer than it may take a check is waited for: beyond, its driver hangs and will not be cancelled."""

APART_SECONDS: Final = 0.5
"""Between two suspects that are left for later: as many as come back at once, one is checked."""


class Quarantine:
    """Who may make a check, and beside whom. For the loop's thread.

    Args:
        journal: knows who was under way; without one nobody is held back.
        clock: the worker's time.
    """

    def __init__(self, journal: Journal | None, clock: Clock) -> None:
        self._journal, self._clock = journal, clock
        self._alone_until = -math.inf
        """A suspect is being checked, until then at the longest (monotonic seconds)."""
        self._places: dict[str, float] = {}
        """When each of those comes back that were left for later (monotonic seconds)."""
        self._last_place = -math.inf

    def held_back(self, key: str) -> float:
        """For how many seconds a monitor's check is to be left; 0 where it may be made now.

        Args:
            key: of the monitor and its run.
        """
        now = self._clock.monotonic()
        if not self._is_suspect(key) or now >= self._alone_until:
            self._places.pop(key, None)
            return 0.0
        if self._places.get(key, now) <= now:  # who asks before its time keeps its place
            self._places[key] = self._last_place = max(self._last_place, now) + APART_SECONDS
        return self._places[key] - now

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
            with self._alone(allowed) if self._is_suspect(key) else nullcontext(), journal.under_way(key):
                return await look(number, allowed, checkpoint)

        return held

    def _is_suspect(self, key: str) -> bool:
        return self._journal is not None and SUSPECTED <= self._journal.deaths(key) < CONVICTED

    @contextmanager
    def _alone(self, seconds: float) -> Iterator[None]:
        mine = self._alone_until = self._clock.monotonic() + seconds + GRACE_SECONDS
        try:
            yield
        finally:
            if self._alone_until == mine:
                self._alone_until = -math.inf

    def _refusal(self, deaths: int) -> CheckError:
        times = f"each of the last {deaths} times that the worker died"
        message = f"the check was under way {times}: it is not made any more"
        return CheckError(error_class=ErrorClass.PERMANENT, message=message, at=self._clock.now())
