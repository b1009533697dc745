"""The one activity: a turn of polling, from JSON to JSON. Errors of the check are in the report, never raised."""

from collections.abc import Callable
from typing import Any

from durabletask.task import ActivityContext

from monitor_core.contract import ACTIVITY, Turn
from monitor_worker.checks.masking import Mask
from monitor_worker.checks.registry import Registry
from monitor_worker.looking import Ask, looker
from monitor_worker.pace import Pace
from monitor_worker.policy import NEAR_SECONDS
from monitor_worker.turns import Clock, TurnRun

Activity = Callable[[ActivityContext, Any], Any]


def poll_activity(registry: Registry, ask: Ask, clock: Clock, pace: Pace, mask: Mask) -> Activity:
    """The activity `poll`, bound to what it works with.

    Args:
        registry: the kinds and their drivers.
        ask: runs a driver's check.
        clock: the worker's time; it ends a turn's waiting when the worker drains.
        pace: how long the worker's turns may be.
        mask: takes secrets out of what is reported.
    """

    def poll(ctx: ActivityContext, given: Any) -> Any:
        turn = Turn.model_validate(given)
        key = ctx.orchestration_id
        look = looker(turn, key, registry, ask, clock, mask=mask)
        report = TurnRun(turn, key, look, clock, pace.limit_seconds).run()
        if report.checks:
            # What a message takes to get here is no sign of falling behind.
            pace.note(late=report.lateness_seconds > max(turn.polling.interval_seconds, NEAR_SECONDS))
        return report.model_dump(mode="json")

    poll.__name__ = ACTIVITY  # the SDK registers by the function's own name
    return poll
