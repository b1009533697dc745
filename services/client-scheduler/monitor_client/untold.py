"""Verdicts that a monitor could not tell itself: it was terminated from outside, or its orchestration failed.

They are told for it, by the ids that its own orchestration would have used: whoever comes second, be it the
monitor, another replica or a later look, finds the delivery started.
"""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from durabletask.client import OrchestrationState, OrchestrationStatus

from monitor_client.gateway import Gateway
from monitor_client.view import TERMINATED, MonitorView, parsed, view_of
from monitor_core import notices
from monitor_core.contract import NOTIFY, DecidedBy, MonitorInput, Progress, Schedule
from monitor_core.notices import Deliveries, Told
from monitor_core.telemetry import metrics

FROM_OUTSIDE: Final = (OrchestrationStatus.TERMINATED, OrchestrationStatus.FAILED)
"""How an instance ends without a word of its own."""
_log = logging.getLogger(__name__)


def owed(state: OrchestrationState) -> Deliveries:
    """What of an instance's verdict may not be told; nothing where it has told it itself, or nobody asked.

    Args:
        state: the instance, payloads included.

    Raises:
        Unreadable: it is no monitor, or one that this version does not understand.
    """
    if state.runtime_status not in FROM_OUTSIDE:
        return {}
    view = view_of(state)
    given = parsed(MonitorInput, state.serialized_input, state, "input")
    if given is None or view.verdict is None:
        return {}
    by = DecidedBy.OPERATOR if view.failure == TERMINATED else None
    told, now = _told(given, view), view.last_updated_at
    return notices.of_verdict(told, view.verdict, now, decided_by=by, reason=_reason(state, view))


def _told(given: MonitorInput, view: MonitorView) -> Told:
    """What is known of a monitor: as of its last renewal, or its start, and of its status where it has one."""
    progress = given.progress or Progress(
        started_at=view.created_at,
        deadline=view.created_at + timedelta(seconds=given.request.timeout_seconds),
        schedule=Schedule(anchor=view.created_at),
    )
    told = Told.of(view.instance_id, given.run, progress.edited or given.request, progress)
    if view.status is None:
        return told
    return replace(
        told,
        revision=view.status.revision,
        observed=view.status.observed,
        summary=view.status.summary,
        error=view.status.error,
        checks_performed=view.status.check_count,
        deadline=view.status.deadline,
    )


def _reason(state: OrchestrationState, view: MonitorView) -> str:
    """Of a failure its type only: its text is a stranger's, and goes out of the house."""
    if state.runtime_status is OrchestrationStatus.TERMINATED:
        return str(view.failure)
    kind = state.failure_details.error_type if state.failure_details else "for no known reason"
    return f"the orchestration itself failed, which is a defect of Durable Monitor: {kind}"


class Untold:
    """Tells for monitors that could not."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._told = metrics.Instruments().counter(metrics.UNTOLD)

    async def tell(self, state: OrchestrationState) -> int:
        """Start what is missing of the deliveries of an instance's verdict; how many that were.

        Args:
            state: the instance, payloads included.

        Raises:
            ServiceError: the instance cannot be read, or the scheduler cannot be reached.
        """
        told = 0
        for instance, delivery in owed(state).items():
            given = delivery.model_dump(mode="json")
            if await self._gateway.create(instance, given, orchestrator=NOTIFY):
                _log.info("Told for the monitor: %s", delivery.notice.id)
                self._told.add(1, {"kind": str(delivery.to.get("kind"))})
                told += 1
        return told
