"""One turn of polling: wait for the due time, check, judge, and go on while nothing has happened.

A turn reports observations and whether the conditions held; only the orchestrator gives the verdict. Waiting is
measured on the monotonic clock. All turns of a worker run on its one event loop: a turn that waits costs a timer.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from pydantic import JsonValue

from monitor_core.contract import CheckError, ErrorClass, ObservationSummary, Schedule, Turn, TurnEnd, TurnReport
from monitor_core.contract.request import LONGEST_TURN_SECONDS, YEAR
from monitor_core.pace import NEAR_SECONDS, longest_wait
from monitor_core.schedule import advance, due

LONGEST_PATIENCE: Final = 5.0
"""Seconds that the last check, which no timer of the orchestrator's can put off, waits in the turn itself."""


class Clock(Protocol):
    """The worker's time."""

    def now(self) -> datetime:
        """The time (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that nobody sets."""
        ...

    async def wait(self, seconds: float) -> bool:
        """Wait that long; False, and at once, when the worker drains."""
        ...


Checkpoint = Mapping[str, JsonValue] | None


@dataclass(frozen=True, slots=True)
class Look:
    """One check, judged: an observation, or an error, or neither where the deadline cut it off.

    `unjudged` says that a condition could not be evaluated.
    """

    observation: ObservationSummary | None = None
    error: CheckError | None = None
    retry_after_seconds: float | None = None
    checkpoint: Checkpoint = None
    unjudged: bool = False


Looker = Callable[[int, float, Checkpoint], Awaitable[Look]]
"""Makes the check of the given number (counted from 1 over the monitor's life) within the given seconds.

It is given what the check before left for it."""


class CheckObserver(Protocol):
    """Is told of every check of a turn."""

    def __call__(self, look: Look, *, lateness_seconds: float, seconds: float) -> None:
        """A check was made.

        Args:
            look: what came of it; empty where the deadline cut it off.
            lateness_seconds: how long after it was due it began.
            seconds: how long it took.
        """


def unobserved(look: Look, *, lateness_seconds: float, seconds: float) -> None:
    """Nobody is told."""


