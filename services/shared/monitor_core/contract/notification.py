"""Who is told of a monitor, and how a notice is delivered: an orchestration of its own for each.

`notify` takes a `Delivery`, has attempts made until the notice is taken or that is given up, and shows and returns
a `DeliveryState`. `tell` only starts them: a monitor waits for it, and never for a delivery.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, JsonValue

from monitor_core.contract.base import Model, Utc
from monitor_core.contract.names import VERSION
from monitor_core.contract.notice import Notice, Occasion
from monitor_core.contract.verdict import Verdict

TELL: Final = f"tell-{VERSION}"
"""The orchestrator that starts deliveries."""
NOTIFY: Final = f"notify-{VERSION}"
"""The orchestrator that delivers one notice by one channel."""
DELIVER: Final = f"deliver-{VERSION}"
"""The activity: one attempt."""
MOST_NOTIFICATIONS: Final = 10
_LONGEST_DETAIL: Final = 500


class Notification(Model):
    """Who is told, and when. `to` is validated by its kind's spec: build a request with `parse_request`."""

    to: Mapping[str, JsonValue] = Field(description="The channel: its kind, and that kind's fields.")
    verdicts: tuple[Verdict, ...] = Field(
        tuple(Verdict), description="The verdicts that are told; all unless said otherwise, none for []."
    )
    transitions: bool = Field(False, description="Whether each change of the observed status is told.")
    every_seconds: Annotated[float, Field(strict=True, ge=60, le=366 * 24 * 3600)] | None = Field(
        None, description="A reminder each so many seconds while it waits."
    )
    at_percent: tuple[Annotated[int, Field(ge=1, le=99)], ...] = Field(
        (), max_length=5, description="A reminder when so much of the time to the deadline is over."
    )


class Delivery(Model):
    """The input of `notify`."""

    to: Mapping[str, JsonValue]
    notice: Notice


class DeliveryOutcome(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up: it was refused for good, or too often."""


class Attempt(Model):
    """The input of the activity."""

    delivery: Delivery
    number: int = Field(ge=1)
    last: bool = Field(False, description="Whether it is given up after this one.")


class AttemptReport(Model):
    """The output of the activity: what the receiver said, or what went wrong."""

    outcome: DeliveryOutcome = Field(description="pending: to be tried again.")
    detail: str = Field(max_length=_LONGEST_DETAIL)
    retry_after_seconds: float | None = None


class DeliveryState(Model):
    """The custom status and the output of `notify`."""

    id: str = Field(description="The notice's.")
    kind: str = Field(description="Of channel.")
    occasion: Occasion
    run: str
    outcome: DeliveryOutcome
    attempts: int
    detail: str = Field(max_length=_LONGEST_DETAIL, description="What the receiver said, or what went wrong.")
    as_of: Utc
    next_attempt_at: Utc | None = None


def delivery_prefix(instance_id: str) -> str:
    """What the instance ids of a monitor's deliveries begin with, and no others."""
    return f"notify-{_digest(instance_id, 20)}-"


def delivery_id(delivery: Delivery, position: int) -> str:
    """The instance id of a delivery: the same whoever starts it, so that it is started once.

    Args:
        delivery: what is delivered.
        position: of its notification in the request.
    """
    return delivery_prefix(delivery.notice.instance_id) + _digest(f"{delivery.notice.id}#{position}", 32)


def telling_id(deliveries: Mapping[str, Delivery]) -> str:
    """The instance id of the `tell` that starts these deliveries, by their instance ids."""
    return f"tell-{_digest(' '.join(sorted(deliveries)), 32)}"


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
