"""What a channel's driver is: an object with an async `deliver(spec, notice, context) -> str`."""

from dataclasses import dataclass
from typing import Any, Protocol

from monitor_core.contract import Notice
from monitor_worker.checks.base import Resources
from monitor_worker.checks.failed import CheckFailed

__all__ = ["Channel", "ChannelModule", "CheckFailed", "DeliveryContext", "Resources"]


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """One attempt to deliver a notice.

    Args:
        instance_id: the orchestration that delivers.
        request_id: the same for an attempt that is made again because its worker died.
        number: of this attempt, counted from 1.
        timeout_seconds: after this long the attempt is cancelled.
        source: where the monitor runs, as a URI reference: the task hub (`/taskhubs/default`).
        page: the monitor's page, for a person; None where the worker is not told of one.
    """

    instance_id: str
    request_id: str
    number: int
    timeout_seconds: float
    source: str
    page: str | None = None


class Channel(Protocol):
    """Delivers by one kind of channel. One object serves all monitors, on the worker's one event loop."""

    async def deliver(self, spec: Any, notice: Notice, context: DeliveryContext) -> str:
        """Deliver a notice. It may be delivered again: at least once is the promise.

        Args:
            spec: an instance of the kind's spec class.
            notice: what is told.
            context: this attempt.

        Returns:
            What the receiver said, in a word or two (`HTTP 204`), with no secret in it.

        Raises:
            CheckFailed: it was not taken. Transient is tried again, not before `retry_after_seconds`; permanent
                (410, say) and misconfigured are final. Any other exception counts as a bug of the driver, and is
                tried again.
        """
        ...

    async def close(self) -> None:
        """Release what the driver holds; called once, on the loop."""
        ...


class ChannelModule(Protocol):
    """A module `monitor_worker.channels.<kind>`."""

    def create(self, resources: Resources) -> Channel:
        """The kind's driver."""
        ...
