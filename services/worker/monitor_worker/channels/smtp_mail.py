"""The mail that tells a notice: plain text, the same as HTML, and headers by which a repeat is known."""

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment

from monitor_core.channels.smtp import SmtpChannel
from monitor_core.contract import Notice
from monitor_worker.channels.wording import Told, Tone

# 7 bit: a relay on the way may take nothing else.
_POLICY: Final = SMTP.clone(cte_type="7bit")
_COLOURS: Final = {Tone.GOOD: "#107c10", Tone.BAD: "#c50f1f", Tone.DOUBTFUL: "#8a5a00", Tone.PLAIN: "#0f548c"}
_PAGE: Final = Environment(autoescape=True, trim_blocks=True).from_string(
    Path(__file__).with_name("mail.html").read_text()
)


def mail(spec: SmtpChannel, notice: Notice, told: Told) -> EmailMessage:
    """The mail; it says the same each time it is made of the same notice."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address("Durable Monitor", addr_spec=spec.sender)
    message["To"] = ", ".join(spec.recipients)
    message["Subject"] = told.title
    message["Date"] = format_datetime(notice.at)
    message["Message-ID"] = _id(notice.id, spec)
    message["References"] = _id(f"{notice.instance_id}:{notice.run}", spec)
    message["Auto-Submitted"] = "auto-generated"
    # What keeps Exchange from answering that someone is out of office.
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_plain(told))
    message.add_alternative(_PAGE.render(told=told, colour=_COLOURS[told.tone]), subtype="html")
    return message


def _plain(told: Told) -> str:
    facts = "\n".join(f"{fact.name}: {fact.value}" for fact in told.facts)
    link = f"Open the monitor: {told.page}" if told.page else ""
    return "\n\n".join(part for part in (told.title, told.text, link, facts) if part) + "\n"


def _id(what: str, spec: SmtpChannel) -> str:
    return f"<{_digest(what)}@{spec.sender.rpartition('@')[2]}>"


def _digest(what: str) -> str:
    return hashlib.sha256(what.encode()).hexdigest()[:40]
