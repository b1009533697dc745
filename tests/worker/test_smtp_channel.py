"""The kind `smtp` against a real mail server: what a mail says, over TLS, and how it is not taken."""

import asyncio
import base64
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from email.message import EmailMessage
from typing import Any, Final

import pytest

from monitor_core.channels import SmtpChannel
from monitor_core.contract import ErrorClass, Notice
from monitor_worker.channels.base import CheckFailed, DeliveryContext, Resources
from monitor_worker.channels.smtp import SmtpDriver, create
from monitor_worker.checks.masking import HIDDEN
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from support import hostile, tls
from support.mailbox import Mailbox, serving
from support.notices import AT, PAGE, attempt, notice, reminder

PASSWORD: Final = "pl4nted-s3cret"
REFERENCE: Final = "env:MONITOR_SECRET_SMTP"
LOGIN: Final[dict[str, Any]] = {"username": "me", "password": REFERENCE}
TO: Final = {"host": "localhost", "tls": "none", "sender": "m@example.com", "recipients": ["a@example.com"]}
MODES: Final = ("none", "starttls", "implicit")


def spec(port: int, **fields: Any) -> SmtpChannel:
    return SmtpChannel.model_validate({**TO, "port": port, **fields})


def resources(port: int, *, sent_to: str | None = None) -> Resources:
    """What reaches a port of this machine, and may send the password there, or elsewhere."""
    secrets = Secrets(
        Allowed([f"{REFERENCE}={sent_to or f'smtp://localhost:{port}'}"]), {"MONITOR_SECRET_SMTP": PASSWORD}
    )
    return Resources(
        TargetGuard([f"localhost:{port}", f"127.0.0.1:{port}"], resolve=hostile.resolving("127.0.0.1")), secrets
    )


async def deliver(
    port: int, of: Notice | None = None, context: DeliveryContext | None = None, **fields: Any
) -> str:
    driver = SmtpDriver(resources(port), tls.client_context())
    return await driver.deliver(spec(port, **fields), of or notice(), context or attempt())


async def delivered(of: Notice | None = None, **fields: Any) -> EmailMessage:
    async with serving() as box:
        await deliver(box.port, of, **fields)
    return box.mails[0]


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


async def refusal(port: int, **fields: Any) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        await deliver(port, **fields)
    assert PASSWORD not in str(failed.value)
    assert failed.value.__cause__ is None
    return failed.value


def contexts(mode: str, *names: str) -> dict[str, Any]:
    return {} if mode == "none" else {mode: tls.server_context(*names)}


# What a mail says.


async def test_the_example_is_delivered() -> None:
    box = Mailbox(login=("orders-monitor", PASSWORD))
    async with serving(box, starttls=tls.server_context("smtp.azurecomm.net")):
        secrets = Secrets(
            Allowed([f"{REFERENCE}=smtp://smtp.azurecomm.net:{box.port}"]), {"MONITOR_SECRET_SMTP": PASSWORD}
        )
        guard = TargetGuard(["127.0.0.1:*", "smtp.azurecomm.net:*"], resolve=hostile.resolving("127.0.0.1"))
        driver = SmtpDriver(Resources(guard, secrets), tls.client_context())
        asked = SmtpChannel.model_validate({**SmtpChannel.example["to"], "port": box.port})
        assert await driver.deliver(asked, notice(), attempt()) == "SMTP 250 2.0.0 queued as 4711"
        await driver.close()
    (mail,) = box.mails
    assert box.logged_in == [True]
    assert mail["To"] == "on-call@example.com"
    assert mail["Subject"] == "[ops] Failed: nightly"


