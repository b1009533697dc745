"""The kind `service_bus`: a notice as one message, sent once it is accepted."""

import asyncio
import hashlib
import ssl
from functools import cache
from typing import Final

from azure.servicebus import ServiceBusMessage
from azure.servicebus.exceptions import ServiceBusConnectionError
from cloudevents.core.bindings.amqp import to_structured_event

from monitor_core.channels.service_bus import ServiceBusChannel
from monitor_core.contract import Notice
from monitor_worker.channels.base import DeliveryContext, Resources
from monitor_worker.channels.events import event
from monitor_worker.channels.service_bus_errors import CAUGHT, check_failed, named
from monitor_worker.channels.service_bus_sender import GuardedSender
from monitor_worker.channels.service_bus_senders import Place, Senders
from monitor_worker.checks.addresses import show
from monitor_worker.checks.dialling import attempts, permitted
from monitor_worker.checks.origins import Origin

_AUDIENCE: Final = "https://servicebus.azure.net"
_LONGEST_ID: Final = 128
_OPENING_SHARE: Final = 0.9


class ServiceBusDriver:
    """Delivers by the kind `service_bus`; it keeps a connection for a minute.

    Args:
        resources: the guard and tokens.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
    """

    def __init__(self, resources: Resources, tls: ssl.SSLContext | None = None) -> None:
        self._guard, self._tokens = resources.guard, resources.tokens
        self._tls, self._senders = tls or _trusted(), Senders()

    async def deliver(self, spec: ServiceBusChannel, notice: Notice, context: DeliveryContext) -> str:
        """Send a notice once. The caller cancels it at the context's timeout.

        Returns:
            What took it: `accepted by queue verdicts`.

        Raises:
            CheckFailed: it was not accepted, or the worker may not say who it is.
        """
        message = _message(notice, context)
        place = Place(spec.namespace.lower(), spec.port, spec.queue, spec.topic)
        try:
            async with self._senders.lent(place, lambda: self._opened(spec, context)) as sender:
                await sender.send(message)
        except CAUGHT as error:
            # Not chained: what a server says may repeat what it was sent.
            raise check_failed(error, spec) from None
        return f"accepted by {named(spec)}"

    async def close(self) -> None:
        """Close every connection. Nothing is delivered from then on."""
        await self._senders.close()

    async def _opened(self, spec: ServiceBusChannel, context: DeliveryContext) -> GuardedSender:
        deadline = asyncio.get_running_loop().time() + context.timeout_seconds * _OPENING_SHARE
        addresses = await permitted(self._guard, spec.namespace, spec.port, deadline)
        origin = Origin.parse(f"amqps://{show(spec.namespace, spec.port)}")
        token = await self._tokens.access_token(_AUDIENCE, origin)
        last: Exception = TimeoutError()
        for _, address, until in attempts(addresses, deadline):
            sender = GuardedSender(spec, address, token, self._tls)
            try:
                async with asyncio.timeout_at(until):
                    await sender.open()
                    return sender
            except (ServiceBusConnectionError, TimeoutError) as error:
                last = error
        raise last


@cache
def _trusted() -> ssl.SSLContext:
    # Reading the machine's certificates takes 30 ms.
    return ssl.create_default_context()


def _message(notice: Notice, context: DeliveryContext) -> ServiceBusMessage:
    told = event(notice, context)
    structured = to_structured_event(told)
    return ServiceBusMessage(
        structured.application_data,
        message_id=_short(notice.id),
        session_id=notice.instance_id,
        subject=told.get_subject(),
        content_type=structured.properties["content-type"],
        application_properties={
            "occasion": notice.occasion.value,
            "status": notice.status,
            "job_id": notice.job_id,
            "kind": notice.kind,
        },
    )


def _short(text: str) -> str:
    """The text, or its SHA-256 where Service Bus takes none so long."""
    return text if len(text) <= _LONGEST_ID else hashlib.sha256(text.encode()).hexdigest()


def create(resources: Resources) -> ServiceBusDriver:
    """The driver of the kind `service_bus`."""
    return ServiceBusDriver(resources)
