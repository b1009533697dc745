"""The kind `service_bus`: a message to a queue or topic of Azure Service Bus."""

from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from monitor_core.channels.base import ChannelSpec
from monitor_core.kinds.host import Host, Port

Entity = Annotated[str, Field(max_length=260, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9_])?$")]


class ServiceBusChannel(ChannelSpec):
    """A message to a queue or topic of Azure Service Bus: a CloudEvent as JSON.

    Its message id is the notice's, so that a queue or topic with duplicate detection takes each notice once. Its
    session id is one for each monitor. Filters of subscriptions find `occasion`, `status`, `job_id` and `kind` (of
    the check) among its application properties.

    The worker sends as its own identity, which needs the role Azure Service Bus Data Sender there. Where the
    namespace is none of `*.servicebus.windows.net`, the worker's MONITOR_ALLOWED_AUDIENCES has to name it:
    `https://servicebus.azure.net=amqps://HOST`.
    """

    needs = "azure-servicebus"
    example = MappingProxyType(
        {
            "to": {"kind": "service_bus", "namespace": "shop.servicebus.windows.net", "queue": "verdicts"},
            "verdicts": ["Completed", "Failed", "Timeout"],
        }
    )

    kind: Literal["service_bus"] = "service_bus"
    namespace: Host = Field(description="Its host, fully qualified: NAME.servicebus.windows.net.")
    queue: Entity | None = Field(None, description="The queue to send to.")
    topic: Entity | None = Field(None, description="Instead of queue: the topic to send to.")
    port: Port = Field(5671, description="5671 is that of AMQP over TLS.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.queue is None) == (self.topic is None):
            raise ValueError("should have queue or topic, exactly one of them")
        return self
