"""The spec of the kind `tcp`: which targets it takes, and what it counts as success by itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from monitor_core.conditions import conditions
from monitor_core.kinds import TcpCheck


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        TcpCheck.model_validate({"host": "a.example", "port": 22, **fields})
    return str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "a.example",
        "a.example.",
        "db",
        "my_db-1",
        "127.0.0.1",
        "::1",
        "2001:db8::1",
        "b\u00fccher.example",
        "0x7f000001",
    ],
)
def test_a_name_or_an_address_is_a_host(host: str) -> None:
    assert TcpCheck(host=host, port=22).host == host


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("", "a name or an address alone"),
        ("a.example:22", "a name or an address alone"),
        ("tcp://a.example", "a name or an address alone"),
        ("user@a.example", "a name or an address alone"),
        ("[::1]", "a name or an address alone"),
        ("fe80::1%eth0", "a name or an address alone"),
        ("a b", "a name or an address alone"),
        ("a.example\n", "a name or an address alone"),
        ("a\x00.example", "a name or an address alone"),
        ("10.0.0.0/8", "a name or an address alone"),
        (".example", "a name that DNS can carry"),
        ("a..example", "a name that DNS can carry"),
        ("x" * 64 + ".example", "a name that DNS can carry"),
        ("a." * 127, "at most 253 characters"),
    ],
)
def test_anything_else_is_none(host: str, why: str) -> None:
    assert why in refused(host=host)


@pytest.mark.parametrize(
    ("field", "value"),
    [("port", 0), ("port", 65536), ("port", None), ("banner_bytes", -1), ("banner_bytes", 4097), ("send", "HELO")],
)
def test_bounds_and_unknown_fields(field: str, value: object) -> None:
    assert field in refused(**{field: value})


def test_it_is_written_by_what_differs_from_its_defaults() -> None:
    assert TcpCheck(host="db", port=5432, tls=False).as_wire() == {"kind": "tcp", "host": "db", "port": 5432}


@pytest.mark.parametrize(
    ("connected", "tls", "verified", "success"),
    [
        (False, False, False, False),
        (True, False, False, True),
        (True, True, False, False),
        (True, True, True, True),
    ],
)
def test_a_port_has_answered_once_it_did_all_that_was_asked(
    connected: bool, tls: bool, verified: bool, success: bool
) -> None:
    natural = conditions(None, None, TcpCheck)
    assert natural.success is not None
    assert natural.success.holds({"connected": connected, "tls": tls, "tls_verified": verified}) is success


@pytest.mark.parametrize(
    "text",
    [
        "has_banner && banner.startsWith('SSH-2.0')",
        "tls_verified && certificate_days_left > 14.0 && tls_version == 'TLSv1.3'",
        "connected && latency_ms < 100.0",
    ],
)
def test_a_condition_that_asks_first_can_be_judged_before_the_port_answers(text: str) -> None:
    condition, _ = conditions(text, None, TcpCheck)
    assert condition is not None
    values = {"connected": False, "tls": False, "tls_verified": False, "has_banner": False}
    assert condition.holds(values) is False
