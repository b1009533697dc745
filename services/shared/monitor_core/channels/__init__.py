"""The built-in kinds of channel by which a verdict is told: one pure spec each.

A new kind is a module here and a driver of the same name in monitor_worker.channels.
"""

from typing import Final

from monitor_core.channels.base import Channels, ChannelSpec
from monitor_core.channels.event_grid import EventGridChannel
from monitor_core.channels.service_bus import ServiceBusChannel
from monitor_core.channels.slack import SlackChannel
from monitor_core.channels.smtp import SmtpChannel
from monitor_core.channels.teams import TeamsChannel
from monitor_core.channels.webhook import WebhookChannel

BUILT_IN: Final[Channels] = {
    "event_grid": EventGridChannel,
    "service_bus": ServiceBusChannel,
    "slack": SlackChannel,
    "smtp": SmtpChannel,
    "teams": TeamsChannel,
    "webhook": WebhookChannel,
}

__all__ = [
    "BUILT_IN",
    "ChannelSpec",
    "Channels",
    "EventGridChannel",
    "ServiceBusChannel",
    "SlackChannel",
    "SmtpChannel",
    "TeamsChannel",
    "WebhookChannel",
]
