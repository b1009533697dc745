"""Whether a monitor was lost, or told twice: what it ended with against what was seen. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from benchmarks.soak.plans import CHECK_TIMEOUT_SECONDS, Plan
from benchmarks.soak.target import Account
from monitor_core.pace import FREQUENT_SECONDS
from support.asked import excused, missed
from up_smoke.evidence import Window

SLACK: Final = timedelta(seconds=5)
"""What a busy machine may add."""


def complaints(
    account: Account, result: Mapping[str, Any], windows: Sequence[Window], expected: Sequence[str]
) -> Iterator[str]:
    """Everything that is not as it has to be, in words.

    Args:
        account: what was seen.
        result: what the monitor ended with.
        windows: the times in which something was killed or paused.
        expected: its verdict is one of these.
    """
    if result["final_status"] not in expected:
        yield f"ended as {result['final_status']} ({result['reason']}), not {' or '.join(expected)}"
    yield from _told(account, result)
    yield from _miscounted(account, result, windows)
    yield from _late(account.plan, result, windows)


def missed_ticks(account: Account, windows: Sequence[Window]) -> list[tuple[datetime, datetime]]:
    """The times in which a tick was missed that no fault explains."""
    return list(missed(account.asked, account.plan.interval_seconds, windows, SLACK))


def repeats(account: Account) -> int:
    """How many checks were made once more than they count."""
    return len(account.asked) - len({one.id for one in account.asked})


def lateness(account: Account, windows: Sequence[Window]) -> Iterator[float]:
    """How late each check was (seconds), of those that no fault disturbed: after its tick, by the first check's.

    The last one is left out: a deadline has a time of its own.
    """
    if not account.asked:
        return
    # A first check that was made again is the one that counts.
    interval, first = (
        account.plan.interval_seconds,
        max(one.at for one in account.asked if one.id == account.asked[0].id),
    )
    for one in account.asked[1:-1]:
        if not excused(windows, one.at - SLACK, one.at):
            off = (one.at - first).total_seconds() % interval
            yield off if off < interval * 0.9 else 0.0  # a moment early: the first one took longer


def _told(account: Account, result: Mapping[str, Any]) -> Iterator[str]:
    said = {(notice["id"], notice["status"]) for notice in account.told}
    if not said:
        yield "its verdict was never told"
    if len(said) > 1:
        yield f"duplicate verdicts were told: {sorted(said)}"
    if any(status != result["final_status"] for _, status in said):
        yield f"told was {sorted(said)}, and it ended as {result['final_status']}"


def _miscounted(account: Account, result: Mapping[str, Any], windows: Sequence[Window]) -> Iterator[str]:
    made, recorded = len({one.id for one in account.asked}), result["checks_performed"]
    # A turn that a command overtakes is unheard; so is what a killed worker had not reported.
    unheard = (
        made if result["final_status"] == "Cancelled" or account.plan.interval_seconds < FREQUENT_SECONDS else 0
    )
    if not made - unheard <= recorded <= made:
        yield f"{recorded} checks are recorded, {made} were made"
    begin, end = (datetime.fromisoformat(result[name]) for name in ("started_at", "ended_at"))
    # A turn that was out at the verdict goes on unheard, and may be handed out again.
    last = max([end, *(one.at for one in account.asked)])
    if repeats(account) and not any(window.overlap(begin, last) for window in windows):
        yield f"{repeats(account)} checks were repeated though nothing was killed"


def _late(plan: Plan, result: Mapping[str, Any], windows: Sequence[Window]) -> Iterator[str]:
    begin, end = (datetime.fromisoformat(result[name]) for name in ("started_at", "ended_at"))
    allowed = plan.longest_seconds
    if result["final_status"] == "Timeout":
        allowed = plan.seconds + CHECK_TIMEOUT_SECONDS
    over = end - begin - timedelta(seconds=allowed) - excused(windows, begin, end)
    if over > SLACK:
        yield f"its verdict came {over.total_seconds():.1f} s late"
