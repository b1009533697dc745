"""The kind `tcp`: one connection, perhaps a TLS handshake, perhaps a banner; then it is closed."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from monitor_core.kinds.tcp import TcpCheck
from monitor_worker.checks.addresses import show
from monitor_worker.checks.base import CheckContext, Observation, Resources
from monitor_worker.checks.certificates import days_until, expiry
from monitor_worker.checks.dialling import Addresses, attempts, connect_to, permitted
from monitor_worker.checks.http_body import storable
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tcp_errors import Seen, Step, seen

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class TcpDriver:
    """Makes the checks of the kind `tcp`; it keeps no connection.

    Args:
        guard: decides which targets may be reached.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        now: the time as seconds since 1970 in UTC, to count a certificate's days from.
    """

    def __init__(
        self, guard: TargetGuard, tls: ssl.SSLContext | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._guard, self._tls, self._now = guard, tls or ssl.create_default_context(), now

    async def check(self, spec: TcpCheck, context: CheckContext) -> Observation:
        """Connect once, to each permitted address in turn until one takes it.

        Raises:
            CheckFailed: the target is denied, or cannot be resolved, or the worker lacks what a connection takes.
        """
        started = asyncio.get_running_loop().time()
        deadline = started + context.looking_seconds
        addresses = await permitted(self._guard, spec.host, spec.port, deadline)
        connected = await _connect(addresses, spec.port, deadline)
        if not isinstance(connected, socket.socket):
            return _observation(spec, seen(Step.CONNECTING, connected, show(spec.host, spec.port)))
        latency = (asyncio.get_running_loop().time() - started) * 1000
        return await self._look(spec, connected, latency, deadline)

    async def close(self) -> None:
        """There is nothing to close."""

    async def _look(
        self, spec: TcpCheck, connected: socket.socket, latency: float, deadline: float
    ) -> Observation:
        found: dict[str, Any] = {"connected": True, "latency_ms": latency}
        try:
            reader, writer = await self._open(spec, connected, deadline)
        except OSError as error:
            return _observation(spec, seen(Step.HANDSHAKE, [error], show(spec.host, spec.port)), found)
        try:
            found |= self._certified(writer)
            found |= await _banner(reader, spec.banner_bytes, deadline)
        finally:
            await _hang_up(writer)
        return _observation(spec, Seen("Connected", _summary(found)), found)

    async def _open(self, spec: TcpCheck, connected: socket.socket, deadline: float) -> Streams:
        if not spec.tls:
            return await asyncio.open_connection(sock=connected)
        name = spec.host.rstrip(".")
        async with asyncio.timeout_at(deadline):
            return await asyncio.open_connection(sock=connected, ssl=self._tls, server_hostname=name)

    def _certified(self, writer: asyncio.StreamWriter) -> dict[str, Any]:
        tls = writer.get_extra_info("ssl_object")
        if tls is None:
            return {}
        days = days_until(expiry(tls.getpeercert()), self._now())
        return {"tls_verified": True, "tls_version": tls.version(), "certificate_days_left": days}


async def _connect(addresses: Addresses, port: int, deadline: float) -> socket.socket | list[Exception]:
    """The first connection that is taken, or why each was not."""
    errors: list[Exception] = []
    for family, address, until in attempts(addresses, deadline):
        try:
            async with asyncio.timeout_at(until):
                return await connect_to(family, address, port)
        except OSError as error:
            errors.append(error)
    return errors


async def _banner(reader: asyncio.StreamReader, size: int, deadline: float) -> dict[str, Any]:
    said = bytearray()
    # However it ends, by the time or by a connection that breaks: what was said until then was said.
    with suppress(OSError):
        async with asyncio.timeout_at(deadline):
            while len(said) < size and b"\n" not in said:
                piece = await reader.read(size - len(said))
                if not piece:
                    break
                said += piece
    return {"has_banner": True, "banner": storable(said.decode(errors="replace"))} if said else {}


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()  # sends TLS's goodbye
    writer.transport.abort()  # and waits for no other: that may never come, and the check's time is short
    with suppress(OSError):
        await writer.wait_closed()


def _observation(spec: TcpCheck, what: Seen, found: dict[str, Any] | None = None) -> Observation:
    always = {"connected": False, "tls": spec.tls, "tls_verified": False, "has_banner": False}
    return Observation(status=what.status, variables=always | (found or {}), summary=what.summary)


def _summary(found: dict[str, Any]) -> str:
    parts = [f"connected in {found['latency_ms']:.0f} ms"]
    if "tls_version" in found:
        parts.append(
            f"{found['tls_version']}, the certificate is good for {found['certificate_days_left']:.1f} days"
        )
    if "banner" in found:
        parts.append(f"a banner of {len(found['banner'])} characters")
    return ", ".join(parts)


def create(resources: Resources) -> TcpDriver:
    """The driver of the kind `tcp`."""
    return TcpDriver(resources.guard)
