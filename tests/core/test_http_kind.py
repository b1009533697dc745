"""The spec of the kind `http`: who is asking, conditional requests, and what HEAD counts as success by itself."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from monitor_core.conditions import Condition, conditions
from monitor_core.contract import RequestError, parse_request
from monitor_core.kinds import BUILT_IN, HttpCheck
from monitor_core.kinds.auth import Auth, require_one_of_each

SECRET = "env:MONITOR_SECRET_API"
BEARER = {"type": "bearer", "token": SECRET}
API_KEY = {"type": "api_key", "header": "X-Api-Key", "key": SECRET}


def accepted(**fields: Any) -> HttpCheck:
    return HttpCheck.model_validate({"url": "https://a.example/", **fields})


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        accepted(**fields)
    return str(caught.value)


@pytest.mark.parametrize(
    "auth",
    [
        BEARER,
        API_KEY,
        {"type": "basic", "username": "me", "password": SECRET},
        {"type": "managed_identity", "audience": "https://management.azure.com"},
    ],
)
def test_who_is_asking_is_written_as_it_was_given(auth: dict[str, str]) -> None:
    check = accepted(auth=auth, headers={"X-Mine": "1"})
    assert check.as_wire()["auth"] == auth
    assert HttpCheck.model_validate(check.as_wire()) == check


@pytest.mark.parametrize("name", ["X-Api-Key", "x-api-key"])
def test_a_header_that_auth_sets_is_refused(name: str) -> None:
    problem = refused(auth=API_KEY, headers={"X-Mine": "1", name: "value"})
    assert "X-Api-Key stands in headers and is set by auth: leave it out of headers" in problem
    accepted(auth=BEARER, headers={name: "value"})


def test_a_clash_is_told_at_the_door_by_its_field() -> None:
    check = {"kind": "http", "url": "https://a.example/", "auth": API_KEY, "headers": {"X-API-KEY": "value"}}
    with pytest.raises(RequestError, match="check: X-Api-Key stands in headers and is set by auth"):
        parse_request({"job_id": "job", "check": check}, BUILT_IN)


def test_authorization_itself_may_clash_too() -> None:
    auth: Auth = TypeAdapter[Auth](Auth).validate_python(BEARER)
    with pytest.raises(ValueError, match="Authorization stands in headers"):
        require_one_of_each(auth, ["authorization"])
    require_one_of_each(None, ["authorization"])


@pytest.mark.parametrize("header", ["Host", "content-length", "Transfer-Encoding"])
def test_a_key_is_in_no_header_that_the_check_sets(header: str) -> None:
    assert f"{header} is set by the check itself" in refused(auth={**API_KEY, "header": header})


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "POST"])
def test_other_methods_are_not_conditional(method: str) -> None:
    assert "conditional is for GET and HEAD" in refused(method=method, conditional=True, allow_repeat=True)


@pytest.mark.parametrize("name", ["If-None-Match", "if-modified-since"])
def test_what_conditional_sets_is_refused_among_the_headers(name: str) -> None:
    assert f"{name} is set by conditional" in refused(conditional=True, headers={name: "x"})
    accepted(headers={name: "x"})


@pytest.mark.parametrize(("code", "verdict"), [(200, True), (204, True), (304, False), (404, False), (503, False)])
def test_by_head_any_good_answer_is_success(code: int, verdict: bool) -> None:
    success, failure = conditions(None, None, HttpCheck)
    assert success is not None
    assert failure is not None
    values = {"code": code, "method": "HEAD"}
    assert (success.holds(values), failure.holds(values)) == (verdict, False)


@pytest.mark.parametrize("text", ["changed", "not_modified || changed", "!not_modified && body.count > 3"])
def test_what_is_always_there_is_asked_first(text: str) -> None:
    values = {"code": 200, "changed": False, "not_modified": True}
    assert Condition("success_when", text, HttpCheck.variables).holds(values) is (
        text == "not_modified || changed"
    )


def test_the_example_is_a_request() -> None:
    request = parse_request({"job_id": "job", **HttpCheck.example}, BUILT_IN)
    conditions(request.success_when, request.failure_when, HttpCheck)
