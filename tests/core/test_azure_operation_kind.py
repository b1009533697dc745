"""The kind `azure_operation`: what is asked about an operation, given its URL or the response that started it."""

from typing import Any

import pytest

from monitor_core.contract import RequestError, parse_request
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.azure_adopt import Destination, StartedBy, destination

RESOURCE = "https://arm.example/subscriptions/s/resources/r?api-version=1"
STATUS = "https://arm.example/operations/o?api-version=1"
RESULT = "https://arm.example/results/o"
CREATING = {"properties": {"provisioningState": "Creating"}}


def check(**fields: Any) -> dict[str, Any]:
    """The check as it would stand in the history."""
    asked = {"job_id": "j", "check": {"kind": "azure_operation", **fields}}
    return dict(parse_request(asked, BUILT_IN).check)


def refused(**fields: Any) -> str:
    with pytest.raises(RequestError) as caught:
        check(**fields)
    return str(caught.value)


def started(**fields: Any) -> StartedBy:
    return StartedBy.model_validate({"url": RESOURCE, "status_code": 202, **fields})


@pytest.mark.parametrize(
    ("response", "url", "rule"),
    [
        ({"headers": {"Azure-AsyncOperation": STATUS}}, STATUS, "operation"),
        ({"headers": {"AZURE-ASYNCOPERATION": f" {STATUS} "}}, STATUS, "operation"),
        ({"headers": {"Operation-Location": STATUS}}, STATUS, "operation"),
        ({"headers": {"Location": RESULT}}, RESULT, "location"),
        ({"headers": {"Location": RESULT, "Operation-Location": STATUS}}, STATUS, "operation"),
        ({"headers": {"Operation-Location": RESULT, "azure-asyncoperation": STATUS}}, STATUS, "operation"),
        ({"headers": {"Azure-AsyncOperation": "", "Location": RESULT}}, RESULT, "location"),
        ({"headers": {"Location": RESULT}, "status_code": 201, "body": CREATING}, RESULT, "location"),
        ({"headers": {"Location": RESULT}, "status_code": 200}, RESULT, "location"),
        ({"headers": {"Location": RESULT}, "status_code": 204, "method": "DELETE"}, RESULT, "location"),
        ({"headers": {"Location": RESULT}, "method": "POST"}, RESULT, "location"),
        ({"status_code": 201, "body": CREATING}, RESOURCE, "resource"),
        ({"status_code": 201}, RESOURCE, "resource"),
        ({"status_code": 200, "body": CREATING}, RESOURCE, "resource"),
        ({"status_code": 202, "method": "PATCH"}, RESOURCE, "resource"),
        ({"status_code": 200, "body": {"properties": {"provisioningState": 5}}}, RESOURCE, "resource"),
    ],
)
def test_the_response_says_what_is_asked_and_how_it_is_read(response: dict[str, Any], url: str, rule: str) -> None:
    assert destination(started(**response)) == Destination(url, rule)  # type: ignore[arg-type] # rule is a text


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/operations/o?x=1", "https://arm.example/operations/o?x=1"),
        ("o", "https://arm.example/subscriptions/s/resources/o"),
        ("../o", "https://arm.example/subscriptions/s/o"),
        ("?x=1", "https://arm.example/subscriptions/s/resources/r?x=1"),
        ("//other.example/o", "https://other.example/o"),
    ],
)
@pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Operation-Location", "Location"])
def test_a_relative_url_is_resolved_against_the_request_s(header: str, reference: str, url: str) -> None:
    assert destination(started(headers={header: reference})).url == url


