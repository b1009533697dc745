"""Whether anything was lost: what the clients said, held against what the job simulator saw. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

Entry = Mapping[str, Any]
"""One request in the simulator's ledger."""
SLACK = timedelta(seconds=3)
"""What a busy machine may add to an interval."""


@dataclass(frozen=True)
class Plan:
    """One monitor, and how it has to end."""

    job_id: str
    interval_seconds: float
    timeout_seconds: float
    job: str
    """What the job does, as the simulator's query."""
    code: int
    verdict: str
    last_seen: str | None
    """The job's status in the last answer; None where that is an error."""


@dataclass(frozen=True)
class Ran:
    """What a client ended with."""

    code: int
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Window:
    """A time in which checks may be missing: from the fault until its repair, UTC."""

    begin: datetime
    end: datetime

    def overlap(self, begin: datetime, end: datetime) -> timedelta:
        """How much of the time from `begin` to `end` is in it."""
        return max(timedelta(), min(self.end, end) - max(self.begin, begin))


@dataclass(frozen=True)
class Faults:
    """What was done to the stack."""

    killed: str
    """The address of the worker that was killed."""
    windows: Sequence[Window]


def complaints(plan: Plan, ran: Ran, entries: Sequence[Entry], faults: Faults) -> Iterator[str]:
    """Everything that is not as it has to be, in words; nothing where all is well."""
    if ran.code != plan.code:
        yield f"exit code {ran.code}, not {plan.code}"
    if ran.result.get("final_status") != plan.verdict:
        yield f"final_status {ran.result.get('final_status')}, not {plan.verdict}"
    if not entries:
        yield "the job was never asked"
        return
    if entries[-1]["status"] != plan.last_seen:
        yield f"the last answer said {entries[-1]['status']}, not {plan.last_seen}"
    yield from _missing(plan, entries, faults.windows)
    yield from _miscounted(ran, entries, faults.killed)
    if plan.verdict == "Timeout":
        yield from _late(ran, entries, faults.windows)


def broken_off(entries: Sequence[Entry], killed: str) -> list[Entry]:
    """The checks that the killed worker was in the middle of: never answered."""
    return [entry for entry in entries if entry["client"] == killed and entry["response_code"] is None]


def _missing(plan: Plan, entries: Sequence[Entry], windows: Sequence[Window]) -> Iterator[str]:
    times = [_time(entry) for entry in entries]
    allowed = timedelta(seconds=plan.interval_seconds) + SLACK
    for begin, end in pairwise(times):
        excused = sum((window.overlap(begin, end) for window in windows), timedelta())
        if end - begin - excused > allowed:
            yield f"no check from {begin:%H:%M:%S} to {end:%H:%M:%S}, which no fault explains"


def _miscounted(ran: Ran, entries: Sequence[Entry], killed: str) -> Iterator[str]:
    # A check that is made again, because its report was lost, has the same request id.
    made = {entry["client_request_id"] for entry in entries}
    sure = {entry["client_request_id"] for entry in entries if entry["client"] != killed}
    recorded = ran.result.get("checks_performed")
    if not isinstance(recorded, int) or not len(sure) <= recorded <= len(made):
        yield f"{recorded} checks are recorded; {len(made)} were made, {len(sure)} by workers that lived"


def _late(ran: Ran, entries: Sequence[Entry], windows: Sequence[Window]) -> Iterator[str]:
    deadline = datetime.fromisoformat(ran.result["deadline"])
    excused = sum((window.overlap(deadline, window.end) for window in windows), timedelta())
    off = _time(entries[-1]) - deadline
    if not -SLACK <= off <= SLACK + excused:
        yield f"the last check was {off.total_seconds():+.1f} s from the deadline"


def _time(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["time"])
