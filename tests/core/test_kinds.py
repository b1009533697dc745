"""The specs of the built-in kinds: what they refuse, what they show to conditions, what they write."""

from typing import Any

import pytest
from pydantic import ValidationError

from monitor_core.conditions import conditions
from monitor_core.kinds import BUILT_IN, CheckSpec, HttpCheck, SimulatedCheck

URL = "http://a.example/jobs/1"
NEVER_FAIL = {"blob", "file", "grpc", "sql", "tcp"}  # what does not answer yet may do so later


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        HttpCheck.model_validate({"url": URL, **fields})
    return str(caught.value)


def accepted(**fields: Any) -> HttpCheck:
    return HttpCheck.model_validate({"url": URL, **fields})


@pytest.mark.parametrize("kind", BUILT_IN)
def test_a_kind_is_named_as_its_spec_says_and_has_an_answer_of_its_own(kind: str) -> None:
    spec = BUILT_IN[kind]
    assert spec.model_fields["kind"].default == kind
    assert all(variable.description for variable in spec.variables.values())
    natural = conditions(None, None, spec)
    assert natural.success is not None
    assert (natural.failure is None) == (kind in NEVER_FAIL)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "https://a.example:8443/x?y=z#f",
        "http://127.0.0.1:1/",
        "http://[::1]:8080/",
        "HTTP://a.example/",
        "https://b\u00fccher.example/",
    ],
)
def test_an_absolute_http_url_is_accepted(url: str) -> None:
    assert accepted(url=url).url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "absolute http or https URL"),
        ("/jobs/1", "absolute http or https URL"),
        ("a.example", "absolute http or https URL"),
        ("ftp://a.example/", "absolute http or https URL"),
        ("file:///etc/passwd", "absolute http or https URL"),
        ("http://", "absolute http or https URL"),
        ("http:///x", "absolute http or https URL"),
        ("http://:80/", "absolute http or https URL"),
        ("http://user@a.example/", "no user name or password"),
        ("http://user:word@a.example/", "no user name or password"),
        ("http://:@a.example/", "no user name or password"),
        ("http://a.example:99999/", "Port out of range"),
        ("http://a.example:port/", "Port could not be cast"),
        ("http://[::1/", "Invalid IPv6 URL"),
        ("http://a.example/a b", "no space or control character"),
        ("http://a.example/\nHost:b", "no space or control character"),
        ("http://a.example/\x00", "no space or control character"),
        ("http://a.example/" + "x" * 2048, "at most 2048 characters"),
    ],
)
def test_any_other_url_is_refused_with_the_reason(url: str, why: str) -> None:
    assert why in refused(url=url)


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/plain"},
        {"X-A": "caf\u00e9"},
        {"X-A": ""},
        {"X-A": "x" * 8192},
        {"!#$%&'*+.^_`|~0": "a\tb"},
    ],
)
def test_a_sendable_header_is_accepted(headers: dict[str, str]) -> None:
    assert accepted(headers=headers).headers == headers


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("", "x", "'' is not a valid header"),
        ("A B", "x", "'A B' is not a valid header"),
        ("A:", "x", "'A:' is not a valid header"),
        ("\u00c4", "x", "is not a valid header"),
        ("X-A", "a\r\nX-B: c", "'X-A' is not a valid header"),
        ("X-A", "a\x00", "'X-A' is not a valid header"),
        ("X-A", "\u4e16", "'X-A' is not a valid header"),
        ("X-A", "x" * 8193, "'X-A' has 8,193 characters, and should have at most 8,192"),
        ("X" * 257, "x", "has a name of 257 characters, and should have none above 256"),
        ("Authorization", "Bearer x", "Authorization would carry a secret into the history"),
        ("cookie", "x", "cookie would carry a secret into the history"),
        ("PROXY-AUTHORIZATION", "x", "would carry a secret into the history"),
        ("Host", "b.example", "Host is set by the check itself"),
        ("content-length", "5", "content-length is set by the check itself"),
        ("Transfer-Encoding", "chunked", "Transfer-Encoding is set by the check itself"),
        ("Connection", "close", "Connection is set by the check itself"),
    ],
)
def test_any_other_header_is_refused_with_the_reason(name: str, value: str, why: str) -> None:
    assert why in refused(headers={name: value})


