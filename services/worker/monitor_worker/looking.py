"""One look at the target: ask the driver, judge the conditions, turn every error into data."""

import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from monitor_core.conditions import Condition, ConditionError, Conditions, conditions
from monitor_core.contract import CheckError, ErrorClass, ObservationSummary, RequestError, Turn
from monitor_core.contract.base import problems_of
from monitor_core.contract.turn import LONGEST_CHECKPOINT
from monitor_worker.checks.base import CheckContext, CheckFailed, Driver, Observation
from monitor_worker.checks.masking import Mask, masked
from monitor_worker.checks.registry import Registry
from monitor_worker.turns import Checkpoint, Clock, Look, Looker

Ask = Callable[[Driver, Any, CheckContext], Observation]
"""Runs a driver's check to its end, within the context's timeout; raises TimeoutError beyond it."""
_log = logging.getLogger(__name__)
_LONGEST: Final = {"status": 100, "summary": 300, "message": 1000}


def looker(turn: Turn, key: str, registry: Registry, ask: Ask, clock: Clock, *, mask: Mask) -> Looker:
    """What makes the checks of a turn; a turn that cannot be checked at all says so at its first check.

    Args:
        turn: what to check, and the conditions.
        key: the monitor's instance id.
        registry: the kinds and their drivers.
        ask: runs a driver's check.
        clock: the worker's time.
        mask: takes secrets out of what is reported.
    """
    say = _Words(mask)
    try:
        kind = registry.find(str(turn.check.get("kind")))
        spec = kind.spec.model_validate(dict(turn.check))
        judges = conditions(turn.success_when, turn.failure_when, kind.spec)
    except (CheckFailed, RequestError) as error:
        return _broken(str(error), clock, say)
    except ValidationError as error:
        return _broken("; ".join(str(problem) for problem in problems_of(error, "check")), clock, say)

    def look(number: int, allowed: float, checkpoint: Checkpoint) -> Look:
        request_id = f"{turn.run}.{turn.revision}.{turn.turn}.{number}"
        context = CheckContext(key, request_id, number, allowed, checkpoint)
        started = clock.now()
        try:
            seen = ask(kind.driver, spec, context)
            _require_small(seen.checkpoint)
            latency = (clock.now() - started).total_seconds()
            return _judged(seen, judges, started, max(latency, 0.0), say)
        except Exception as error:  # noqa: BLE001 # whatever a driver raises is data here
            return _failed(error, context, started, say)

    return look


class _Words:
    """Texts as they are kept: without secrets, and as long as the history has room for."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def kept(self, text: str, what: str) -> str:
        """The beginning of a text, without the lone surrogates that no history can hold."""
        # Masked first: a secret that is cut off would not be found any more.
        return self._mask(text)[: _LONGEST[what]].encode("utf-8", "replace").decode()

    def checkpoint(self, left: Checkpoint) -> Checkpoint:
        """What a driver leaves for its next check: it stands in the history as well."""
        return None if left is None else dict(masked(left, self._mask))

    def error(self, error_class: ErrorClass, message: str, at: datetime) -> CheckError:
        """An error of the check."""
        return CheckError(error_class=error_class, message=self.kept(message, "message"), at=at)


def _require_small(checkpoint: Checkpoint) -> None:
    if checkpoint is not None and len(json.dumps(dict(checkpoint), allow_nan=False)) > LONGEST_CHECKPOINT:
        raise CheckFailed(
            ErrorClass.PERMANENT, f"the driver leaves more than {LONGEST_CHECKPOINT} characters to its next check"
        )


def _broken(message: str, clock: Clock, say: _Words) -> Looker:
    def look(number: int, allowed: float, checkpoint: Checkpoint) -> Look:
        return Look(error=say.error(ErrorClass.MISCONFIGURED, message, clock.now()))

    return look


def _failed(error: Exception, context: CheckContext, at: datetime, say: _Words) -> Look:
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


def _judged(seen: Observation, judges: Conditions, at: datetime, latency: float, say: _Words) -> Look:
    """The observation with what the conditions say of it.

    A condition that holds decides, whatever else is wrong with the answer. Where none does, the answer's own
    error comes first, then that of a condition that could not be judged.
    """
    failed, why_not_failed = _holds(judges.failure, seen)
    succeeded, why_not_succeeded = _holds(judges.success, seen)
    summary = ObservationSummary(
        at=at,
        status=say.kept(seen.status, "status"),
        summary=say.kept(seen.summary, "summary") if seen.summary else None,
        latency_seconds=latency,
        success=succeeded,
        failure=failed,
    )
    look = Look(retry_after_seconds=seen.retry_after_seconds, checkpoint=say.checkpoint(seen.checkpoint))
    if failed or succeeded:
        return replace(look, observation=summary)
    if seen.error is not None:
        retry_after = seen.retry_after_seconds or seen.error.retry_after_seconds
        error = say.error(seen.error.error_class, str(seen.error), at)
        return replace(look, error=error, retry_after_seconds=retry_after)
    why = why_not_succeeded or why_not_failed
    error_of_condition = say.error(ErrorClass.TRANSIENT, why, at) if why else None
    return replace(look, observation=summary, error=error_of_condition)


def _holds(condition: Condition | None, seen: Observation) -> tuple[bool | None, str | None]:
    """Whether a condition holds, and where it cannot be judged, why."""
    if condition is None:
        return None, None
    try:
        return condition.holds(seen.variables), None
    except ConditionError as error:
        return None, str(error)