async def test_a_mail_says_it_in_plain_text_and_in_html() -> None:
    mail = await delivered(notice(reason="a <b> & c"))
    assert mail.get_content_type() == "multipart/alternative"
    assert part(mail, "plain") == (
        f"Failed: nightly\n\na <b> & c\n\nOpen the monitor: {PAGE}\n\n"
        "Job: nightly\nObserved: Broken, 200 OK, 20 bytes in 3 ms\nWaited: 1 min 10 s, 7 checks\n"
        "Deadline: 2026-03-01 12:00:30 UTC\nteam: ops\n"
    )
    html = part(mail, "html")
    for text in (
        "<h1",
        ">Failed: nightly</h1>",
        "a &lt;b&gt; &amp; c",
        f'href="{PAGE}"',
        ">1 min 10 s, 7 checks<",
    ):
        assert text in html


async def test_html_shows_what_a_stranger_says_as_text() -> None:
    evil = '<script>alert(1)</script><img src="x">"\'&'
    html = part(await delivered(notice(job_id=evil, reason=evil, summary=evil, labels={"team": evil})), "html")
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=&#34;x&#34;&gt;&#34;&#39;&amp;") == 6


async def test_a_mail_s_headers() -> None:
    mail = await delivered(recipients=["a@example.com", "b@example.com"])
    assert mail["From"] == "Durable Monitor <m@example.com>"
    assert mail["To"] == "a@example.com, b@example.com"
    assert mail["Subject"] == "Failed: nightly"
    assert mail["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Message-ID"].endswith("@example.com>")


async def test_a_repeat_is_known_by_its_message_id_and_a_run_by_its_references() -> None:
    first, again = await delivered(), await delivered()
    other = await delivered(reminder(id="another"))
    elsewhere = await delivered(notice(run="run-2"))
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["References"] == other["References"] != elsewhere["References"]
    assert first["References"] != first["Message-ID"]


async def test_nothing_adds_a_header_or_a_recipient() -> None:
    evil = "x\r\nBcc: evil@example.com\r\n\r\n.\r\nRCPT TO:<evil@example.com>"
    of = notice(reason=evil, summary=evil, labels={"team": evil})
    async with serving() as box:
        await deliver(
            box.port, of, subject="{{ labels.team }}\n{{ reason }}", text="{{ reason }}\n.\n{{ summary }}"
        )
    (mail,), (envelope,) = box.mails, box.envelopes
    assert envelope.rcpt_tos == ["a@example.com"]
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("x Bcc: evil@example.com . RCPT TO:<evil@example.com>")
    assert "\n.\n" in part(mail, "plain")
    assert len(box.envelopes) == 1


async def test_letters_of_every_kind_arrive() -> None:
    mail = await delivered(notice(job_id="Größe-日本-💥", reason="ß" * 1200), text="{{ why }}{{ why }}")
    assert mail["Subject"] == "Failed: Größe-日本-💥"
    assert "ß" * 2400 in part(mail, "plain")


# How it is handed over.


@pytest.mark.parametrize("mode", MODES)
async def test_it_is_handed_over(mode: str) -> None:
    box = Mailbox(login=None if mode == "none" else ("me", PASSWORD))
    login: dict[str, Any] = {} if mode == "none" else LOGIN
    async with serving(box, **contexts(mode)):
        assert await deliver(box.port, tls=mode, **login) == "SMTP 250 2.0.0 queued as 4711"
    assert box.tls_versions == [None if mode == "none" else "TLSv1.3"]
    assert box.logged_in == [mode != "none"]
    assert set(box.hellos) == {"[127.0.0.1]"}  # no name of the worker's, no look-up


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
@pytest.mark.parametrize("case", ["another name", "an authority that is not trusted"])
async def test_a_server_that_does_not_prove_its_name_is_given_nothing(mode: str, case: str) -> None:
    box = Mailbox(login=("me", PASSWORD))
    async with serving(box, **contexts(mode, *(["other.example"] if case == "another name" else []))):
        driver = create(resources(box.port)) if case != "another name" else None
        driver = driver or SmtpDriver(resources(box.port), tls.client_context())
        with pytest.raises(
            CheckFailed, match=rf"the certificate of localhost:{box.port} is not trusted: "
        ) as failed:
            await driver.deliver(spec(box.port, tls=mode, **LOGIN), notice(), attempt())
    assert failed.value.error_class is ErrorClass.PERMANENT
    assert box.envelopes == []


