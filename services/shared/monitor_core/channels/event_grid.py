"""The kind `event_grid`: a CloudEvent published to a topic of Azure Event Grid."""

from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from monitor_core.channels.base import ChannelSpec
from monitor_core.kinds.http_fields import Url
from monitor_core.kinds.secret import SecretReference


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or "?" in url or "#" in url:
        raise ValueError("should be https://NAME.REGION-1.eventgrid.azure.net/api/events, with nothing after it")
    return url


class EventGridChannel(ChannelSpec):
    """A CloudEvent published to a custom topic of Azure Event Grid, or to a topic of a domain.

    The input schema of the topic, or of the domain, has to be CloudEvents v1.0. The worker publishes as its own
    identity, which needs the role EventGrid Data Sender there, unless `key` names an access key. Where the
    endpoint is none of `*.eventgrid.azure.net`, the worker's MONITOR_ALLOWED_AUDIENCES has to name it:
    `https://eventgrid.azure.net=https://HOST`.
    """

    needs = "azure-eventgrid"
    example = MappingProxyType(
        {
            "to": {
                "kind": "event_grid",
                "endpoint": "https://monitors.westeurope-1.eventgrid.azure.net/api/events",
            },
            "verdicts": ["Completed", "Failed", "Timeout"],
        }
    )

    kind: Literal["event_grid"] = "event_grid"
    endpoint: Annotated[Url, AfterValidator(_endpoint)] = Field(
        description="The topic's, or the domain's: https://NAME.REGION-1.eventgrid.azure.net/api/events."
    )
    topic: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,128}$",
        description="The domain's topic; none for a custom topic. Event Grid takes it as the event's source, "
        "in place of the task hub.",
    )
    key: SecretReference | None = Field(
        None, description="Names the secret that holds an access key of the topic, or of the domain."
    )
