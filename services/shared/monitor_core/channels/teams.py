"""The kind `teams`: a card in a chat or channel of Microsoft Teams."""

from types import MappingProxyType
from typing import Literal

from pydantic import Field

from monitor_core.channels.posted import PostedSpec
from monitor_core.channels.templates import Template


class TeamsChannel(PostedSpec):
    """A card in a chat or channel of Microsoft Teams.

    Add the workflow "Send webhook alerts to a channel" (or "... to a chat") in Teams, whose trigger is "When a
    Teams webhook request is received", and give its URL by `url_secret`: who has the URL may post. The card says
    the verdict in its colour, then why, then the figures and labels, with a button to the monitor's page.

    Values are shown as they are, never as Markdown; `title` and `text` are plain text too.
    """

    example = MappingProxyType(
        {
            "to": {"kind": "teams", "url_secret": "env:MONITOR_SECRET_TEAMS_URL"},
            "verdicts": ["Failed", "Timeout", "Error"],
        }
    )

    kind: Literal["teams"] = "teams"
    title: Template = Field("{{ headline }}", description="A template for the card's title.")
    text: Template = Field("{{ why }}", description="A template for what stands above the figures.")
