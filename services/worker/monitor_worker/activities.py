"""The activities, from JSON to JSON: a turn of polling, and one look.

Errors of the check are in what they report, never raised.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from durabletask.task import ActivityContext

from monitor_core.contract import ACTIVITY, LOOK, Evidence, Turn, TurnReport
from monitor_core.pace import longest_wait
from monitor_worker.checks.masking import Mask
from monitor_worker.checks.registry import Registry
from monitor_worker.excerpts import excerpt
from monitor_worker.judging import Evaluate
from monitor_worker.looking import Ask, Sight, Sighter, looker, sighter
from monitor_worker.observer import ObservedTurn, Observer
from monitor_worker.quarantine import GRACE_SECONDS, Quarantine
from monitor_worker.slots import Slots
from monitor_worker.turns import Checkpoint, Clock, Look, Looker, TurnRun

Activity = Callable[[ActivityContext, Any], Any]
Run = Callable[[Coroutine[Any, Any, TurnReport], float], TurnReport]
"""Runs a turn to its end, on the event loop; raises TimeoutError where it takes longer than the given seconds."""


@dataclass(frozen=True, slots=True)
class Means:
    """What turns work with.

    Args:
        registry: the kinds and their drivers.
        ask: has a driver make its check.
        evaluate: evaluates a condition.
        run: runs a turn.
        clock: the worker's time; it ends a turn's waiting when the worker drains.
        slots: of the worker's turns.
        mask: takes secrets out of what is reported.
        observer: is told of turns and checks.
        quarantine: knows whose checks end the process.
    """

    registry: Registry
    ask: Ask
    evaluate: Evaluate
    run: Run
    clock: Clock
    slots: Slots
    mask: Mask
    observer: Observer
    quarantine: Quarantine


def poll_activity(means: Means) -> Activity:
    """The activity `poll`."""

    def poll(ctx: ActivityContext, given: Any) -> Any:
        turn, key = Turn.model_validate(given), ctx.orchestration_id
        with means.slots.taken(), means.observer.turn(turn) as observed:
            look = looker(
                turn, key, means.registry, means.ask, means.clock, evaluate=means.evaluate, mask=means.mask
            )
            report = _played(means, turn, key, look, observed, has_room=means.slots.has_room)
        return report.model_dump(mode="json")

    poll.__name__ = ACTIVITY  # the SDK registers by the function's own name
    return poll


def look_activity(means: Means) -> Activity:
    """The activity `look`: a turn of one check, with everything that was seen."""

    def look(ctx: ActivityContext, given: Any) -> Any:
        turn, key = Turn.model_validate(given), ctx.orchestration_id
        with means.observer.turn(turn) as observed:
            see = sighter(
                turn, key, means.registry, means.ask, means.clock, evaluate=means.evaluate, mask=means.mask
            )
            seen = _Watching(see)
            report = _played(means, turn, key, seen.look, observed, has_room=lambda: True)
        last = seen.last
        shown = excerpt(last.variables, means.mask)
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


def _played(
    means: Means, turn: Turn, key: str, look: Looker, observed: ObservedTurn, *, has_room: Callable[[], bool]
) -> TurnReport:
    run, quarantine = f"{key}:{turn.run}", means.quarantine
    playing = TurnRun(
        turn,
        key,
        quarantine.guarded(run, look),
        means.clock,
        has_room,
        held_back=lambda: quarantine.held_back(run),
        checked=observed,
    )
    report = means.run(playing.run(), longest(turn))
    observed.ended(report)
    return report


def longest(turn: Turn) -> float:
    """Seconds that a turn may take: to wait for its first check, to go on, a check that the deadline cuts off, and
    the last one after it."""
    return longest_wait(turn.turn_seconds) + turn.turn_seconds + 2 * turn.check_timeout_seconds + GRACE_SECONDS


class _Watching:
    """Keeps what the last check saw: a check that the deadline cuts off is made again."""

    def __init__(self, see: Sighter) -> None:
        self._see = see
        self.last = Sight(Look())

    async def look(self, number: int, allowed: float, checkpoint: Checkpoint) -> Look:
        self.last = await self._see(number, allowed, checkpoint)
        return self.last.look
