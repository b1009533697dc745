"""What a target was asked, and when: which ticks were missed, and which turns were made again. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from up_smoke.evidence import Window

EXACT = timedelta(seconds=0.2)
"""How well the time of a death is known: it is seen from outside, and the work is handed out again at once."""


@dataclass(frozen=True)
class Asked:
    """One request: when (UTC), and its id `run.revision.turn.k`, which a check that is made again repeats."""

    at: datetime
    id: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Asked":
        """The request of an entry in the job simulator's ledger."""
        return cls(datetime.fromisoformat(entry["time"]), str(entry["client_request_id"]))

    @property
    def turn(self) -> str:
        """The turn that it was made in."""
        return self.id.rpartition(".")[0]


def missed(
    asked: Sequence[Asked], interval_seconds: float, windows: Sequence[Window], slack: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """The times without a check that are longer than the interval by half of it, and that no fault explains.

    Args:
        asked: the checks of one monitor.
        interval_seconds: between them.
        windows: the times of the faults.
        slack: what a busy machine may add, where that is more than half of the interval.
    """
    interval = timedelta(seconds=interval_seconds)
    for begin, end in pairwise(sorted(one.at for one in asked)):
        if end - begin - excused(windows, begin, end) > interval + max(interval / 2, slack):
            yield begin, end


def excused(windows: Sequence[Window], begin: datetime, end: datetime) -> timedelta:
    """How much of a time faults explain."""
    return sum((window.overlap(begin, end) for window in windows), timedelta())


def repeated(asked: Sequence[Asked]) -> Iterator[tuple[Asked, Asked]]:
    """Each check that was made again: as it was first, and again."""
    first: dict[str, Asked] = {}
    for one in sorted(asked, key=lambda it: it.at):
        if one.id in first:
            yield first[one.id], one
        first[one.id] = one


def unexplained_repeats(asked: Sequence[Asked], breaks: Sequence[Window]) -> Iterator[str]:
    """The repeated turns of one monitor that are more than one for each break, in words.

    Args:
        asked: the checks of one monitor.
        breaks: the times of the faults in which reports are lost: a death is a moment, an outage has a length.
    """
    turns: dict[datetime, set[str]] = {}
    for before, again in repeated(asked):
        since = [one.begin for one in breaks if before.at - EXACT < one.end and one.begin < again.at + EXACT]
        if not since:
            yield f"{again.id} was made again at {again.at:%H:%M:%S.%f}, and nothing broke meanwhile"
            continue
        turns.setdefault(max(since), set()).add(again.turn)
    yield from (f"the break at {at:%H:%M:%S} cost {sorted(them)}" for at, them in turns.items() if len(them) > 1)