@pytest.mark.parametrize(
    ("response", "why"),
    [
        ({"status_code": 409}, "409 started no operation: only 200, 201, 202 and 204 do"),
        ({"status_code": 302, "headers": {"Location": RESULT}}, "302 started no operation"),
        ({"status_code": 203, "headers": {"Location": RESULT}}, "203 started no operation"),
        ({"status_code": 202, "method": "POST"}, "202 to POST without a header"),
        ({"status_code": 202, "method": "DELETE", "body": CREATING}, "does not say what to ask: give url"),
        ({"status_code": 204}, "204 to PUT without a header Azure-AsyncOperation, Operation-Location or Location"),
        ({"status_code": 200, "method": "POST", "body": CREATING}, "says that the operation is over"),
        ({"status_code": 200, "body": {"properties": None}}, "says that the operation is over"),
        ({"status_code": 200, "body": [CREATING]}, "says that the operation is over"),
        ({"headers": {"Location": "ftp://a.example/"}}, "the header location holds no URL that can be asked"),
        ({"headers": {"Location": "https://me:secret@a.example/"}}, "the header location holds no URL"),
        ({"headers": {"Location": "https://[::1/"}}, "the header location holds no URL"),
        ({"headers": {"Operation-Location": "http://arm.example/o"}}, "leads from https to http"),
    ],
)
def test_a_response_that_leaves_nothing_to_ask_is_refused_with_the_reason(
    response: dict[str, Any], why: str
) -> None:
    problem = refused(adopt={"url": RESOURCE, "status_code": 202, **response})
    assert problem.startswith("check.adopt: ")
    assert why in problem
    assert "secret" not in problem


def test_of_an_adopted_response_only_what_is_asked_stays() -> None:
    headers = {"Azure-AsyncOperation": "/operations/o", "Location": RESULT, "Set-Cookie": "secret"}
    adopt = {"url": RESOURCE, "status_code": 202, "headers": headers, "body": {"key": "secret"}}
    assert check(adopt=adopt, headers={"X-A": "b"}) == {
        "kind": "azure_operation",
        "url": "https://arm.example/operations/o",
        "headers": {"X-A": "b"},
    }
    by_location = {"url": RESOURCE, "status_code": 202, "headers": {"location": RESULT}}
    assert check(adopt=by_location) == {"kind": "azure_operation", "url": RESULT, "rule": "location"}


def test_an_adopted_operation_is_the_one_asked_for_by_url() -> None:
    adopt = {"url": RESOURCE, "status_code": 202, "headers": {"Operation-Location": STATUS}}
    assert check(adopt=adopt) == check(url=STATUS) == check(url=STATUS, rule="operation")
    again = check(**{name: value for name, value in check(url=RESULT, rule="location").items() if name != "kind"})
    assert again == check(url=RESULT, rule="location")


def test_who_is_asking_stays_with_an_adopted_operation() -> None:
    auth = {"type": "bearer", "token": "env:MONITOR_SECRET_API"}
    adopt = {"url": RESOURCE, "status_code": 202, "headers": {"Operation-Location": STATUS}}
    assert check(adopt=adopt, auth=auth) == check(url=STATUS, auth=auth)
    assert check(url=STATUS, auth=auth)["auth"] == auth
    assert "s3cr3t" not in refused(url=STATUS, auth={"type": "bearer", "token": "s3cr3t-itself"})


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "check: url is required, or adopt in its place"),
        ({"url": ""}, "check.url: should be an absolute http or https URL"),
        ({"url": "/operations/o"}, "check.url: should be an absolute http or https URL"),
        ({"url": STATUS, "rule": "guess"}, "check.rule: "),
        ({"url": STATUS, "headers": {"Authorization": "Bearer x"}}, "would carry a secret into the history"),
        ({"url": STATUS, "final_state": "x"}, "check.final_state: is not a known field"),
        ({"url": STATUS, "adopt": {"url": RESOURCE, "status_code": 201}}, "give one or the other"),
        ({"rule": "location", "adopt": {"url": RESOURCE, "status_code": 201}}, "give one or the other"),
        ({"adopt": {"url": RESOURCE}}, "check.adopt.status_code: is required"),
        ({"adopt": {"status_code": 201}}, "check.adopt.url: is required"),
        (
            {"adopt": {"url": RESOURCE, "status_code": 202, "headers": {"Location": "/" + "x" * 8192}}},
            "check.url: ",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_place(fields: dict[str, Any], why: str) -> None:
    assert why in refused(**fields)
