"""A sender of Azure's SDK that connects where the guard says, and leaves nothing behind.

The SDK opens its socket by itself. So it is told the very address to connect to, as its custom endpoint, and given
a TLS context that verifies the certificate for the namespace's name all the same. It takes no proxy, repeats
nothing, follows no redirect, and gets no token by itself. This module alone knows of the SDK's private parts.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Any, Final

from azure.core.credentials import AccessToken
from azure.servicebus import ServiceBusMessage, TransportType
from azure.servicebus.aio import ServiceBusSender

from monitor_core.channels.service_bus import ServiceBusChannel
from monitor_worker.channels.known_token import KnownToken
from monitor_worker.checks.addresses import show

_GOODBYE_SECONDS: Final = 1.0
_OPTIONS: Final[dict[str, Any]] = {
    "transport_type": TransportType.Amqp,
    "retry_total": 0,
    # Else a task of the SDK's own, which its `close` waits a second for.
    "keep_alive": 0,
}


class _ForHost(ssl.SSLContext):
    """Verifies a server for one name, whatever address the SDK connects to.

    Args:
        trusted: what the server is verified with.
        host: its name.
    """

    def __new__(cls, trusted: ssl.SSLContext, host: str) -> "_ForHost":
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, trusted: ssl.SSLContext, host: str) -> None:
        self._trusted, self._host = trusted, host

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *_: Any, **__: Any) -> ssl.SSLObject:
        """TLS over a connection."""
        return self._trusted.wrap_bio(incoming, outgoing, server_hostname=self._host)


class _Sender(ServiceBusSender):
    """The SDK's sender, whose connection can be cut: its own `close` forgets one that is only half made."""

    _client: Any = None

    def _create_handler(self, auth: Any) -> None:
        super()._create_handler(auth)
        self._client = self._handler

    def transport(self) -> asyncio.WriteTransport | None:
        """Of the socket; None before there is one."""
        connection = getattr(self._client, "_connection", None)
        writer: asyncio.StreamWriter | None = getattr(getattr(connection, "_transport", None), "writer", None)
        return writer.transport if writer is not None else None


class GuardedSender:
    """Sends to one queue or topic over one connection, one message at a time.

    Args:
        spec: where to.
        address: of the namespace, which the guard has permitted.
        token: who sends.
        trusted: what the server is verified with.
    """

    def __init__(self, spec: ServiceBusChannel, address: str, token: AccessToken, trusted: ssl.SSLContext) -> None:
        host = spec.namespace.rstrip(".")
        self._sender = _Sender(
            f"[{host}]" if ":" in host else host,
            KnownToken(token),
            queue_name=spec.queue,
            topic_name=spec.topic,
            custom_endpoint_address=f"sb://{show(address, spec.port)}",
            ssl_context=_ForHost(trusted, host),
            **_OPTIONS,
        )

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed the connection."""
        transport = self._sender.transport()
        return transport is not None and not transport.is_closing()

    async def open(self) -> None:
        """Connect, say who sends, and link to the queue or topic.

        Raises:
            ServiceBusError: what went wrong.
        """
        try:
            await self._sender.__aenter__()
        except BaseException:
            self.cut()
            raise

    async def send(self, message: ServiceBusMessage) -> None:
        """Send a message, and wait until it is accepted.

        Raises:
            ServiceBusError: it was not. Cut the connection then.
        """
        await self._sender.send_messages(message)

    async def close(self) -> None:
        """Take leave, and close the connection."""
        try:
            with suppress(Exception):  # the connection is cut all the same
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await self._sender.close()
        finally:
            self.cut()

    def cut(self) -> None:
        """Close the connection at once."""
        if (transport := self._sender.transport()) is not None:
            transport.abort()
