"""From options to a request: every option has its place, and none is dropped silently."""

from typing import Any

import pytest

from monitor_client.requests import build_request
from monitor_core.contract import RequestError

URL = "https://api.example.com/jobs/{job_id}"


def built(url: str | None = None, **options: Any) -> dict[str, Any]:
    made = build_request({"job_id": "job-1", **options}, url)
    return made.model_dump(mode="json", exclude_defaults=True)


def refused(configured: str | None = None, **options: Any) -> str:
    with pytest.raises(RequestError) as caught:
        build_request({"job_id": "job-1", **options}, configured)
    return str(caught.value)


def test_with_nothing_given_a_job_is_simulated() -> None:
    assert built() == {"job_id": "job-1", "check": {"kind": "simulated"}}


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"interval": "2"}, {"polling": {"interval_seconds": 2}}),
        ({"interval": "0.5", "timeout": "1e3"}, {"polling": {"interval_seconds": 0.5}, "timeout_seconds": 1000}),
        ({"timeout": "0"}, {"timeout_seconds": 0}),
        (
            {"backoff": "2", "max_interval": "60"},
            {"polling": {"backoff": 2, "max_interval_seconds": 60}},
        ),
        ({"jitter": "0.1"}, {"polling": {"jitter": 0.1}}),
        ({"turn_seconds": "20"}, {"polling": {"turn_seconds": 20}}),
        ({"turn_seconds": "auto"}, {}),
        ({"check_timeout": "20"}, {"check_timeout_seconds": 20}),
        ({"tolerate_errors": "0"}, {"tolerance": {"consecutive_errors": 0}}),
        ({"successes": "2"}, {"tolerance": {"consecutive_successes": 2}}),
        ({"success_when": "status == 'x'"}, {"success_when": "status == 'x'"}),
        ({"failure_when": "check > 3"}, {"failure_when": "check > 3"}),
        ({"label": ["team=a", "x=b=c"]}, {"labels": {"team": "a", "x": "b=c"}}),
        ({"notify": ["http://a/"]}, {"on_verdict": [{"to": {"kind": "webhook", "url": "http://a/"}}]}),
        (
            {"notify": ["http://a/", "http://b/"], "notify_secret": "env:MONITOR_SECRET_X"},
            {
                "on_verdict": [
                    {"to": {"kind": "webhook", "url": url, "secret": ["env:MONITOR_SECRET_X"]}}
                    for url in ("http://a/", "http://b/")
                ]
            },
        ),
    ],
)
def test_an_option_of_any_kind_has_its_place(options: dict[str, Any], part: dict[str, Any]) -> None:
    assert built(**options) == {"job_id": "job-1", "check": {"kind": "simulated"}, **part}


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, {}),
        ({"method": "HEAD"}, {"method": "HEAD"}),
        ({"method": "POST", "allow_repeat": True}, {"method": "POST", "allow_repeat": True}),
        ({"header": ["Accept: text/plain", "X-A:b: c"]}, {"headers": {"Accept": "text/plain", "X-A": "b: c"}}),
        ({"header": ["X-Empty:"]}, {"headers": {"X-Empty": ""}}),
        ({"body": '{"a": [1]}'}, {"body": {"a": [1]}}),
        ({"body": "false"}, {"body": False}),
        ({"body": "plain text"}, {"body": "plain text"}),
        ({"body": "NaN"}, {"body": "NaN"}),
        ({"body": ""}, {"body": ""}),
        ({"expect": ["404", "2xx"]}, {"expected_codes": ["404", "2xx"]}),
    ],
)
def test_an_option_of_a_request_over_http_has_its_place(options: dict[str, Any], part: dict[str, Any]) -> None:
    check = {"kind": "http", "url": "https://api.example.com/jobs/job-1", **part}
    assert built(url=URL, **options)["check"] == check


def test_retry_after_can_be_left_out_of_account() -> None:
    assert built(url=URL, no_retry_after=True)["polling"] == {"honor_retry_after": False}


def test_the_job_id_is_filled_in_as_one_part_of_the_path() -> None:
    made = build_request({"job_id": "a/b c?é", "url": "http://h/{job_id}/x?again={job_id}&{}"}, None)
    assert made.check["url"] == "http://h/a%2Fb%20c%3F%C3%A9/x?again=a%2Fb%20c%3F%C3%A9&{}"


def test_a_url_that_is_given_goes_before_the_configured_one() -> None:
    made = build_request({"job_id": "j", "url": "http://given/"}, URL)
    assert made.check["url"] == "http://given/"


def test_to_ask_for_a_simulation_goes_before_the_configured_url() -> None:
    made = build_request({"job_id": "j", "simulate_checks": "9", "simulate_outcome": "Failed"}, URL)
    assert made.check == {"kind": "simulated", "checks": 9, "outcome": "Failed"}


