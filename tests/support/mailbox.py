"""A mail server of the tests, on the test's own loop: aiosmtpd, which notes what it takes and answers as planned.

async with serving(Mailbox(answers={"RCPT b@example.com": "550 no such user"}), starttls=context) as box:
    ...  # deliver to 127.0.0.1, box.port
    assert box.mails[0]["Subject"] == "Failed: job-1"
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Mailbox:
    """What came, and what is to be answered.

    Args:
        login: the user name and password that are asked for; None for none.
        answers: to a command (`MAIL`, `DATA`, `AUTH`, or `RCPT` and an address), where not what is usual; under
            `EHLO AUTH` what is said of logins.
    """

    login: tuple[str, str] | None = None
    answers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    hellos: list[str] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    tls_versions: list[str | None] = field(default_factory=list)
    logged_in: list[bool] = field(default_factory=list)

    @property
    def mails(self) -> list[EmailMessage]:
        """What came, the newest last."""
        return [parsed(one) for one in self.envelopes]

    async def handle_EHLO(  # noqa: N802 # aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.hellos.append(hostname)
        # aiosmtpd offers logins over TLS whether or not it asks for one.
        offer = self.answers.get("EHLO AUTH") if self.login else ""
        greeting, *others = [said for said in responses if offer is None or not said.startswith("250-AUTH")]
        return [greeting, *([offer] if offer else []), *others]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(f"RCPT {address}", "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.get("DATA", "250 2.0.0 queued as 4711")
        if answer.startswith("2"):
            self.envelopes.append(envelope)
            tls = server.transport.get_extra_info("ssl_object") if server.transport else None
            self.tls_versions.append(tls and tls.version())
            self.logged_in.append(bool(session.authenticated))
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Whether the user name and the password are the right ones."""
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        if given == self.login:
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=self.answers.get("AUTH"))


def parsed(envelope: Envelope) -> EmailMessage:
    """The mail in an envelope."""
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


@asynccontextmanager
async def serving(
    box: Mailbox | None = None,
    *,
    implicit: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
) -> AsyncIterator[Mailbox]:
    """Serve a mailbox on a free port of 127.0.0.1; in clear, unless there is one of the contexts."""
    served, loop = box or Mailbox(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            served,
            hostname="mail.test",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=served.authenticate if served.login else None,
            auth_required=served.login is not None and implicit is None,  # it knows of STARTTLS alone
            auth_require_tls=implicit is None,
            loop=loop,
        ),
        "127.0.0.1",
        0,
        ssl=implicit,
    )
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        await server.wait_closed()
