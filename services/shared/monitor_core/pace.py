"""How turns, sleeps and histories are measured out: what a worker goes by, and what a plan counts with. Pure."""

from typing import Final

from monitor_core.contract import Polling

NEAR_SECONDS: Final = 1.0
"""A check that is due within this time is waited for in the activity: a timer would cost more than the wait.

Unless the worker has no room to wait in."""
AUTO_TURN_SECONDS: Final = 15.0
FREQUENT_SECONDS: Final = 5.0
LONG_SLEEP_SECONDS: Final = 3600.0
TURNS_PER_GENERATION: Final = 20
WAKES_PER_GENERATION: Final = 25
"""A wake leaves about four events, so a generation's history stays near 100."""
WAITING_SHARE: Final = 0.75
"""The part of a worker's slots that may be waited in."""


def longest_wait(turn_seconds: float) -> float:
    """Seconds that a turn of so many may wait for its first check."""
    return max(turn_seconds, NEAR_SECONDS)


def turn_seconds(polling: Polling) -> float:
    """How many seconds of checks a turn makes, as it is asked for."""
    if polling.turn_seconds == "auto":
        return AUTO_TURN_SECONDS if polling.interval_seconds < FREQUENT_SECONDS else 0.0
    return polling.turn_seconds
