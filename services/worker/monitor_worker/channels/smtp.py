"""The kind `smtp`: one connection, one mail to all recipients; then the connection is closed."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiosmtplib as smtp

from monitor_core.channels.smtp import SmtpChannel
from monitor_core.contract import ErrorClass, Notice
from monitor_worker.channels.base import CheckFailed, DeliveryContext, Resources
from monitor_worker.channels.smtp_errors import FAILURES, failed, refused, reply
from monitor_worker.channels.smtp_mail import mail
from monitor_worker.channels.wording import told
from monitor_worker.checks.addresses import show
from monitor_worker.checks.dialling import Addresses, attempts, connect_to, permitted
from monitor_worker.checks.origins import Origin

# The server's silence is told in words; the caller only cuts the attempt off.
_SHARE: Final = 0.9
_GOODBYE_SECONDS: Final = 1.0


class SmtpDriver:
    """Delivers by the kind `smtp`; it keeps no connection.

    Args:
        resources: the guard and the secrets.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
    """

    def __init__(self, resources: Resources, tls: ssl.SSLContext | None = None) -> None:
        self._guard, self._secrets = resources.guard, resources.secrets
        self._tls = tls or ssl.create_default_context()

    async def deliver(self, spec: SmtpChannel, notice: Notice, context: DeliveryContext) -> str:
        """Hand over one mail.

        Returns:
            What the server said: `SMTP 250 2.0.0 queued as 4711`.

        Raises:
            CheckFailed: there is no mail, the server did not take it, or not for all.
        """
        deadline = asyncio.get_running_loop().time() + context.timeout_seconds * _SHARE
        message = mail(spec, notice, told(notice, context, spec.subject, spec.text)).as_bytes()
        password = await self._password(spec)
        addresses = await permitted(self._guard, spec.host, spec.server_port, deadline)
        try:
            async with self._connection(spec, addresses, deadline) as server:
                async with asyncio.timeout_at(deadline):
                    await self._introduce(server, spec, password)
                    said = await self._hand_over(server, spec, message)
                await _say_goodbye(server)
        except FAILURES as error:
            # Not chained: aiosmtplib's errors hold what the server said.
            raise failed(error, _target(spec), self._secrets.masker) from None
        return f"SMTP {said}"

    async def close(self) -> None:
        """There is nothing to close."""

    async def _password(self, spec: SmtpChannel) -> str | None:
        if spec.password is None:
            return None
        origin = Origin("smtp", spec.host.lower().rstrip("."), spec.server_port)
        password = await self._secrets.get(spec.password, origin)
        # As AUTH PLAIN says it: a server may repeat the line that it does not like.
        self._secrets.masker.add(f"\0{spec.username}\0{password}")
        return password

    @asynccontextmanager
    async def _connection(
        self, spec: SmtpChannel, addresses: Addresses, deadline: float
    ) -> AsyncIterator[smtp.SMTP]:
        server = smtp.SMTP(
            hostname=spec.host.rstrip("."),
            use_tls=spec.tls == "implicit",
            start_tls=False,  # asked for below, where a server without it can be told from others
            tls_context=self._tls,
            timeout=None,
        )
        connected = await _connected(addresses, spec.server_port, deadline)
        try:
            async with asyncio.timeout_at(deadline):
                await server.connect(sock=connected, local_hostname=_myself(connected))
            yield server
        finally:
            # By itself it would wait half a minute for TLS's goodbye.
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    async def _introduce(self, server: smtp.SMTP, spec: SmtpChannel, password: str | None) -> None:
        await server.ehlo()
        if spec.tls == "starttls":
            if not server.supports_extension("starttls"):
                raise _misconfigured(spec, "offers no STARTTLS: set tls to implicit, if it has that")
            await server.starttls()
            await server.ehlo()
        if spec.username is not None and password is not None:
            if not server.supports_extension("auth"):
                raise _misconfigured(spec, "asks for no user name and password: leave them out")
            await server.login(spec.username, password)

    async def _hand_over(self, server: smtp.SMTP, spec: SmtpChannel, message: bytes) -> str:
        await server.mail(spec.sender)
        errors: list[smtp.SMTPRecipientRefused] = []
        for recipient in spec.recipients:
            try:
                await server.rcpt(recipient)
            except smtp.SMTPRecipientRefused as error:
                errors.append(error)
        mask, of = self._secrets.masker, len(spec.recipients)
        if len(errors) < of:
            code, text = await server.data(message)
        if errors:
            raise refused(errors, of, _target(spec), mask)
        return reply(code, text, mask)


async def _connected(addresses: Addresses, port: int, deadline: float) -> socket.socket:
    last: OSError = TimeoutError()
    for family, address, until in attempts(addresses, deadline):
        try:
            async with asyncio.timeout_at(until):
                return await connect_to(family, address, port)
        except OSError as error:
            last = error
    raise last


async def _say_goodbye(server: smtp.SMTP) -> None:
    # The mail is taken by now, whatever becomes of the connection.
    with suppress(smtp.SMTPException, OSError):
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await server.quit()


def _myself(connected: socket.socket) -> str:
    """The worker's own address as EHLO takes it: its name is nobody's business, and looking it up could block."""
    address = connected.getsockname()[0].partition("%")[0]
    return f"[IPv6:{address}]" if connected.family is socket.AF_INET6 else f"[{address}]"


def _target(spec: SmtpChannel) -> str:
    return show(spec.host, spec.server_port)


def _misconfigured(spec: SmtpChannel, reason: str) -> CheckFailed:
    return CheckFailed(ErrorClass.MISCONFIGURED, f"{_target(spec)} {reason}")


def create(resources: Resources) -> SmtpDriver:
    """The driver of the kind `smtp`."""
    return SmtpDriver(resources)
