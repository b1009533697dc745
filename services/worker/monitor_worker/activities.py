"""The one activity: a turn of polling, from JSON to JSON. Errors of the check are in the report, never raised."""

from collections.abc import Callable
from typing import Any

from durabletask.task import ActivityContext

from monitor_core.contract import Turn
from monitor_worker.checks.registry import Registry
from monitor_worker.looking import Ask, looker
from monitor_worker.turns import Clock, TurnRun

Activity = Callable[[ActivityContext, Any], Any]


def poll_activity(registry: Registry, ask: Ask, clock: Clock) -> Activity:
    """The activity `poll`, bound to what it works with.

    Args:
        registry: the kinds and their drivers.
        ask: runs a driver's check.
        clock: the worker's time; it ends a turn's waiting when the worker drains.
    """

    def poll(ctx: ActivityContext, given: Any) -> Any:
        turn = Turn.model_validate(given)
        look = looker(turn, ctx.orchestration_id, registry, ask, clock)
        return TurnRun(turn, ctx.orchestration_id, look, clock).run().model_dump(mode="json")

    return poll