class TurnRun:
    """A turn under way; `run` makes its checks and returns its report."""

    def __init__(
        self,
        turn: Turn,
        key: str,
        look: Looker,
        clock: Clock,
        has_room: Callable[[], bool] = lambda: True,
        *,
        held_back: Callable[[], float] = lambda: 0.0,
        checked: CheckObserver = unobserved,
    ) -> None:
        """A turn to be run.

        Args:
            turn: what to check, and for how long.
            key: the monitor's instance id.
            look: makes the checks.
            clock: the worker's time.
            has_room: whether the turn may keep its slot while it waits; asked before each wait.
            held_back: for how many seconds the check is to be left; 0 where it may be made now. Asked before each.
            checked: is told of each check.
        """
        self._turn, self._key, self._look, self._clock = turn, key, look, clock
        self._has_room, self._held_back, self._checked = has_room, held_back, checked
        self._schedule, self._due = turn.schedule, self._due_by(turn.schedule)
        self._status = turn.last_status
        self._successes = turn.consecutive_successes
        self._checkpoint: Checkpoint = None
        self._checks = 0
        self._lateness = 0.0
        self._last_check_at: datetime | None = None
        self._final = False
        self._last = Look()

    async def run(self) -> TurnReport:
        """Check until there is something to report, the time of the turn is over, or the worker drains."""
        if min(self._seconds_to_wait(), self._turn.turn_seconds) > NEAR_SECONDS and not self._has_room():
            return self._report(TurnEnd.OVER)  # untouched: the orchestrator's timer waits instead
        began: float | None = None
        patience = LONGEST_PATIENCE
        while True:
            # No longer than a turn may wait: a clock that is wrong by an hour must not hold a slot for one.
            if not await self._clock.wait(min(self._seconds_to_wait(), longest_wait(self._turn.turn_seconds))):
                return self._report(TurnEnd.DRAIN)
            if (seconds := self._held_back()) > 0:
                if self._due < self._turn.deadline or patience <= 0:
                    return self._report(TurnEnd.OVER, put_off_seconds=seconds)
                # The last check can be no later: the orchestrator would have it made at once.
                if not await self._clock.wait(min(seconds, patience)):
                    return self._report(TurnEnd.DRAIN)
                patience -= seconds
                continue
            started = self._clock.now()
            began = self._clock.monotonic() if began is None else began
            changed = await self._check(started)
            end = self._end(changed, self._turn.turn_seconds - (self._clock.monotonic() - began))
            if end is not None:
                return self._report(end)

    def _due_by(self, schedule: Schedule) -> datetime:
        return min(due(self._turn.polling, self._key, schedule), self._turn.deadline)

    def _seconds_to_wait(self) -> float:
        return (self._due - self._clock.now()).total_seconds()

    async def _check(self, started: datetime) -> bool:
        """Make one check and take it in; whether the observed status changed."""
        turn = self._turn
        self._final = max(self._due, started) >= turn.deadline
        left = (turn.deadline - started).total_seconds()
        allowed = turn.check_timeout_seconds if self._final else min(turn.check_timeout_seconds, left)
        checkpoint = turn.checkpoint if self._checkpoint is None else self._checkpoint
        began, late = self._clock.monotonic(), max((started - self._due).total_seconds(), 0.0)
        look = await self._look(turn.checks_performed + self._checks + 1, allowed, checkpoint)
        ended, seconds = self._clock.now(), self._clock.monotonic() - began
        self._lateness = max(self._lateness, late)
        self._checks, self._last_check_at = self._checks + 1, started
        self._schedule = self._advanced(ended, look.retry_after_seconds)
        self._due = self._due_by(self._schedule)
        self._last = Look() if self._is_cut(look, ended) else look
        self._checked(self._last, lateness_seconds=late, seconds=seconds)
        if self._last is not look:
            return False
        self._checkpoint = self._checkpoint if look.checkpoint is None else look.checkpoint
        return self._observe(look.observation)

    def _is_cut(self, look: Look, ended: datetime) -> bool:
        """Whether the deadline cut the check off: no error of the target's, the last check is still to come."""
        transient = look.error is not None and look.error.error_class is ErrorClass.TRANSIENT
        return transient and not self._final and ended >= self._turn.deadline

    def _advanced(self, ended: datetime, retry_after_seconds: float | None) -> Schedule:
        polling = self._turn.polling
        not_before = None
        if polling.honor_retry_after and retry_after_seconds is not None and math.isfinite(retry_after_seconds):
            not_before = ended + timedelta(seconds=min(retry_after_seconds, YEAR))
        return advance(polling, self._key, self._schedule, ended, not_before)

    def _observe(self, seen: ObservationSummary | None) -> bool:
        self._successes = self._successes + 1 if seen is not None and seen.success else 0
        if seen is None or seen.status == self._status:
            return False
        self._status = seen.status
        return True

    def _end(self, changed: bool, seconds_left: float) -> TurnEnd | None:
        """Why the turn comes back now, or None where it goes on."""
        seen = self._last.observation
        if self._last.error is not None:
            return TurnEnd.ERROR
        if seen is not None and (seen.failure or self._successes >= self._turn.required_successes):
            return TurnEnd.CONDITION
        if self._final:
            return TurnEnd.DEADLINE
        if changed:
            return TurnEnd.STATUS
        # Due already: the deadline came during the check, and its last check belongs to this turn.
        wait = self._seconds_to_wait()
        if wait > max(seconds_left, 0.0) or (wait > 0 and not self._has_room()):
            return TurnEnd.OVER
        return None

    def _report(self, end: TurnEnd, *, put_off_seconds: float = 0.0) -> TurnReport:
        turn = self._turn
        return TurnReport(
            run=turn.run,
            revision=turn.revision,
            turn=turn.turn,
            ended_by=end,
            checks=self._checks,
            last_check_at=self._last_check_at,
            lateness_seconds=self._lateness,
            schedule=self._schedule,
            put_off_seconds=put_off_seconds,
            consecutive_successes=self._successes,
            observation=self._last.observation,
            error=self._last.error,
            checkpoint=self._checkpoint,
            final=self._final,
            # What is put off is not waited for in a slot, where a clock that is ahead would not wait at all.
            allowed_seconds=LONGEST_TURN_SECONDS if self._has_room() and not put_off_seconds else 0.0,
        )
