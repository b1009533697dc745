"""A delivery as its client sees it."""

from pydantic import Field

from monitor_core.contract import DeliveryOutcome, Model, Occasion, Utc


class DeliveryView(Model):
    """One notice of a monitor by one channel."""

    id: str = Field(description="The notice's: every attempt carries it.")
    position: int | None = Field(
        description="Of the channel in the request's `on_verdict`, from 0; null where that is not known."
    )
    kind: str = Field(description="Of channel.")
    occasion: Occasion
    outcome: DeliveryOutcome = Field(description="pending: not taken yet, and tried again.")
    attempts: int = Field(description="Until now.")
    detail: str | None = Field(
        description="What the receiver said, or what went wrong; null before the first attempt."
    )
    as_of: Utc
    next_attempt_at: Utc | None = Field(None, description="Null where none is to come, or the first is to come.")
