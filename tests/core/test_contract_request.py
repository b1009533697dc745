"""The door: what is let in, and how a request that is not names each field and its reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor_core.contract import MonitorRequest, Problem, RequestError, parse_request
from monitor_core.kinds import BUILT_IN
from support.strategies import examples, json_values, requests

MINIMAL: dict[str, Any] = {"job_id": "job-1", "check": {"kind": "simulated"}}
KINDS = ", ".join(sorted(BUILT_IN))


def problems(data: Any) -> dict[str, str]:
    """From the field to the reason."""
    with pytest.raises(RequestError) as caught:
        parse_request(data, BUILT_IN)
    found = dict(caught.value.problems)
    assert len(found) == len(caught.value.problems), "each field once"
    assert str(caught.value) == "; ".join(f"{field}: {reason}" for field, reason in caught.value.problems)
    return found


def polling(**fields: Any) -> dict[str, Any]:
    return {"polling": fields}


def test_all_but_job_and_check_has_a_default() -> None:
    request = parse_request(MINIMAL, BUILT_IN)
    assert (request.timeout_seconds, request.check_timeout_seconds) == (30, 10)
    assert (request.polling.interval_seconds, request.polling.backoff, request.polling.jitter) == (5, 1, 0)
    assert (request.polling.turn_seconds, request.polling.honor_retry_after) == ("auto", True)
    assert (request.tolerance.consecutive_errors, request.tolerance.consecutive_successes) == (3, 1)


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"job_id": ""}, "job_id", "at least 1 character"),
        ({"job_id": "x" * 129}, "job_id", "at most 128 characters"),
        ({"job_id": 7}, "job_id", "a text: put it in quotes (got 7)"),
        ({"job_id": " x"}, "job_id", "printable, with no space at either end (got ' x')"),
        ({"job_id": "a\nb"}, "job_id", "printable"),
        ({"job_id": "\ud800"}, "job_id", "whole Unicode"),
        ({"check": None}, "check", "an object: names, each with its value"),
        ({"check": ["http"]}, "check", "an object: names, each with its value"),
        ({"check": {}}, "check.kind", "is required"),
        ({"check": {"kind": "ftp"}}, "check.kind", f"one of {KINDS} (got 'ftp')"),
        ({"check": {"kind": ["http"]}}, "check.kind", f"one of {KINDS}"),
        (
            {"check": {"kind": "simulated", "chekcs": 1}},
            "check.chekcs",
            "is not a known field: did you mean check.checks?",
        ),
        ({"check": {"kind": "simulated", "checks": 0}}, "check.checks", "greater than or equal to 1 (got 0)"),
        ({"check": {"kind": "http"}}, "check.url", "is required"),
        ({"success_when": ""}, "success_when", "at least 1 character"),
        ({"success_when": True}, "success_when", "a text: put it in quotes (got true)"),
        ({"failure_when": "x" * 2001}, "failure_when", "at most 2000 characters"),
        (polling(interval_seconds=0), "polling.interval_seconds", "greater than or equal to 0.1 (got 0)"),
        (polling(interval_seconds=float("nan")), "polling.interval_seconds", "finite"),
        (polling(interval_seconds=[]), "polling.interval_seconds", "a number"),
        (polling(interval_seconds=367 * 86400), "polling.interval_seconds", "less than or equal to"),
        (polling(backoff=0.9), "polling.backoff", "greater than or equal to 1"),
        (polling(backoff=float("inf")), "polling.backoff", "finite"),
        (polling(max_interval_seconds=0), "polling.max_interval_seconds", "greater than or equal to 0.1"),
        (polling(max_interval_seconds=4), "polling", "max_interval_seconds should not be below interval_seconds"),
        (polling(jitter=1), "polling.jitter", "less than 1 (got 1)"),
        (polling(jitter=-0.1), "polling.jitter", "greater than or equal to 0"),
        (polling(jitter=float("nan")), "polling.jitter", "less than 1"),
        (polling(turn_seconds=61), "polling.turn_seconds", "less than or equal to 60"),
        (polling(turn_seconds="long"), "polling.turn_seconds", "'auto' (got 'long')"),
        (polling(honor_retry_after="maybe"), "polling.honor_retry_after", "true or false"),
        (
            polling(intervall=5),
            "polling.intervall",
            "is not a known field: did you mean polling.interval_seconds?",
        ),
        ({"polling": None}, "polling", "an object: names, each with its value"),
        ({"timeout_seconds": -1}, "timeout_seconds", "greater than or equal to 0"),
        ({"timeout_seconds": 10**400}, "timeout_seconds", "a number"),
        ({"timeout_seconds": "soon"}, "timeout_seconds", "a number"),
        ({"check_timeout_seconds": 0}, "check_timeout_seconds", "greater than 0"),
        ({"check_timeout_seconds": 61}, "check_timeout_seconds", "less than or equal to 60"),
        ({"tolerance": {"consecutive_errors": -1}}, "tolerance.consecutive_errors", "greater than or equal to 0"),
        ({"tolerance": {"consecutive_errors": 1.5}}, "tolerance.consecutive_errors", "a whole number"),
        ({"tolerance": {"consecutive_successes": 0}}, "tolerance.consecutive_successes", "or equal to 1"),
        ({"labels": {"-a": "x"}}, "labels.-a", "has not the form that it should have: Names, of up to 63"),
        ({"labels": {"a": 1}}, "labels.a", "a text: put it in quotes (got 1)"),
        ({"labels": {"a": "x" * 257}}, "labels.a", "at most 256 characters"),
        ({"labels": {f"a{n}": "" for n in range(33)}}, "labels", "at most 32 items"),
        ({"timeout": 5}, "timeout", "is not a known field: did you mean timeout_seconds?"),
    ],
)
def test_a_bad_field_is_named_with_its_reason(fields: dict[str, Any], path: str, reason: str) -> None:
    found = problems({**MINIMAL, **fields})
    assert list(found) == [path]
    assert reason in found[path]


def test_every_bad_field_is_named_at_once() -> None:
    data = {"check": {"kind": "simulated", "checks": 0}, "polling": {"jitter": 2, "x": 1}, "nonsense": 1}
    assert problems(data).keys() == {"job_id", "check.checks", "polling.jitter", "polling.x", "nonsense"}


@pytest.mark.parametrize("data", [None, [], "text", 5, True])
def test_what_is_no_object_at_all_is_named_as_the_request(data: Any) -> None:
    assert problems(data).keys() == {"request"}


def test_a_long_value_does_not_hide_the_reason() -> None:
    reason = problems({**MINIMAL, "success_when": "x" * 5000})["success_when"]
    assert "xx" not in reason


def test_the_check_keeps_only_what_differs_from_its_defaults() -> None:
    data = {"kind": "http", "url": "http://a.example/", "method": "GET", "expected_codes": ["2xx"], "body": None}
    request = parse_request({**MINIMAL, "check": data}, BUILT_IN)
    assert request.check == {"kind": "http", "url": "http://a.example/"}


def test_a_request_is_frozen() -> None:
    request = parse_request(MINIMAL, BUILT_IN)
    with pytest.raises(ValidationError, match="frozen"):
        request.job_id = "other"  # type: ignore[misc] # that is the point
    with pytest.raises(ValidationError, match="frozen"):
        request.polling.interval_seconds = 1  # type: ignore[misc] # that is the point


def request_or_problems(data: Any) -> MonitorRequest | tuple[Problem, ...]:
    try:
        return parse_request(data, BUILT_IN)
    except RequestError as error:
        return error.problems


@given(json_values | st.dictionaries(st.sampled_from([*MonitorRequest.model_fields, "other"]), json_values))
@examples(120)
def test_the_door_lets_a_request_in_or_says_why_not(data: Any) -> None:
    found = request_or_problems(data)
    if isinstance(found, MonitorRequest):
        assert found.check["kind"] in BUILT_IN
    else:
        assert found
        assert all(problem.field and problem.reason for problem in found)


@given(requests())
@examples(100)
def test_a_request_that_is_written_and_read_again_is_the_same(request: MonitorRequest) -> None:
    for sparse in (True, False):
        written = json.dumps(request.model_dump(mode="json", exclude_defaults=sparse), allow_nan=False)
        assert parse_request(json.loads(written), BUILT_IN) == request
