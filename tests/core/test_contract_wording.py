"""What a refused request says: which field was meant, in the words of those who write requests."""

from typing import Any

import pytest

from monitor_core.contract import RequestError, parse_command, parse_request
from monitor_core.kinds import BUILT_IN

HTTP = {"kind": "http", "url": "https://a.example/"}
SECRET = "s3cr3t-t0ken"


def refused(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(RequestError) as caught:
        parse_request({"job_id": "j", "check": HTTP, **data}, BUILT_IN)
    return dict(caught.value.problems)


@pytest.mark.parametrize(
    ("data", "field", "meant"),
    [
        ({"sucess_when": "true"}, "sucess_when", "success_when"),
        ({"timeout": 5}, "timeout", "timeout_seconds"),
        ({"interval": 5}, "interval", "polling.interval_seconds"),
        ({"consecutive_errors": 5}, "consecutive_errors", "tolerance.consecutive_errors"),
        ({"tolerance": {"consecutive_error": 5}}, "tolerance.consecutive_error", "tolerance.consecutive_errors"),
        ({"check": {**HTTP, "ulr": "x"}}, "check.ulr", "check.url"),
        ({"check": {**HTTP, "timeout_seconds": 5}}, "check.timeout_seconds", "timeout_seconds"),
        ({"check": {**HTTP, "auth": {"type": "bearer", "tokn": "x"}}}, "check.auth.tokn", "check.auth.token"),
        ({"check": None, "url": "https://a.example/"}, "url", "check.url"),
        ({"on_verdict": [{"to": {}}, {"to": {}, "verdict": []}]}, "on_verdict.1.verdict", "on_verdict.1.verdicts"),
    ],
)
def test_a_field_that_is_none_is_told_which_was_meant(data: dict[str, Any], field: str, meant: str) -> None:
    assert refused(data)[field] == f"is not a known field: did you mean {meant}?"


def test_where_nothing_is_like_it_nothing_is_guessed() -> None:
    assert refused({"zzz": 1}) == {"zzz": "is not a known field"}


def test_a_field_of_one_of_several_shapes_is_named_as_it_stands_in_the_request() -> None:
    told = refused({"check": {**HTTP, "auth": {"type": "bearer", "token": SECRET}}})
    assert told.keys() == {"check.auth.token"}
    assert SECRET not in told["check.auth.token"]


@pytest.mark.parametrize(
    ("auth", "says"),
    [
        (
            {"type": "berer"},
            "type should be one of 'bearer', 'basic', 'api_key', 'managed_identity' (got 'berer')",
        ),
        ({"token": "env:MONITOR_SECRET_A"}, "type is required in it"),
        ("bearer", "should be an object: names, each with its value (got 'bearer')"),
    ],
)
def test_a_shape_that_there_is_none_of_is_told_those_that_there_are(auth: object, says: str) -> None:
    assert refused({"check": {**HTTP, "auth": auth}}) == {"check.auth": says}


@pytest.mark.parametrize(
    ("check", "field", "says"),
    [
        (
            {"kind": "blob", "container": "My_Container"},
            "check.container",
            "3 to 63 lower-case letters and digits",
        ),
        ({"kind": "grpc", "service": "a b"}, "check.service", "package.Service"),
        ({"kind": "azure_resource", "api_version": "v1"}, "check.api_version", "2024-04-01 say"),
        ({**HTTP, "expected_codes": ["99"]}, "check.expected_codes.0", "Codes, or classes such as 2xx"),
    ],
)
def test_a_form_is_told_in_words(check: dict[str, Any], field: str, says: str) -> None:
    told = refused({"check": check})[field]
    assert told.startswith("has not the form that it should have: ")
    assert says in told
    assert "^" not in told


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        (
            {"check": {"kind": "tcp", "host": "a", "port": "https"}},
            "check.port",
            "should be a whole number (got 'https')",
        ),
        ({"check": {**HTTP, "expected_codes": 200}}, "check.expected_codes", "should be a list (got 200)"),
        ({"labels": {"a": True}}, "labels.a", "should be a text: put it in quotes (got true)"),
        ({"labels": ["a"]}, "labels", "should be an object: names, each with its value"),
    ],
)
def test_a_type_is_told_in_words(data: dict[str, Any], field: str, says: str) -> None:
    assert refused(data)[field] == says


def test_a_command_is_told_its_fields_as_they_are_sent() -> None:
    with pytest.raises(RequestError) as caught:
        parse_command({"id": "1", "name": "extend", "second": 5})
    assert dict(caught.value.problems) == {
        "seconds": "is required",
        "second": "is not a known field: did you mean seconds?",
    }
