"""From an HTTP answer to an observation, without a server."""

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from monitor_core.conditions import Condition
from monitor_core.contract import ErrorClass
from monitor_core.kinds import HttpCheck
from monitor_worker.checks.base import Observation
from monitor_worker.checks.http_answer import Answer, observation, retry_after
from monitor_worker.checks.http_body import decoded, parsed

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
YEAR = 366 * 86_400
JSON = "application/json"


def observed(
    content: bytes = b"",
    content_type: str | None = None,
    *,
    code: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
    expected: tuple[str, ...] = ("2xx",),
    url: str = "http://host.example:81/jobs/1?sig=secret",
) -> Observation:
    given_headers = CIMultiDict(headers)
    if content_type is not None:
        given_headers["Content-Type"] = content_type
    answer = Answer("GET", URL(url), code, CIMultiDictProxy(given_headers), content, 0.0123)
    return observation(answer, expected, NOW)


def test_the_variables_are_the_declared_ones() -> None:
    seen = observed(b'{"status": "Running", "percent": 40}', "application/json; charset=utf-8")

    assert seen.variables == {
        "code": 200,
        "method": "GET",
        "headers": {"content-type": "application/json; charset=utf-8"},
        "body": {"status": "Running", "percent": 40},
        "text": '{"status": "Running", "percent": 40}',
        "status": "Running",
        "latency_ms": pytest.approx(12.3),
    }
    about_other_answers = {"changed", "not_modified"}
    assert set(seen.variables) == set(HttpCheck.variables) - {"certificate_days_left"} - about_other_answers
    assert (seen.status, seen.summary, seen.error) == ("Running", "200 OK, 36 bytes in 12 ms", None)


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        (HttpCheck.natural_success, True),
        (HttpCheck.natural_failure, False),
        ("body.count == 3 && body.big > 9.0e18", True),
        ("headers['x-state'] == 'a, b'", True),
        ("text.contains('Succeeded') && latency_ms > 12.0", True),
    ],
)
def test_conditions_can_be_judged_over_them(expression: str, holds: bool) -> None:
    content = json.dumps({"status": "Succeeded", "count": 3, "big": 10**25, "text": "\ud83d\ude00"}).encode()
    seen = observed(content, JSON, headers=(("X-State", "a"), ("x-state", "b")))

    assert Condition("success_when", expression, HttpCheck.variables).holds(seen.variables) is holds


@pytest.mark.parametrize(
    ("content", "content_type", "body"),
    [
        (b'{"a": 1}', JSON, {"a": 1}),
        (b'{"a": 1}', "application/problem+json", {"a": 1}),
        (b'{"a": 1}', "APPLICATION/JSON;charset=UTF-8", {"a": 1}),
        (b'{"a": 1}', None, {"a": 1}),
        (b'\r\n [{"a": 1}]', "text/plain; charset=utf-8", [{"a": 1}]),
        (b"null", JSON, None),
        (b'"done"', JSON, "done"),
        (b"\xef\xbb\xbf{}", JSON, {}),
        (b'{"a": "\xe9"}', "application/json; charset=iso-8859-1", {"a": "é"}),
        (b'{"a": 9223372036854775807}', JSON, {"a": 2**63 - 1}),
        (b'{"a": 9223372036854775808}', JSON, {"a": float(2**63)}),
        (b'{"a": -9223372036854775809}', JSON, {"a": -float(2**63)}),
        (b'{"a": 1e999}', JSON, {"a": float("inf")}),
        pytest.param(b"[" * 200 + b"]" * 200, JSON, json.loads("[" * 200 + "]" * 200), id="deep"),
        pytest.param(b"[[],[]" + b",[]" * 1000 + b"]", JSON, [[]] * 1002, id="wide"),
        (b'{"a": "\\ud83d\\ude00 \\\\ud800"}', JSON, {"a": "\U0001f600 \\ud800"}),
    ],
)
def test_the_body_is_there_where_the_answer_is_json(content: bytes, content_type: str | None, body: Any) -> None:
    assert observed(content, content_type).variables["body"] == body


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"<html>", JSON),
        (b"{'a': 1}", None),
        (b"true", None),
        (b'{"a": 1}', "text/html"),
        (b'{"a": 1}', "application/octet-stream"),
        (b'{"a": NaN}', JSON),
        (b"[Infinity]", JSON),
        (b"[-Infinity]", JSON),
        (b'{"a": "\\ud800"}', JSON),
        (b'{"\\udfff": 1}', JSON),
        pytest.param(b"[" * 201 + b"]" * 201, JSON, id="deep lists"),
        pytest.param(b'{"a":' * 201 + b"1" + b"}" * 201, JSON, id="deep objects"),
        pytest.param(b"[" * 500_000, JSON, id="very deep, unclosed"),
        pytest.param(b"[" * 500_000 + b"]" * 500_000, None, id="very deep"),
    ],
)
def test_the_body_is_absent_where_it_is_not_json_that_can_be_judged(
    content: bytes, content_type: str | None
) -> None:
    seen = observed(content, content_type)

    assert "body" not in seen.variables
    assert "status" not in seen.variables
    assert seen.status == "HTTP 200"
    assert seen.error is None


def test_a_number_of_a_million_digits_takes_no_time() -> None:
    content = b'{"a": ' + b"9" * 1_000_000 + b"}"
    started = time.process_time()

    assert observed(content, JSON).variables["body"] == {"a": float("inf")}
    assert time.process_time() - started < 5


