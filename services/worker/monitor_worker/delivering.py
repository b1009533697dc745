"""The orchestrations that deliver notices: `tell` starts them, `notify` sees one through.

Whoever delivers never keeps a monitor waiting: `tell` ends as soon as the deliveries are started, and nobody waits
for those. Everything in here is a function of the history.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from durabletask.task import CompletableTask, OrchestrationContext, when_any
from pydantic import ValidationError

from monitor_core.contract import (
    DELIVER,
    NOTIFY,
    TELL,
    Attempt,
    AttemptReport,
    Delivery,
    DeliveryOutcome,
    DeliveryState,
    Problem,
    RequestError,
)
from monitor_core.contract.wording import problems_of
from monitor_worker.orchestrator import Orchestrator, Wait, clock_of, landed

DELAYS: Final = (5, 30, 120, 600, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between attempts, three days in all, much as https://www.standardwebhooks.com advises."""
_LONGEST_DELAY: Final = 86_400


def tell(ctx: OrchestrationContext, given: Any) -> None:
    """Start deliveries, by their instance ids; one that was started before goes on as it is.

    Raises:
        RequestError: `given` is something else; nothing is started.
    """
    if not isinstance(given, Mapping):
        raise RequestError([Problem("deliveries", "should be an object: instance ids, each with its delivery")])
    for instance, delivery in given.items():
        ctx.call_sub_orchestrator(NOTIFY, input=delivery, instance_id=instance)


def notify_orchestrator(delays: Sequence[float] = DELAYS) -> Orchestrator:
    """The orchestrator `notify`.

    Args:
        delays: seconds between attempts; after the last there is one more. A receiver may ask for others.
    """

    def notify(ctx: OrchestrationContext, given: Any) -> Wait:
        return _delivery(ctx, _read(given), delays)

    notify.__name__ = NOTIFY  # the SDK registers by the function's own name
    return notify


def _read(given: Any) -> Delivery:
    try:
        delivery = Delivery.model_validate(given)
    except ValidationError as error:
        raise RequestError(problems_of(error, whole="delivery")) from None
    if not isinstance(delivery.to.get("kind"), str):
        raise RequestError([Problem("to.kind", "is required, as a text")])
    return delivery


def _delivery(ctx: OrchestrationContext, delivery: Delivery, delays: Sequence[float]) -> Wait:
    """One delivery, from its first attempt to the one that is taken, or the last.

    Returns:
        A `DeliveryState` as JSON data; it is the custom status meanwhile.
    """
    for number in range(1, len(delays) + 2):
        attempt = Attempt(delivery=delivery, number=number, last=number > len(delays))
        task: CompletableTask[Any] = ctx.call_activity(DELIVER, input=attempt.model_dump(mode="json"))
        yield when_any([task])
        report, now = landed(task, AttemptReport, partial(_lost, attempt), "attempt"), clock_of(ctx)
        if report.outcome is not DeliveryOutcome.PENDING:
            return _state(attempt, report, now).model_dump(mode="json")
        at = now + timedelta(seconds=_pause(report, delays[number - 1]))
        ctx.set_custom_status(_state(attempt, report, now, at).model_dump(mode="json"))
        yield ctx.create_timer(at)
    raise AssertionError("the last attempt is never to be tried again")


def _pause(report: AttemptReport, delay: float) -> float:
    asked = report.retry_after_seconds
    return delay if asked is None else min(max(asked, 1.0), _LONGEST_DELAY)


def _lost(attempt: Attempt, message: str) -> AttemptReport:
    """The report of an attempt whose activity failed."""
    outcome = DeliveryOutcome.FAILED if attempt.last else DeliveryOutcome.PENDING
    return AttemptReport(outcome=outcome, detail=message[:500])


def _state(
    attempt: Attempt, report: AttemptReport, now: datetime, next_attempt_at: datetime | None = None
) -> DeliveryState:
    notice = attempt.delivery.notice
    return DeliveryState(
        id=notice.id,
        kind=str(attempt.delivery.to["kind"]),
        occasion=notice.occasion,
        run=notice.run,
        outcome=report.outcome,
        attempts=attempt.number,
        detail=report.detail,
        as_of=now,
        next_attempt_at=next_attempt_at,
    )


tell.__name__ = TELL  # the SDK registers by the function's own name