def test_a_header_that_is_refused_does_not_repeat_its_value() -> None:
    problem = refused(headers={"Authorization": "Bearer secret-word"}).partition("[type=")[0]
    assert "secret-word" not in problem


def test_headers_are_counted() -> None:
    accepted(headers={f"X-{n}": "" for n in range(50)})
    assert "at most 50 items" in refused(headers={f"X-{n}": "" for n in range(51)})


@pytest.mark.parametrize("code", [100, 204, 599, "200", "1xx", "5xx"])
def test_a_code_or_a_class_of_codes_is_accepted(code: int | str) -> None:
    assert accepted(expected_codes=[code]).expected_codes == (str(code),)


@pytest.mark.parametrize(
    "code", [0, 99, 600, -200, 200.0, True, None, "2XX", "2x", "20x", "200 ", "200\n", "xxx", ""]
)
def test_any_other_code_is_refused_by_its_place(code: object) -> None:
    assert "expected_codes.1" in refused(expected_codes=[200, code])


@pytest.mark.parametrize("method", ["DELETE", "GET", "HEAD", "OPTIONS", "PUT"])
def test_an_idempotent_method_needs_no_leave(method: str) -> None:
    assert accepted(method=method).allow_repeat is False


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_any_other_method_needs_allow_repeat(method: str) -> None:
    assert f"{method} may be sent twice for one check: set allow_repeat" in refused(method=method)
    assert accepted(method=method, allow_repeat=True).method == method


@pytest.mark.parametrize("method", ["get", "TRACE", "CONNECT", "", None])
def test_an_unknown_method_is_refused(method: object) -> None:
    assert "method" in refused(method=method, allow_repeat=True)


@pytest.mark.parametrize("body", [None, "text", 0, False, [], {"a": [1, None, {"b": "c"}]}])
def test_any_json_value_is_a_body(body: Any) -> None:
    assert accepted(body=body).body == body


@pytest.mark.parametrize(
    ("fields", "path"),
    [({"max_redirects": -1}, "max_redirects"), ({"max_redirects": 21}, "max_redirects"), ({"urll": URL}, "urll")],
)
def test_bounds_and_unknown_fields(fields: dict[str, Any], path: str) -> None:
    assert path in refused(**fields)


@pytest.mark.parametrize(
    ("spec", "wire"),
    [
        (SimulatedCheck(), {"kind": "simulated"}),
        (SimulatedCheck(checks=7, outcome="Failed"), {"kind": "simulated", "checks": 7, "outcome": "Failed"}),
        (HttpCheck(url=URL, method="GET"), {"kind": "http", "url": URL}),
        (
            HttpCheck(url=URL, method="POST", allow_repeat=True, body={"a": 1}),
            {"kind": "http", "url": URL, "method": "POST", "allow_repeat": True, "body": {"a": 1}},
        ),
    ],
)
def test_a_check_is_written_by_what_differs_from_its_defaults(spec: CheckSpec, wire: dict[str, Any]) -> None:
    assert spec.as_wire() == wire
    assert type(spec).model_validate(wire) == spec


def test_a_spec_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        accepted().url = "http://b.example/"  # type: ignore[misc] # that is the point


@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        (200, "Succeeded", (True, False)),
        (202, "Running", (False, False)),
        (200, "Failed", (False, True)),
        (200, "Canceled", (False, True)),
        (500, "Succeeded", (False, False)),
        (404, "Failed", (False, False)),
    ],
)
def test_an_http_job_is_judged_by_its_status_where_the_code_is_good(
    code: int, status: str, verdict: tuple[bool, bool]
) -> None:
    success, failure = conditions(None, None, HttpCheck)
    assert success is not None
    assert failure is not None
    values = {"code": code, "method": "GET", "status": status}
    assert (success.holds(values), failure.holds(values)) == verdict


def test_an_answer_with_a_bad_code_needs_no_status() -> None:
    success, _ = conditions(None, None, HttpCheck)
    assert success is not None
    assert success.holds({"code": 503, "method": "GET"}) is False
