"""The activity `deliver`: one attempt to hand a notice over. Errors are in what it reports, never raised."""

import logging
import traceback
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from durabletask.task import ActivityContext
from pydantic import ValidationError

from monitor_core.contract import DELIVER, Attempt, AttemptReport, DeliveryOutcome, ErrorClass, Notice
from monitor_core.contract.wording import problems_of
from monitor_worker.activities import Activity
from monitor_worker.channels.base import Channel, CheckFailed, DeliveryContext
from monitor_worker.checks.masking import Mask
from monitor_worker.checks.registry import ChannelRegistry
from monitor_worker.observer import Observer

HandOver = Callable[[Channel, Any, Notice, DeliveryContext], str]
"""Runs a channel's attempt to its end, within the context's timeout; raises TimeoutError beyond it."""
ATTEMPT_SECONDS: Final = 30.0
_LONGEST: Final = 500
_log = logging.getLogger(__name__)


class Attempts:
    """Makes attempts.

    Args:
        registry: the kinds of channel and their drivers.
        hand_over: runs a channel's attempt.
        mask: takes secrets out of what is reported.
        observer: is told what came of it.
        source: where the worker's monitors run, as a URI.
        pages: the client-scheduler's URL, below which monitors have their pages; None without one.
        seconds: how long an attempt may take.
    """

    def __init__(
        self,
        registry: ChannelRegistry,
        hand_over: HandOver,
        *,
        mask: Mask,
        observer: Observer,
        source: str,
        pages: str | None = None,
        seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self._registry, self._hand_over, self._mask, self._observer = registry, hand_over, mask, observer
        self._source, self._pages, self._seconds = source, pages, seconds

    def activity(self) -> Activity:
        """The activity `deliver`."""

        def deliver(ctx: ActivityContext, given: Any) -> Any:
            attempt = Attempt.model_validate(given)
            report = self._made(attempt, ctx.orchestration_id)
            self._observer.delivered(str(attempt.delivery.to.get("kind")), report.outcome)
            return report.model_dump(mode="json")

        deliver.__name__ = DELIVER  # the SDK registers by the function's own name
        return deliver

    def _made(self, attempt: Attempt, instance_id: str) -> AttemptReport:
        to, notice = attempt.delivery.to, attempt.delivery.notice
        context = self._context(attempt, instance_id)
        try:
            kind = self._registry.find(str(to.get("kind")))
            spec = kind.spec.model_validate(dict(to))
            said = self._hand_over(kind.driver, spec, notice, context)
            return AttemptReport(outcome=DeliveryOutcome.DELIVERED, detail=self._kept(said))
        except ValidationError as error:
            wrong = "; ".join(str(problem) for problem in problems_of(error, "to"))
            return AttemptReport(outcome=DeliveryOutcome.FAILED, detail=self._kept(wrong))
        except Exception as error:  # noqa: BLE001 # whatever a driver raises is data here
            return self._failed(error, attempt, context)

    def _failed(self, error: Exception, attempt: Attempt, context: DeliveryContext) -> AttemptReport:
        match error:
            case CheckFailed():
                why, final = str(error), error.error_class is not ErrorClass.TRANSIENT
            case TimeoutError():
                why, final = f"no answer within {context.timeout_seconds:g} s", False
            case _:
                # Its text is a stranger's and may hold a secret; where it was raised tells what to mend.
                where = traceback.extract_tb(error.__traceback__)[-1]
                name = type(error).__name__
                _log.error(
                    "Delivery %s: %s raised at %s:%s", context.request_id, name, where.filename, where.lineno
                )
                why, final = f"the channel failed unexpectedly: {name}; the worker's log says where", False
        if attempt.last and not final:
            why, final = f"given up after {attempt.number} attempts, the last: {why}", True
        outcome = DeliveryOutcome.FAILED if final else DeliveryOutcome.PENDING
        return AttemptReport(
            outcome=outcome,
            detail=self._kept(why),
            retry_after_seconds=getattr(error, "retry_after_seconds", None),
        )

    def _context(self, attempt: Attempt, instance_id: str) -> DeliveryContext:
        job = quote(attempt.delivery.notice.job_id, safe="")
        return DeliveryContext(
            instance_id=instance_id,
            request_id=f"{instance_id}.{attempt.number}",
            number=attempt.number,
            timeout_seconds=self._seconds,
            source=self._source,
            page=f"{self._pages}/m/{job}" if self._pages else None,
        )

    def _kept(self, text: str) -> str:
        return self._mask(text)[:_LONGEST].encode("utf-8", "replace").decode()
