"""The activities, from JSON to JSON: a turn of polling, and one look.

Errors of the check are in what they report, never raised.
"""

from collections.abc import Callable
from typing import Any

from durabletask.task import ActivityContext

from monitor_core.contract import ACTIVITY, LOOK, Evidence, Turn
from monitor_worker.checks.masking import Mask
from monitor_worker.checks.registry import Registry
from monitor_worker.excerpts import excerpt
from monitor_worker.looking import Ask, Sight, Sighter, looker, sighter
from monitor_worker.observer import Observer
from monitor_worker.pace import Pace
from monitor_worker.policy import NEAR_SECONDS
from monitor_worker.turns import Checkpoint, Clock, Look, TurnRun

Activity = Callable[[ActivityContext, Any], Any]


def poll_activity(
    registry: Registry, ask: Ask, clock: Clock, pace: Pace, *, mask: Mask, observer: Observer
) -> Activity:
    """The activity `poll`, bound to what it works with.

    Args:
        registry: the kinds and their drivers.
        ask: runs a driver's check.
        clock: the worker's time; it ends a turn's waiting when the worker drains.
        pace: how long the worker's turns may be.
        mask: takes secrets out of what is reported.
        observer: is told of turns and checks.
    """

    def poll(ctx: ActivityContext, given: Any) -> Any:
        turn = Turn.model_validate(given)
        key = ctx.orchestration_id
        with observer.turn(turn) as observed:
            look = looker(turn, key, registry, ask, clock, mask=mask)
            report = TurnRun(turn, key, look, clock, pace.limit_seconds, checked=observed).run()
            observed.ended(report)
        if report.checks:
            # What a message takes to get here is no sign of falling behind.
            pace.note(late=report.lateness_seconds > max(turn.polling.interval_seconds, NEAR_SECONDS))
        return report.model_dump(mode="json")

    poll.__name__ = ACTIVITY  # the SDK registers by the function's own name
    return poll


def look_activity(registry: Registry, ask: Ask, clock: Clock, *, mask: Mask, observer: Observer) -> Activity:
    """The activity `look`: a turn of one check, with everything that was seen; as `poll_activity`."""

    def look(ctx: ActivityContext, given: Any) -> Any:
        turn = Turn.model_validate(given)
        with observer.turn(turn) as observed:
            seen = _Watching(sighter(turn, ctx.orchestration_id, registry, ask, clock, mask=mask))
            report = TurnRun(turn, ctx.orchestration_id, seen.look, clock, checked=observed).run()
            observed.ended(report)
        last = seen.last
        shown = excerpt(last.variables, mask)
        return Evidence(
            report=report,
            observation=last.summary,
            variables=shown.variables,
            shortened=shown.shortened,
            judgements=last.judgements,
            retry_after_seconds=last.look.retry_after_seconds,
        ).model_dump(mode="json")

    look.__name__ = LOOK
    return look


class _Watching:
    """Keeps what the last check saw: a check that the deadline cuts off is made again."""

    def __init__(self, see: Sighter) -> None:
        self._see = see
        self.last = Sight(Look())

    def look(self, number: int, allowed: float, checkpoint: Checkpoint) -> Look:
        self.last = self._see(number, allowed, checkpoint)
        return self.last.look
