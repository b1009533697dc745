"""The kind `smtp`: a mail."""

import re
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from monitor_core.channels.base import ChannelSpec
from monitor_core.channels.templates import Template
from monitor_core.kinds.host import Host, Port
from monitor_core.kinds.secret import SecretReference

_PORTS: Final = {"implicit": 465, "starttls": 587, "none": 25}
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAILBOX: Final = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")


def _mailbox(address: str) -> str:
    """The address itself.

    Raises:
        ValueError: it is none, or more than one.
    """
    if not _MAILBOX.fullmatch(address):
        raise ValueError("should be one address alone, in ASCII: someone@example.com")
    return address


Mailbox = Annotated[str, Field(max_length=254), AfterValidator(_mailbox)]


class SmtpChannel(ChannelSpec):
    """A mail.

    It is handed to one server, a relay that passes it on, over TLS with the server's certificate verified. Plain
    text and HTML say the same. A mail that is sent again, because nobody knows whether it arrived, has the same
    `Message-ID`; all mails of a run have the same `References`.

    A recipient whom the server refuses for good makes the delivery fail; the others have the mail by then. Where
    it refuses one for the moment, the mail is sent again, to all of them: name that one in an item of its own.
    """

    example = MappingProxyType(
        {
            "to": {
                "kind": "smtp",
                "host": "smtp.azurecomm.net",
                "username": "orders-monitor",
                "password": "env:MONITOR_SECRET_SMTP",
                "sender": "monitor@example.com",
                "recipients": ["on-call@example.com"],
                "subject": "[{{ labels.team or 'no team' }}] {{ headline }}",
            },
            "verdicts": ["Failed", "Timeout", "Error"],
        }
    )

    kind: Literal["smtp"] = "smtp"
    host: Host
    port: Port | None = Field(None, description="Unless it is 587 with starttls, 465 with implicit, 25 with none.")
    tls: Literal["starttls", "implicit", "none"] = Field(
        "starttls",
        description="starttls: asked for before anything is said; implicit: from the first byte; none: in "
        "clear, and never with a password.",
    )
    username: Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")] | None = Field(
        None, description="Who sends, for a server that asks."
    )
    password: SecretReference | None = Field(
        None, description="Names the secret that holds the password; it may be sent to smtp://HOST:PORT."
    )
    sender: Mailbox = Field(description="The address that the mail is from.")
    recipients: tuple[Mailbox, ...] = Field(min_length=1, max_length=20, description="The addresses it goes to.")
    subject: Template = Field("{{ headline }}", description="A template for the subject.")
    text: Template = Field("{{ why }}", description="A template for what stands above the figures.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password should be given both, or neither")
        if self.password and self.tls == "none":
            raise ValueError("a password is sent over TLS alone: tls should be starttls or implicit")
        return self

    @property
    def server_port(self) -> int:
        """The port to connect to."""
        return self.port or _PORTS[self.tls]