@pytest.mark.parametrize(
    "option",
    [
        {"method": "GET"},
        {"header": ["a: b"]},
        {"body": "x"},
        {"body": ""},
        {"expect": ["200"]},
        {"no_retry_after": True},
        {"allow_repeat": True},
    ],
)
def test_what_has_no_effect_without_a_url_is_refused(option: dict[str, Any]) -> None:
    (name,) = option
    flag = "--" + name.replace("_", "-")
    assert refused(**option) == f"{flag}: goes with a URL only: give --url or set MONITOR_URL"
    assert flag in refused(URL, simulate_checks="3", **option), "MONITOR_URL does not count beside a simulation"


@pytest.mark.parametrize("option", [{"simulate_checks": "3"}, {"simulate_outcome": "Failed"}])
def test_what_has_no_effect_with_a_url_is_refused(option: dict[str, Any]) -> None:
    assert "has no effect on a URL" in refused(url=URL, **option)


@pytest.mark.parametrize("backoff", [{}, {"backoff": "1"}, {"backoff": "1.0"}])
def test_a_cap_on_an_interval_that_does_not_grow_is_refused(backoff: dict[str, str]) -> None:
    assert refused(max_interval="60", **backoff) == "--max-interval: has no effect without a --backoff above 1"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"interval": "0"}, "POLLING_INTERVAL: should be greater than or equal to 0.1 (got 0)"),
        ({"interval": "nan"}, "POLLING_INTERVAL: should be a number (got 'nan')"),
        ({"interval": "1_0"}, "POLLING_INTERVAL: should be a number (got '1_0')"),
        ({"interval": "٣"}, "POLLING_INTERVAL: should be a number"),
        ({"interval": "1e999"}, "POLLING_INTERVAL: should be a finite number (got inf)"),
        ({"url": URL, "body": "[" * 60_000}, "--body: is nested too deeply"),
        ({"url": URL, "header": ["Cookie: a"]}, "--header: Cookie would carry a secret"),
        ({"label": [f"n{n}=v" for n in range(33)]}, "--label: should have at most 32 items"),
        ({"interval": "soon"}, "POLLING_INTERVAL: should be a number"),
        ({"interval": ""}, "POLLING_INTERVAL: should be a number"),
        ({"timeout": "-1"}, "TIMEOUT: should be greater than or equal to 0 (got -1)"),
        ({"turn_seconds": "61"}, "--turn-seconds: "),
        ({"tolerate_errors": "1.5"}, "--tolerate-errors: should be a whole number"),
        ({"check_timeout": "61"}, "--check-timeout: should be less than or equal to 60 (got 61)"),
        (
            {"simulate_outcome": "Done"},
            "--simulate-outcome: should be 'Succeeded', 'Failed' or 'Canceled' (got 'Done')",
        ),
        ({"url": ""}, "--url: should be an absolute http or https URL"),
        ({"url": "ftp://x"}, "--url: should be an absolute http or https URL"),
        ({"url": URL, "method": "POST"}, "check: POST may be sent twice for one check"),
        ({"url": URL, "expect": ["9xx"]}, "--expect: "),
        ({"url": URL, "header": ["no colon"]}, "--header: should be NAME: VALUE"),
        ({"url": URL, "header": [": b"]}, "--header: should be NAME: VALUE"),
        ({"url": URL, "header": ["A: b", "A: c"]}, "--header: 'A' is given twice"),
        ({"url": URL, "body": "null"}, "--body: null is no body"),
        ({"label": ["team"]}, "--label: should be NAME=VALUE"),
        ({"label": ["a=1", "a=2"]}, "--label: 'a' is given twice"),
        ({"job_id": ""}, "JOB_ID: "),
        ({"job_id": "a\nb"}, "JOB_ID: should be printable"),
        ({"success_when": ""}, "--success-when: "),
    ],
)
def test_a_bad_value_is_refused_by_its_name(options: dict[str, Any], says: str) -> None:
    assert refused(**options).startswith(says)


def test_several_bad_values_are_all_named() -> None:
    assert refused(interval="0", timeout="x").count(": should be") == 2


def test_a_bad_url_from_the_environment_is_named_as_that() -> None:
    assert refused("ftp://x").startswith("MONITOR_URL: should be an absolute http or https URL")


def test_a_header_that_is_refused_does_not_show_its_value() -> None:
    assert "s3cret" not in refused(url=URL, header=["Authorization: Bearer s3cret"])
    assert "s3cret" not in refused(url=URL, header=["X=s3cret"])


def test_a_placeholder_that_there_is_not_is_refused() -> None:
    with pytest.raises(RequestError, match=r"--url: \{jobid\} is no placeholder: \{job_id\} is the only one"):
        build_request({"job_id": "a", "url": "http://a.example/{jobid}"}, None)
    with pytest.raises(RequestError, match="MONITOR_URL: "):
        build_request({"job_id": "a"}, "http://a.example/{job_id}/{run}")
