"""The kind `slack`: a message, posted to an incoming webhook of Slack, Mattermost or Rocket.Chat."""

from typing import Any

from monitor_core.channels.slack import SlackChannel
from monitor_core.contract import Notice
from monitor_worker.channels import slack_message
from monitor_worker.channels.base import DeliveryContext, Resources
from monitor_worker.channels.messages import MessageChannel
from monitor_worker.channels.posting import Poster
from monitor_worker.channels.wording import told


def laid_out(spec: SlackChannel, notice: Notice, context: DeliveryContext) -> dict[str, Any]:
    """What is posted."""
    return slack_message.message(told(notice, context, spec.title, spec.text, slack_message.escaped))


def create(resources: Resources) -> MessageChannel:
    """The driver of the kind `slack`."""
    return MessageChannel(Poster(resources.guard, resources.secrets), laid_out)
