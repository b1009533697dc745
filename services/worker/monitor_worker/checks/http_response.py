"""What a connection shows, noted before aiohttp lets go of it: that is with an answer's last byte, or its head."""

import time
from typing import ClassVar
from weakref import WeakKeyDictionary

from aiohttp import ClientResponse
from aiohttp.connector import Connection

from monitor_core.contract import ErrorClass
from monitor_worker.checks.certificates import expiry
from monitor_worker.checks.failed import CheckFailed


class Response(ClientResponse):
    """An answer that knows its server's certificate, and ends the connection it came over when that is old.

    A connection keeps the certificate, and the address, that its server had when it was made. One that is used
    again and again would never show that either has changed.
    """

    longest_connection_seconds: ClassVar[float] = 60.0
    """So old a connection may be; it ends with the first answer after that."""
    _made_at: ClassVar[WeakKeyDictionary[object, float]] = WeakKeyDictionary()

    certificate_expires: float | None = None
    """Seconds since 1970 in UTC; None without TLS."""

    async def start(self, connection: Connection) -> ClientResponse:
        """Read the answer's head."""
        transport, protocol = connection.transport, connection.protocol
        if transport is not None and protocol is not None:
            peer = transport.get_extra_info("peercert")
            self.certificate_expires = expiry(peer) if peer else None
            now = time.monotonic()
            if now - self._made_at.setdefault(transport, now) >= self.longest_connection_seconds:
                protocol.force_close()
        return await super().start(connection)


class BoundedResponse(Response):
    """An answer to a client of Azure's SDKs, which would read one without end."""

    largest_bytes: ClassVar[int] = 4 * 1024 * 1024
    """A page of a listing's blobs, with 8 KB of metadata each, is less."""

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            CheckFailed: it is too large.
        """
        if self._body is None:
            content = bytearray()
            async for piece in self.content.iter_any():
                content += piece
                if len(content) > self.largest_bytes:
                    self.close()
                    reason = f"what answers at {self.url.origin()} is no service of Azure: its answer has no end"
                    raise CheckFailed(ErrorClass.PERMANENT, reason)
            self._body = bytes(content)
        return await super().read()
