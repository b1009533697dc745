"""What became of a monitor's notices: each delivery is an instance of its own, found by the monitor's id."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from durabletask.client import OrchestrationQuery, OrchestrationState, OrchestrationStatus

from monitor_client.delivery_view import DeliveryView
from monitor_client.errors import Unreadable
from monitor_client.gateway import Gateway
from monitor_client.view import ENDED, MonitorView, parsed
from monitor_core.contract import (
    Delivery,
    DeliveryOutcome,
    DeliveryState,
    Occasion,
    delivery_id,
    delivery_prefix,
    telling_id,
)

MOST_SHOWN: Final = 100
_PAGE: Final = 100
_MOST_PAGES: Final = 10
_UNSURE: Final = timedelta(minutes=1)
"""By how much clocks may differ."""


async def with_deliveries(gateway: Gateway, view: MonitorView) -> MonitorView:
    """The view, with the deliveries of its run where its request has any: the newest ones, newest first.

    It is one call on the scheduler, and another one for each hundred more, ten at the most: the scheduler gives
    the oldest first.

    Raises:
        ServiceError: the scheduler cannot be reached, or refuses.
    """
    if view.request is None or not view.request.on_verdict:
        return view
    query = OrchestrationQuery(
        created_time_from=view.created_at - _UNSURE,
        max_instance_count=_PAGE,
        fetch_inputs_and_outputs=True,
        instance_id_prefix=delivery_prefix(view.instance_id),
    )
    states = [state async for state in _found(gateway, query, _MOST_PAGES)]
    deliveries, unreadable = _of_run(states, view)
    notes = [
        f"the newest {MOST_SHOWN}; there are more" if len(deliveries) > MOST_SHOWN else "",
        "there may be later ones" if len(states) >= _PAGE * _MOST_PAGES else "",
        f"{unreadable} of a newer version left out" if unreadable else "",
    ]
    return view.model_copy(
        update={
            "deliveries": tuple(deliveries[:MOST_SHOWN]),
            "deliveries_note": "; ".join(filter(None, notes)) or None,
        }
    )


async def purge_deliveries(gateway: Gateway, instance_id: str) -> None:
    """Delete the deliveries of all runs of a monitor that are over, and what has begun them; the others go on.

    Args:
        gateway: the scheduler.
        instance_id: the monitor's.

    Raises:
        ServiceError: as `with_deliveries`.
    """
    query = OrchestrationQuery(
        max_instance_count=_PAGE, fetch_inputs_and_outputs=True, instance_id_prefix=delivery_prefix(instance_id)
    )
    states = [state async for state in _found(gateway, query)]
    # What has begun them first: it is known by them alone.
    await _purge(gateway, _tellings(states))
    await _purge(gateway, [state.instance_id for state in states if state.runtime_status in ENDED])


async def _purge(gateway: Gateway, instances: Sequence[str]) -> None:
    for first in range(0, len(instances), _PAGE):
        await asyncio.gather(*map(gateway.purge, instances[first : first + _PAGE]))


def _tellings(states: Iterable[OrchestrationState]) -> list[str]:
    """The instances of `tell` that have begun these deliveries: one for all that a run tells in a moment."""
    together: dict[tuple[str, datetime], dict[str, Delivery]] = defaultdict(dict)
    for state in states:
        with suppress(Unreadable):
            given = parsed(Delivery, state.serialized_input, state, "input")
            if given is not None:
                together[given.notice.run, given.notice.at][state.instance_id] = given
    return [telling_id(deliveries) for deliveries in together.values()]


async def _found(
    gateway: Gateway, query: OrchestrationQuery, pages: int | None = None
) -> AsyncIterator[OrchestrationState]:
    token: str | None = None
    while pages is None or pages > 0:
        page = await gateway.page(query, token)
        for state in page.items:
            yield state
        token = page.continuation_token
        if token is None:
            return
        pages = None if pages is None else pages - 1


def _of_run(states: Iterable[OrchestrationState], view: MonitorView) -> tuple[list[DeliveryView], int]:
    """Those of the view's run, the newest first, and how many cannot be read."""
    found, unreadable = list[tuple[datetime, DeliveryView]](), 0
    for state in states:
        try:
            given = parsed(Delivery, state.serialized_input, state, "input")
            if given is not None and given.notice.run == view.run:
                found.append((given.notice.at, _delivery(state, given, view)))
        except Unreadable:
            unreadable += 1
    found.sort(key=_newest_first)
    return [delivery for _, delivery in found], unreadable


def _newest_first(found: tuple[datetime, DeliveryView]) -> tuple[float, bool, int]:
    """The verdict before the change of the same moment, and channels in the request's order."""
    at, delivery = found
    return -at.timestamp(), delivery.occasion is not Occasion.VERDICT, delivery.position or 0


def _delivery(state: OrchestrationState, given: Delivery, view: MonitorView) -> DeliveryView:
    completed = state.runtime_status is OrchestrationStatus.COMPLETED
    text = state.serialized_output if completed else state.serialized_custom_status
    said = parsed(DeliveryState, text, state, "output" if completed else "custom status")
    ended = _ended_from_outside(state)
    return DeliveryView(
        id=given.notice.id,
        position=_position(state, given, view),
        kind=str(given.to.get("kind")),
        occasion=given.notice.occasion,
        outcome=DeliveryOutcome.FAILED if ended else said.outcome if said else DeliveryOutcome.PENDING,
        attempts=said.attempts if said else 0,
        detail=ended or (said.detail if said else None),
        as_of=said.as_of if said and not ended else state.last_updated_at.replace(tzinfo=UTC),
        next_attempt_at=said.next_attempt_at if said and not ended else None,
    )


def _position(state: OrchestrationState, given: Delivery, view: MonitorView) -> int | None:
    positions = range(len(view.request.on_verdict)) if view.request else ()
    return next((one for one in positions if delivery_id(given, one) == state.instance_id), None)


def _ended_from_outside(state: OrchestrationState) -> str | None:
    """Why a delivery is over without a word of its own."""
    if state.runtime_status is OrchestrationStatus.TERMINATED:
        return "terminated from outside"
    if state.runtime_status is not OrchestrationStatus.FAILED:
        return None
    details = state.failure_details
    why = " ".join(f"{details.error_type}: {details.message}".split()) if details else "for no known reason"
    return f"its orchestration failed, which is a defect of Durable Monitor: {why}"
