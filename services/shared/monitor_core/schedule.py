"""When a check is due: pure rules over `anchor + offset(k)`, so that a late check never moves the ones after it.

The worker waits by these rules, the orchestrator sleeps by them, and a client counts down by them.
"""

import hashlib
import math
from datetime import datetime, timedelta

from monitor_core.contract import Polling, Schedule
from monitor_core.contract.request import YEAR


def due(polling: Polling, key: str, schedule: Schedule) -> datetime:
    """When tick `schedule.k` is due (UTC). `key`, the instance id, seeds the jitter. Tick 0 has none."""
    return _tick(polling, key, schedule.anchor, schedule.k)


def _tick(polling: Polling, key: str, anchor: datetime, k: int) -> datetime:
    seconds = offset(polling, k)
    if k and polling.jitter:
        step = offset(polling, k + 1) - seconds
        seconds += polling.jitter * step * _fraction(key, k)
    return anchor + timedelta(seconds=seconds)


def advance(
    polling: Polling, key: str, schedule: Schedule, now: datetime, not_before: datetime | None = None
) -> Schedule:
    """The tick after the one just checked: the first that lies after `now`; missed ticks are skipped.

    Args:
        polling: how often.
        key: the instance id.
        schedule: the tick just checked.
        now: when that check ended (UTC).
        not_before: what the target's Retry-After asks for (UTC); where that is later, the schedule starts anew
            from it.
    """
    elapsed = (now - schedule.anchor).total_seconds()
    k = max(schedule.k + 1, _last_tick(polling, elapsed))
    while (at := _tick(polling, key, schedule.anchor, k)) <= now:
        k += 1
    if not_before is not None and not_before > at:
        return Schedule(anchor=not_before)
    return Schedule(anchor=schedule.anchor, k=k)


def offset(polling: Polling, k: int) -> float:
    """Seconds from the anchor to tick `k`, jitter left out.

    Linear without backoff. With it a geometric series, `interval * (b**k - 1) / (b - 1)`, which goes on linearly
    from the tick at which the interval reaches its cap (a year, where there is no other).
    """
    interval, b = polling.interval_seconds, polling.backoff
    if b == 1:
        return k * interval
    grown = min(k, _ticks_to_cap(polling))
    seconds = interval * math.expm1(grown * math.log(b)) / (b - 1) + (k - grown) * _cap(polling)
    # To the millisecond: the last bit of exp and log is not the same on every machine, a replay must be.
    return round(seconds, 3)


def _last_tick(polling: Polling, elapsed: float) -> int:
    """The number of the last tick whose offset is at most `elapsed` seconds, or a little less."""
    interval, b = polling.interval_seconds, polling.backoff
    if elapsed <= 0:
        return 0
    if b == 1:
        return int(elapsed / interval)
    grown = int(math.log1p(elapsed * (b - 1) / interval) / math.log(b))
    capped_at = _ticks_to_cap(polling)
    if grown <= capped_at:
        return max(grown - 1, 0)
    rest = elapsed - offset(polling, capped_at)
    return capped_at + max(int(rest / _cap(polling)) - 1, 0)


def _cap(polling: Polling) -> float:
    return polling.max_interval_seconds or YEAR


def _ticks_to_cap(polling: Polling) -> int:
    """The number of ticks after which the interval has reached its cap."""
    return math.ceil(math.log(_cap(polling) / polling.interval_seconds) / math.log(polling.backoff))


def _fraction(key: str, k: int) -> float:
    """A number in [0, 1) that depends on nothing but `key` and `k`."""
    digest = hashlib.sha256(f"{key}:{k}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
