"""From a notice to the CloudEvent that tells it: the same one for every channel that carries events."""

from typing import Final
from urllib.parse import quote

from cloudevents.core.v1.event import CloudEvent

from monitor_core.contract import Notice, Occasion
from monitor_worker.channels.base import DeliveryContext

TYPES: Final = {
    Occasion.VERDICT: "DurableMonitor.Verdict",
    Occasion.TRANSITION: "DurableMonitor.Transition",
    Occasion.REMINDER: "DurableMonitor.Reminder",
}
"""The event's type, by what it tells."""


def event(notice: Notice, context: DeliveryContext) -> CloudEvent:
    """The event of a notice (CloudEvents 1.0): the same for each attempt, by which a receiver knows a repeat.

    Args:
        notice: becomes the event's data, as JSON.
        context: says where the monitor runs.
    """
    attributes = {
        "specversion": "1.0",
        "type": TYPES[notice.occasion],
        "source": context.source,
        "subject": f"monitors/{quote(notice.job_id, safe='')}",
        "id": notice.id,
        "time": notice.at,
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, notice.model_dump(mode="json"))
