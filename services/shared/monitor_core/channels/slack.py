"""The kind `slack`: a message in a channel of Slack, or of what takes Slack's incoming webhooks."""

from types import MappingProxyType
from typing import Literal

from pydantic import Field

from monitor_core.channels.posted import PostedSpec
from monitor_core.channels.templates import Template


class SlackChannel(PostedSpec):
    """A message in a channel of Slack, Mattermost or Rocket.Chat, by an incoming webhook.

    Give its URL by `url_secret`: who has the URL may post. Slack shows the message's blocks; Mattermost and
    Rocket.Chat, which know none, its text, which says the same.

    `title` is plain text. `text` is Slack's mrkdwn, `*bold*` say; the values in it are escaped, so that no answer
    of a target and no label calls anyone. What the template itself says is left as it is: `<!here>` there calls
    all who are there.
    """

    example = MappingProxyType(
        {
            "to": {
                "kind": "slack",
                "url_secret": "env:MONITOR_SECRET_SLACK_URL",
                "text": "*{{ labels.team or 'nobody' }}*: {{ why }}",
            },
            "verdicts": ["Failed", "Timeout", "Error"],
        }
    )

    kind: Literal["slack"] = "slack"
    title: Template = Field("{{ headline }}", description="A template for the message's title.")
    text: Template = Field("{{ why }}", description="A template for what stands above the figures.")
