"""What the conditions say of what a driver saw, in words that the history can keep."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from monitor_core.conditions import Condition, ConditionError, Conditions
from monitor_core.contract import CheckError, ErrorClass, Judgement, ObservationSummary, Turn
from monitor_worker.checks.base import Observation
from monitor_worker.checks.masking import Mask, masked
from monitor_worker.turns import Checkpoint, Look

_GIVE_ONE: Final = "; it is the kind's own condition: give a success_when that fits what is seen"
Evaluate = Callable[[Condition, Mapping[str, Any]], Awaitable[bool]]
"""Whether a condition holds for an observation's variables; raises ConditionError as `Condition.holds`."""
_LONGEST: Final = {"status": 100, "summary": 300, "message": 1000}


class Words:
    """Texts as they are kept: without secrets, and as long as the history has room for."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def kept(self, text: str, what: str) -> str:
        """The beginning of a text, without the lone surrogates that no history can hold."""
        # Masked first: a secret that is cut off would not be found any more.
        return self._mask(text)[: _LONGEST[what]].encode("utf-8", "replace").decode()

    def checkpoint(self, left: Checkpoint) -> Checkpoint:
        """What a driver leaves for its next check: it stands in the history as well."""
        return None if left is None else {name: masked(value, self._mask) for name, value in left.items()}

    def error(self, error_class: ErrorClass, message: str, at: datetime) -> CheckError:
        """An error of the check."""
        return CheckError(error_class=error_class, message=self.kept(message, "message"), at=at)


class Judged(NamedTuple):
    """What each condition says of an observation, and whether one that says nothing will at the next check."""

    judgements: tuple[Judgement, ...]
    error_class: ErrorClass


@dataclass(frozen=True, slots=True)
class Judge:
    """The conditions of a turn.

    Args:
        conditions: compiled.
        natural: whether they are the kind's own.
        evaluate: evaluates them.
        say: how what they say is kept.
    """

    conditions: Conditions
    natural: bool
    evaluate: Evaluate
    say: Words

    @classmethod
    def of(cls, turn: Turn, compiled: Conditions, evaluate: Evaluate, say: Words) -> "Judge":
        """The judge of a turn's observations."""
        return cls(compiled, turn.success_when is None and turn.failure_when is None, evaluate, say)

    async def judged(self, seen: Observation) -> Judged:
        """What the conditions say."""
        judgements, error_class = [], ErrorClass.TRANSIENT
        for condition in filter(None, self.conditions):
            try:
                said = self._judgement(condition, holds=await self.evaluate(condition, seen.variables))
            except ConditionError as error:
                advice = _GIVE_ONE if self.natural else ""
                said = self._judgement(condition, problem=self.say.kept(f"{error}{advice}", "message"))
                error_class = ErrorClass.PERMANENT if error.permanent else error_class
            judgements.append(said)
        return Judged(tuple(judgements), error_class)

    def unjudged(self, why: str) -> tuple[Judgement, ...]:
        """The conditions where there was nothing to judge."""
        return tuple(self._judgement(condition, problem=why) for condition in filter(None, self.conditions))

    def _judgement(self, condition: Condition, holds: bool | None = None, problem: str | None = None) -> Judgement:
        return Judgement(
            field=condition.field, condition=condition.text, natural=self.natural, holds=holds, problem=problem
        )


def summary_of(seen: Observation, judged: Judged, at: datetime, latency: float, say: Words) -> ObservationSummary:
    """What is kept of an observation.

    Args:
        seen: the observation.
        judged: what the conditions say of it.
        at: when the check started (UTC).
        latency: how long it took, in seconds.
        say: how texts are kept.
    """
    holds = {judgement.field: judgement.holds for judgement in judged.judgements}
    return ObservationSummary(
        at=at,
        status=say.kept(seen.status, "status"),
        summary=say.kept(seen.summary, "summary") if seen.summary else None,
        latency_seconds=latency,
        success=holds.get("success_when"),
        failure=holds.get("failure_when"),
    )


def look_of(seen: Observation, judged: Judged, summary: ObservationSummary, say: Words) -> Look:
    """What of an observation counts.

    A condition that holds decides, whatever else is wrong with the answer. Where none does, the answer's own
    error comes first, then that of a condition that could not be judged.
    """
    at, retry_after, checkpoint = summary.at, seen.retry_after_seconds, say.checkpoint(seen.checkpoint)
    why = next((judgement.problem for judgement in judged.judgements if judgement.problem), None)
    unjudged = why is not None
    if summary.success or summary.failure:
        return Look(summary, None, retry_after, checkpoint, unjudged)
    if seen.error is not None:
        error = say.error(seen.error.error_class, str(seen.error), at)
        return Look(None, error, retry_after or seen.error.retry_after_seconds, checkpoint, unjudged)
    failed = say.error(judged.error_class, why, at) if why else None
    return Look(summary, failed, retry_after, checkpoint, unjudged)
