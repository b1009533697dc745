"""What is told of a monitor to people and systems: one notice, the same to every channel."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from monitor_core.contract.base import Model, Utc
from monitor_core.contract.verdict import DecidedBy


class Occasion(StrEnum):
    """Why something is told."""

    VERDICT = "verdict"
    """The monitor has ended."""
    TRANSITION = "transition"
    """The observed status has changed."""
    REMINDER = "reminder"
    """It still waits: after each `every_seconds`, or at a part of its time."""


class Notice(Model):
    """A monitor as of the moment in which something is told of it. No body and no secret is in it."""

    id: str = Field(
        max_length=300, description="The same however often it is delivered: a receiver drops a repeat by it."
    )
    occasion: Occasion = Field(description="Why it is told.")
    at: Utc = Field(description="When it was so; the same however often it is delivered.")
    instance_id: str = Field(description="The monitor's, as the scheduler knows it.")
    job_id: str = Field(description="What is waited for.")
    run: str = Field(description="Of the monitor: a job that is started again has another one.")
    revision: int = Field(description="How many edits the monitor has had.")
    kind: str = Field(description="Of check.")
    status: str = Field(description="Running, or the verdict.")
    decided_by: DecidedBy | None = Field(None, description="Null before the verdict, or where nobody could say.")
    reason: str | None = Field(None, description="Why the verdict fell; null before.")
    observed: str | None = Field(description="The last observed status.")
    summary: str | None = Field(description="The last observation in a line.")
    error: str | None = Field(description="The last check's error; null where it had none.")
    checks_performed: int = Field(description="Until then.")
    started_at: Utc = Field(description="When the monitor began.")
    deadline: Utc = Field(description="When its time is out.")
    elapsed_seconds: float = Field(description="From the start of the monitor.")
    elapsed_percent: float = Field(description="Of the time from the start to the deadline.")
    labels: Mapping[str, str] = Field({}, description="The request's.")