async def test_a_server_without_tls_is_told_nothing() -> None:
    async with serving() as box:
        failed = await refusal(box.port, tls="starttls")
        assert (failed.error_class, "offers no STARTTLS" in str(failed)) == (ErrorClass.MISCONFIGURED, True)
        failed = await refusal(box.port, tls="implicit")
        assert (failed.error_class, "no TLS with localhost" in str(failed)) == (ErrorClass.TRANSIENT, True)
    assert box.envelopes == []


@pytest.mark.parametrize(
    "elsewhere",
    ["smtp://localhost:1", "smtp://other.example:{port}", "https://localhost:{port}", "smtp://localhost"],
)
async def test_the_password_goes_nowhere_else(elsewhere: str) -> None:
    async with hostile.trap() as trap:
        driver = SmtpDriver(resources(trap.port, sent_to=elsewhere.format(port=trap.port)))
        with pytest.raises(CheckFailed, match=f"may not be sent to smtp://localhost:{trap.port}: add ") as failed:
            await driver.deliver(spec(trap.port, tls="starttls", **LOGIN), notice(), attempt())
        assert failed.value.error_class is ErrorClass.MISCONFIGURED
        assert trap.connections == 0


async def test_the_usual_port_need_not_be_named() -> None:
    driver = SmtpDriver(resources(1, sent_to="smtp://localhost"))
    asked = SmtpChannel.model_validate({**TO, "tls": "starttls", **LOGIN})
    with pytest.raises(CheckFailed, match="not a public address"):  # so the password was given out
        await driver.deliver(asked, notice(), attempt())


