"""The kind `smtp` at the door: addresses, ports, and no password in clear."""

from typing import Any

import pytest
from pydantic import ValidationError

from monitor_core.channels import SmtpChannel
from monitor_core.contract.wording import problems_of

PASSWORD = "env:MONITOR_SECRET_SMTP"


def spec(**fields: Any) -> SmtpChannel:
    given = {"host": "mail.example.com", "sender": "m@example.com", "recipients": ["a@example.com"], **fields}
    return SmtpChannel.model_validate(given)


def refusal(**fields: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        spec(**fields)
    return "; ".join(map(str, problems_of(refused.value, whole="to")))


@pytest.mark.parametrize(
    ("fields", "port"),
    [({}, 587), ({"tls": "implicit"}, 465), ({"tls": "none"}, 25), ({"tls": "none", "port": 2525}, 2525)],
)
def test_the_port_is_the_usual_one_unless_it_is_said(fields: dict[str, Any], port: int) -> None:
    assert spec(**fields).server_port == port


@pytest.mark.parametrize(
    "address",
    ["a@example.com", "first.last+tag@sub.example.com", "a@localhost", "o'neil@example.com", "a_b-c@example.com"],
)
def test_an_address_is_taken(address: str) -> None:
    assert spec(sender=address, recipients=[address]).recipients == (address,)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "a",
            "@example.com",
            "a@",
            "a@b@example.com",
            "a b@example.com",
            "<a@example.com>",
            "A <a@example.com>",
        ),
        *(
            "a@example.com,b@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com\n",
            "a\x00@example.com",
        ),
        *(".a@example.com", "a..b@example.com", '"a b"@example.com', "ä@example.com", "a@exämple.com"),
        *("a@example .com", "a@[127.0.0.1]", f"{'a' * 65}@example.com", f"a@{'b' * 64}.com", f"a@{'b.' * 126}com"),
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert refusal(sender=address).startswith("sender: ")
    assert refusal(recipients=["a@example.com", address]).startswith("recipients.1: ")


def test_there_are_one_to_twenty_recipients() -> None:
    everyone = [f"a{number}@example.com" for number in range(20)]
    assert len(spec(recipients=everyone).recipients) == 20
    assert "at most 20" in refusal(recipients=[*everyone, "b@example.com"])
    assert "at least 1" in refusal(recipients=[])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"username": "me"}, "username and password should be given both, or neither"),
        ({"password": PASSWORD}, "username and password should be given both, or neither"),
        ({"username": "me", "password": PASSWORD, "tls": "none"}, "a password is sent over TLS alone"),
        ({"username": "me\r\nX", "password": PASSWORD}, "username: "),
        ({"host": "mail.example.com:25"}, "host: "),
        ({"port": 0}, "port: "),
        ({"tls": "maybe"}, "tls: "),
        ({"recipients": "a@example.com"}, "recipients: "),
        ({"html": "x"}, "html: is not a known field"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields: dict[str, Any], reason: str) -> None:
    assert reason in refusal(**fields)


def test_a_password_that_is_no_reference_is_refused_and_not_repeated() -> None:
    said = refusal(username="me", password="hunter2-hunter2")
    assert said.startswith("password: should be env:MONITOR_SECRET_NAME")
    assert "hunter2" not in said
