"""One look at the target: ask the driver, judge the conditions, turn every error into data.

A turn takes of it what decides; an explanation shows all that was seen.
"""

import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from opentelemetry import trace
from pydantic import ValidationError

from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass, Judgement, ObservationSummary, RequestError, Turn
from monitor_core.contract.turn import LONGEST_CHECKPOINT
from monitor_core.contract.wording import problems_of
from monitor_worker.checks.base import CheckContext, CheckFailed, Driver, Observation
from monitor_worker.checks.masking import Mask
from monitor_worker.checks.registry import Registry
from monitor_worker.judging import Evaluate, Judge, Words, look_of, summary_of
from monitor_worker.turns import Checkpoint, Clock, Look, Looker

Ask = Callable[[Driver, Any, CheckContext], Awaitable[Observation]]
"""Has a driver make its check within the context's timeout; raises TimeoutError beyond it."""
NOTHING_SEEN: Final = "the check saw nothing to judge"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sight:
    """One check with everything it saw.

    Args:
        look: what of it counts.
        summary: what was seen, also where an error is all that counts.
        variables: as the driver gave them: secrets are still in them.
        judgements: what each condition says; none where they could not be compiled.
    """

    look: Look
    summary: ObservationSummary | None = None
    variables: Mapping[str, Any] | None = None
    judgements: tuple[Judgement, ...] = ()


Sighter = Callable[[int, float, Checkpoint], Awaitable[Sight]]
"""As a `Looker`, with everything that was seen."""


def looker(
    turn: Turn, key: str, registry: Registry, ask: Ask, clock: Clock, *, evaluate: Evaluate, mask: Mask
) -> Looker:
    """What makes the checks of a turn: as `sighter`, without what only an explanation shows."""
    see = sighter(turn, key, registry, ask, clock, evaluate=evaluate, mask=mask)

    async def look(number: int, allowed: float, checkpoint: Checkpoint) -> Look:
        return (await see(number, allowed, checkpoint)).look

    return look


def sighter(
    turn: Turn, key: str, registry: Registry, ask: Ask, clock: Clock, *, evaluate: Evaluate, mask: Mask
) -> Sighter:
    """What makes checks; a turn that cannot be checked at all says so at its first check.

    Args:
        turn: what to check, and the conditions.
        key: the monitor's instance id.
        registry: the kinds and their drivers.
        ask: runs a driver's check.
        clock: the worker's time.
        evaluate: evaluates a condition.
        mask: takes secrets out of what is reported.
    """
    say = Words(mask)
    try:
        kind = registry.find(str(turn.check.get("kind")))
        spec = kind.spec.model_validate(dict(turn.check))
        if spec.server_address:
            trace.get_current_span().set_attribute("server.address", mask(spec.server_address))
        judge = Judge.of(turn, conditions(turn.success_when, turn.failure_when, kind.spec), evaluate, say)
    except (CheckFailed, RequestError) as error:
        return _broken(str(error), clock, say)
    except ValidationError as error:
        return _broken("; ".join(str(problem) for problem in problems_of(error, "check")), clock, say)

    async def see(number: int, allowed: float, checkpoint: Checkpoint) -> Sight:
        request_id = f"{turn.run}.{turn.revision}.{turn.turn}.{number}"
        context = CheckContext(key, request_id, number, allowed, checkpoint)
        started = clock.now()
        try:
            seen = await ask(kind.driver, spec, context)
            _require_small(seen.checkpoint)
            latency = (clock.now() - started).total_seconds()
            return await _judged(seen, judge, started, max(latency, 0.0), say)
        except Exception as error:  # noqa: BLE001 # whatever a driver raises is data here
            return Sight(_failed(error, context, started, say), judgements=judge.unjudged(NOTHING_SEEN))

    return see


async def _judged(seen: Observation, judge: Judge, at: datetime, latency: float, say: Words) -> Sight:
    judged = await judge.judged(seen)
    summary = summary_of(seen, judged, at, latency, say)
    return Sight(look_of(seen, judged, summary, say), summary, seen.variables, judged.judgements)


def _require_small(checkpoint: Checkpoint) -> None:
    if checkpoint is not None and len(json.dumps(dict(checkpoint), allow_nan=False)) > LONGEST_CHECKPOINT:
        raise CheckFailed(
            ErrorClass.PERMANENT, f"the driver leaves more than {LONGEST_CHECKPOINT} characters to its next check"
        )


def _broken(message: str, clock: Clock, say: Words) -> Sighter:
    async def see(number: int, allowed: float, checkpoint: Checkpoint) -> Sight:
        return Sight(Look(error=say.error(ErrorClass.MISCONFIGURED, message, clock.now())))

    return see


def _failed(error: Exception, context: CheckContext, at: datetime, say: Words) -> Look:
    match error:
        case CheckFailed():
            return Look(None, say.error(error.error_class, str(error), at), error.retry_after_seconds)
        case TimeoutError():
            message = f"no answer within {context.timeout_seconds:g} s"
            return Look(error=say.error(ErrorClass.TRANSIENT, message, at))
        case _:
            # Its text is a stranger's and may hold a secret; where it was raised tells what to mend.
            where = traceback.extract_tb(error.__traceback__)[-1:]
            place = f"{where[0].filename}:{where[0].lineno}" if where else "an unknown place"
            _log.error("Check %s: %s raised at %s", context.request_id, type(error).__name__, place)
            message = f"the check failed unexpectedly: {type(error).__name__}; the worker's log says where"
            return Look(error=say.error(ErrorClass.TRANSIENT, message, at))
