"""The kind `teams`: a card, posted to a workflow of Teams."""

from typing import Any

from monitor_core.channels.teams import TeamsChannel
from monitor_core.contract import Notice
from monitor_worker.channels import teams_card
from monitor_worker.channels.base import DeliveryContext, Resources
from monitor_worker.channels.messages import MessageChannel
from monitor_worker.channels.posting import Poster
from monitor_worker.channels.wording import told


def laid_out(spec: TeamsChannel, notice: Notice, context: DeliveryContext) -> dict[str, Any]:
    """What is posted."""
    return teams_card.message(told(notice, context, spec.title, spec.text))


def create(resources: Resources) -> MessageChannel:
    """The driver of the kind `teams`."""
    return MessageChannel(Poster(resources.guard, resources.secrets), laid_out)
