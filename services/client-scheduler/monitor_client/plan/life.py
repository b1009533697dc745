"""What one monitor costs the scheduler from its start on, by the rules of the loop. Pure.

The rules are those of the worker's `policy` and `turns`; tests compare with actions counted at a scheduler.
"""

import math
from dataclasses import astuple, dataclass
from typing import Final, Self

from monitor_core.contract import Polling
from monitor_core.pace import (
    LONG_SLEEP_SECONDS,
    TURNS_PER_GENERATION,
    WAKES_PER_GENERATION,
    longest_wait,
    turn_seconds,
)
from monitor_core.schedule import offset

NOTICE_ACTIONS: Final = 5
"""Three to begin it, two for the attempt (docs/notifications.md)."""
_MOST_CHECKS: Final = 20_000
"""Walked one by one; a longer life goes on as the second half of them did."""
SLOWEST_GROWTH: Final = 1.01
"""Of an interval: any faster has grown to a year well before a life is walked no more."""
_INSTANT: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Life:
    """What came together until a time: counts, of a long life not whole ones. `waited`: seconds in a slot."""

    seconds: float = 0.0
    checks: float = 0
    turns: float = 0
    timers: float = 0
    renewals: float = 0
    waited: float = 0.0

    @property
    def actions(self) -> float:
        """The start; a turn's start and its report; each timer that fires; each start of a renewed history."""
        return 1 + 2 * self.turns + self.timers + self.renewals

    def goes_on(self, earlier: Self, seconds: float) -> Self:
        """This, going on until `seconds` as it did since `earlier`."""
        times = (seconds - self.seconds) / (self.seconds - earlier.seconds)
        pairs = zip(astuple(self), astuple(earlier), strict=True)
        return type(self)(*(now + (now - then) * times for now, then in pairs))


def life(polling: Polling, seconds: float, change_every: float = math.inf) -> Life:
    """A monitor that has lived for `seconds`, all its checks until then made.

    Args:
        polling: how often it checks.
        seconds: from its start.
        change_every: seconds between two changes of the observed status.
    """
    walk, half = _Walk(polling, change_every), None
    while not walk.is_over(seconds):
        walk.turn(seconds)
        if half is None and walk.checks >= _MOST_CHECKS / 2:
            half = walk.until_now()
        elif half is not None and walk.checks >= _MOST_CHECKS:
            return walk.until_now().goes_on(half, seconds)
    return walk.until_now()


class _Walk:
    """A monitor that takes no time for anything but waiting, turn by turn."""

    def __init__(self, polling: Polling, change_every: float) -> None:
        self._polling, self._change_every = polling, change_every
        self._turn_seconds = turn_seconds(polling)
        self._near = longest_wait(self._turn_seconds)
        self._at, self._status = 0.0, -1
        self.checks, self._turns, self._timers, self._renewals, self._waited = 0, 0, 0, 0, 0.0
        self._generation_turns, self._generation_wakes = 0, 0

    def until_now(self) -> Life:
        return Life(self._at, self.checks, self._turns, self._timers, self._renewals, self._waited)

    def is_over(self, seconds: float) -> bool:
        return bool(self.checks) and self._due > seconds + _INSTANT

    @property
    def _due(self) -> float:
        return offset(self._polling, self.checks)

    def turn(self, seconds: float) -> None:
        """Wait for the next check, by a timer where it is far, and make the turn's checks."""
        if self.checks:
            self._wait(self._due - self._at)
        self._renew_if_full()
        self._turns += 1
        self._generation_turns += 1
        self._generation_wakes += 1
        began = self._due
        while True:
            changed = self._check()
            wait = self._due - self._at
            if changed or self.is_over(seconds) or self._due - began > self._turn_seconds + _INSTANT:
                return
            self._waited += wait

    def _check(self) -> bool:
        """Make the check that is due; whether the status has changed. The first one always sees a change."""
        self._at = self._due
        self.checks += 1
        before, self._status = self._status, int(self._at / self._change_every)
        return self._status != before

    def _wait(self, seconds: float) -> None:
        if seconds <= self._near:
            self._waited += seconds
            return
        if seconds > LONG_SLEEP_SECONDS:
            self._renew()
        else:
            self._renew_if_full()
        self._timers += 1
        self._generation_wakes += 1

    def _renew_if_full(self) -> None:
        if self._generation_turns >= TURNS_PER_GENERATION or self._generation_wakes >= WAKES_PER_GENERATION:
            self._renew()

    def _renew(self) -> None:
        self._renewals += 1
        self._generation_turns, self._generation_wakes = 0, 0