@given(st.binary(max_size=200), st.sampled_from([JSON, "text/plain", "", "application/x+json; charset=utf-7"]))
def test_whatever_the_bytes_are_the_variables_can_be_stored(content: bytes, content_type: str) -> None:
    seen = observed(content, content_type)

    json.dumps(seen.variables, ensure_ascii=False).encode()
    assert len(seen.status) <= 100
    assert seen.status.isprintable()


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        ("é".encode(), "text/plain", "é"),
        (b"\xe9", "text/plain; charset=iso-8859-1", "é"),
        (b"\xe9", 'text/plain; foo=bar; Charset="ISO-8859-1"', "é"),
        (b"\xe9", "text/plain", "\N{REPLACEMENT CHARACTER}"),
        ("é".encode("utf-16"), "text/plain; charset=utf-16", "é"),
        ("é".encode(), "text/plain; charset=no-such", "é"),
        ("é".encode(), "text/plain; charset=", "é"),
        (b"00", "text/plain; charset=hex", "00"),
        (b"\\x41", "text/plain; charset=unicode_escape", "\\x41"),
        (b"a", "text/plain; charset=undefined", "a"),
        (b"+2AA-", "text/plain; charset=utf-7", "?"),
    ],
)
def test_the_text_is_decoded_by_its_charset(content: bytes, content_type: str, text: str) -> None:
    assert observed(content, content_type).variables["text"] == text


@pytest.mark.parametrize("charset", ["punycode", "idna"])
def test_no_charset_takes_quadratic_time(charset: str) -> None:
    started = time.process_time()

    assert decoded(b"a9" * 500_000, f"text/plain; charset={charset}") == "a9" * 500_000
    assert time.process_time() - started < 5


def test_a_header_s_undecodable_bytes_are_replaced() -> None:
    seen = observed(headers=(("X-Odd", "a\udce9b"),))

    assert seen.variables["headers"] == {"x-odd": "a?b"}


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("Running", "Running"),
        pytest.param("x" * 150, "x" * 100, id="long"),
        ("a\nb\x1b[31m\u202ec", "a\ufffdb\ufffd[31m\ufffdc"),
        ("", "HTTP 200"),
    ],
)
def test_the_status_is_the_target_s_word_made_fit_to_show(status: str, shown: str) -> None:
    seen = observed(json.dumps({"status": status}).encode(), JSON)

    assert seen.status == shown
    assert seen.variables["status"] == status


@pytest.mark.parametrize("content", [b'{"status": 5}', b'{"status": null}', b'["status"]', b'{"Status": "x"}'])
def test_there_is_no_status_without_a_text_of_that_name(content: bytes) -> None:
    seen = observed(content, JSON, code=202)

    assert "status" not in seen.variables
    assert seen.status == "HTTP 202"


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        *((code, ErrorClass.TRANSIENT) for code in (404, 408, 409, 425, 429, 500, 502, 503, 504, 511, 599)),
        *((code, ErrorClass.PERMANENT) for code in (101, 301, 304, 400, 401, 403, 405, 407, 410, 418, 451, 499)),
    ],
)
def test_an_unexpected_code_is_the_observation_s_error(code: int, error_class: ErrorClass) -> None:
    seen = observed(b'{"status": "Running"}', JSON, code=code)

    assert seen.error is not None
    assert seen.error.error_class is error_class
    assert str(seen.error).startswith(str(code))
    assert "GET http://host.example:81/jobs/1:" in str(seen.error)
    assert "secret" not in str(seen.error)
    assert seen.variables["code"] == code
    assert seen.variables["status"] == "Running"


@pytest.mark.parametrize(
    ("code", "expected", "fine"),
    [
        (200, ("2xx",), True),
        (204, ("200",), False),
        (204, ("200", "204"), True),
        (404, ("2xx", "404"), True),
        (503, ("5xx",), True),
        (200, ("404",), False),
        (302, ("3xx",), True),
        (200, (), False),
    ],
)
def test_codes_are_expected_one_by_one_or_by_class(code: int, expected: tuple[str, ...], fine: bool) -> None:
    assert (observed(code=code, expected=expected).error is None) is fine


def test_the_message_of_a_code() -> None:
    assert str(observed(code=403).error) == (
        "403 Forbidden from GET http://host.example:81/jobs/1: the worker may not read it"
    )
    assert str(observed(code=599).error).startswith("599 from GET ")


def test_a_long_url_leaves_room_for_the_rest_of_the_message() -> None:
    assert len(str(observed(code=403, url="http://host.example/" + "a" * 2000).error)) < 500


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("99999999999", YEAR),
        pytest.param("9" * 5000, YEAR, id="huge"),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Tue, 24 Nov 2026 18:01:00 -0000", 60.0),
        ("Tue, 24 Nov 2026 20:01:00 +0200", 60.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", YEAR),
        ("Fri, 31 Feb 2026 23:59:59 GMT", None),
        ("Tue, 24 Nov 99999 18:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_year(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text() | st.from_regex(r"\A\w{3}, \d{1,3} \w{3} \d{1,6} \d{1,3}:\d{1,3}:\d{1,3} [+-]?\w{1,6}\Z"))
def test_no_retry_after_breaks_a_check(value: str) -> None:
    seconds = retry_after(value, NOW)

    assert seconds is None or 0 <= seconds <= YEAR


@pytest.mark.parametrize("code", [200, 202, 404, 503])
def test_retry_after_counts_on_any_answer(code: int) -> None:
    assert observed(code=code, headers=(("Retry-After", "30"),)).retry_after_seconds == 30


def test_the_deepest_body_that_is_let_through_can_be_judged() -> None:
    body = parsed("[" * 200 + "]" * 200, JSON)

    assert Condition("success_when", "size(body) == 1", HttpCheck.variables).holds({"body": body})