@pytest.mark.parametrize("echoed", [PASSWORD, base64.b64encode(f"\0me\0{PASSWORD}".encode()).decode()])
async def test_a_server_that_repeats_the_password_repeats_it_to_nobody(
    echoed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    box = Mailbox(login=("me", "another"), answers={"AUTH": f"535 5.7.8 no: {echoed}"})
    async with serving(box, starttls=tls.server_context()):
        failed = await refusal(box.port, tls="starttls", **LOGIN)
    assert failed.error_class is ErrorClass.PERMANENT
    assert (
        str(failed) == f"localhost:{box.port} does not accept the user name and password: 535 5.7.8 no: {HIDDEN}"
    )
    logged = [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # the server's own
    assert not any(echoed in message for message in logged)
    box = Mailbox(login=("me", PASSWORD), answers={"DATA": f"250 taken, {echoed}"})
    async with serving(box, starttls=tls.server_context()):
        assert await deliver(box.port, tls="starttls", **LOGIN) == f"SMTP 250 taken, {HIDDEN}"


async def test_a_server_that_asks_for_no_login_is_given_none() -> None:
    async with serving(starttls=tls.server_context()) as box:
        failed = await refusal(box.port, tls="starttls", **LOGIN)
    assert failed.error_class is ErrorClass.MISCONFIGURED
    assert "asks for no user name and password: leave them out" in str(failed)


async def test_a_server_that_knows_another_login_alone_says_so() -> None:
    box = Mailbox(login=("me", PASSWORD), answers={"EHLO AUTH": "250-AUTH GSSAPI"})
    async with serving(box, starttls=tls.server_context()):
        failed = await refusal(box.port, tls="starttls", **LOGIN)
    assert failed.error_class is ErrorClass.PERMANENT
    assert str(failed) == f"localhost:{box.port} offers no way to log in that the worker knows"


# How it is not taken.


@pytest.mark.parametrize(
    ("answers", "error_class", "words"),
    [
        ({"MAIL": "550 5.7.1 not you"}, ErrorClass.PERMANENT, "refuses the sender: 550 5.7.1 not you"),
        ({"MAIL": "451 later"}, ErrorClass.TRANSIENT, "does not take it now: 451 later"),
        ({"DATA": "554 5.6.0 no"}, ErrorClass.PERMANENT, "refuses the mail: 554 5.6.0 no"),
        ({"DATA": "452 4.2.2 full"}, ErrorClass.TRANSIENT, "does not take it now: 452 4.2.2 full"),
        ({"RCPT a@example.com": "550 none"}, ErrorClass.PERMANENT,
         "refuses a@example.com (nobody has the mail): 550 none"),
        ({"RCPT a@example.com": "450 busy"}, ErrorClass.TRANSIENT,
         "refuses a@example.com (nobody has the mail): 450 busy"),
    ],
)  # fmt: skip
async def test_what_the_server_refuses(answers: dict[str, str], error_class: ErrorClass, words: str) -> None:
    async with serving(Mailbox(answers=answers)) as box:
        failed = await refusal(box.port)
    assert failed.error_class is error_class
    assert str(failed) == f"localhost:{box.port} {words}"
    assert box.envelopes == []


@pytest.mark.parametrize(
    ("answers", "error_class", "words"),
    [
        ({"b": "550 none"}, ErrorClass.PERMANENT, "refuses b@example.com (the others have the mail): 550 none"),
        ({"b": "450 busy"}, ErrorClass.TRANSIENT, "refuses b@example.com (the others have the mail): 450 busy"),
        ({"a": "550 none", "b": "450 busy"}, ErrorClass.TRANSIENT,
         "refuses b@example.com and 1 more (the others have the mail): 450 busy"),
    ],
)  # fmt: skip
async def test_a_recipient_who_is_refused_keeps_the_mail_from_no_other(
    answers: dict[str, str], error_class: ErrorClass, words: str
) -> None:
    box = Mailbox(answers={f"RCPT {name}@example.com": answer for name, answer in answers.items()})
    async with serving(box):
        failed = await refusal(box.port, recipients=[f"{name}@example.com" for name in "abc"])
    assert (failed.error_class, str(failed)) == (error_class, f"localhost:{box.port} {words}")
    assert box.envelopes[0].rcpt_tos == [f"{name}@example.com" for name in "abc" if name not in answers]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[int]:
    """A server's port. At the end it waits until every connection is closed by whoever connected."""
    talks: list[asyncio.Task[None]] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                await talk(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.create_task(hold(reader, writer), name="server"))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        async with asyncio.timeout(10):
            await asyncio.gather(*talks)


async def say(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(text.encode())
    await writer.drain()


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def hang_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, "220 hello\r\n")
    await reader.read()


async def die(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    pass


async def die_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, "220 hello\r\n")
    await reader.readline()


async def be_closed(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, "554 5.3.2 no service here\r\n")


async def be_busy(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, "421 4.3.2 too many connections\r\n")


async def speak_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, "HTTP/1.1 400 Bad Request\r\n\r\n")


async def never_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(10_000):
        await say(writer, f"220-{'x' * 400}\r\n")


@pytest.mark.parametrize(
    ("talk", "error_class", "words"),
    [
        (hang, ErrorClass.TRANSIENT, "did not answer in time"),
        (hang_later, ErrorClass.TRANSIENT, "did not answer in time"),
        (die, ErrorClass.TRANSIENT, "closed the connection"),
        (die_later, ErrorClass.TRANSIENT, "closed the connection"),
        (be_closed, ErrorClass.PERMANENT, "refuses the mail: 554 5.3.2 no service here"),
        (be_busy, ErrorClass.TRANSIENT, "does not take it now: 421 4.3.2 too many connections"),
        (speak_http, ErrorClass.TRANSIENT, "does not take it now: "),
        (never_end, ErrorClass.TRANSIENT, "does not take it now: "),
    ],
)
async def test_a_server_that_is_none(talk: Talk, error_class: ErrorClass, words: str) -> None:
    async with talking(talk) as port:
        seconds = 0.3 if "in time" in words else 30.0
        failed = await refusal(port, context=attempt(timeout_seconds=seconds))
    assert failed.error_class is error_class
    assert str(failed).startswith(f"localhost:{port} {words}")


async def never_say_goodbye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answers = {"EHLO": "250 hi", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go", ".": "250 taken"}
    await say(writer, "220 hello\r\n")
    while line := (await reader.readline()).decode():
        if (answer := answers.get(line.partition(" ")[0].strip())) is not None:
            await say(writer, f"{answer}\r\n")


async def test_a_goodbye_that_never_comes_takes_nothing_back() -> None:
    async with talking(never_say_goodbye) as port:
        assert await deliver(port) == "SMTP 250 taken"


@pytest.mark.parametrize(
    ("mode", "talk"), [("none", hang), ("none", hang_later), ("starttls", hang_later), ("implicit", hang)]
)
async def test_a_delivery_that_is_cancelled_leaves_nothing_behind(mode: str, talk: Talk) -> None:
    before = asyncio.all_tasks()
    async with talking(talk) as port:  # which waits until the connection is closed
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await deliver(port, tls=mode)
    if others := asyncio.all_tasks() - before:  # the server's, which learns later that nobody is there
        await asyncio.wait(others, timeout=5)
    assert asyncio.all_tasks() == before


def shake_hands_and_ignore(listener: socket.socket, context: ssl.SSLContext, shaken: threading.Event) -> None:
    """A server that answers nothing, not even TLS's goodbye; it returns when the connection is ended, and raises
    TimeoutError where it is kept."""
    connection, _ = listener.accept()
    with connection, connection.dup() as wire:
        connection.settimeout(10)
        wire.settimeout(10)
        with context.wrap_socket(connection, server_side=True):
            shaken.set()
            while wire.recv(4096):
                pass


async def test_a_server_that_ignores_the_goodbye_of_tls_is_not_waited_for() -> None:
    shaken = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = asyncio.create_task(
            asyncio.to_thread(shake_hands_and_ignore, listener, tls.server_context(), shaken)
        )
        delivering = asyncio.create_task(deliver(listener.getsockname()[1], tls="implicit"))
        assert await asyncio.to_thread(shaken.wait, 10)
        await asyncio.sleep(0.05)  # for the rest of the handshake on this side
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivering
        await served


async def test_a_port_that_is_closed_is_tried_again() -> None:
    async with hostile.trap() as trap:
        port = trap.port
    failed = await refusal(port)
    assert (failed.error_class, str(failed)) == (
        ErrorClass.TRANSIENT,
        f"cannot connect to localhost:{port}: Connection refused",
    )


async def test_every_address_is_tried() -> None:
    async with serving() as box:
        resolve = hostile.resolving("127.0.0.2", "127.0.0.1")
        driver = SmtpDriver(Resources(TargetGuard(["localhost:*"], resolve=resolve)))
        assert await driver.deliver(spec(box.port), notice(), attempt()) == "SMTP 250 2.0.0 queued as 4711"


async def test_a_name_that_leads_elsewhere_the_next_time_is_looked_up_once() -> None:
    async with serving() as box:
        resolve = hostile.Rebinding()
        driver = SmtpDriver(Resources(TargetGuard(["localhost:*"], resolve=resolve)))
        await driver.deliver(spec(box.port), notice(), attempt())
        assert (resolve.asked, len(box.envelopes)) == (1, 1)


async def test_a_template_that_cannot_be_rendered_connects_to_nothing() -> None:
    async with hostile.trap() as trap:
        driver = SmtpDriver(resources(trap.port))
        broken = spec(trap.port).model_copy(update={"text": "{{ job_id > 1 }}"})
        with pytest.raises(CheckFailed) as failed:
            await driver.deliver(broken, notice(deadline=AT + timedelta(days=1)), attempt())
        assert failed.value.error_class is ErrorClass.MISCONFIGURED
        assert trap.connections == 0
