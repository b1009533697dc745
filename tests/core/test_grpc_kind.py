"""The spec of the kind `grpc`: which targets and services it takes, and what it counts as success by itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from monitor_core.conditions import conditions
from monitor_core.kinds import GrpcCheck


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        GrpcCheck.model_validate({"host": "a.example", "port": 443, **fields})
    return str(caught.value)


@pytest.mark.parametrize("service", ["", "shop.Orders", "grpc.health.v1.Health", "liveness", "a/b_c-d"])
def test_a_name_is_a_service(service: str) -> None:
    assert GrpcCheck(host="a.example", port=443, service=service).service == service


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("host", "a.example:443", "a name or an address alone"),
        ("host", "dns:///a.example", "a name or an address alone"),
        ("host", "a..example", "a name that DNS can carry"),
        ("port", 0, "port"),
        ("port", 65536, "port"),
        ("service", "a b", "service"),
        ("service", "a\n", "service"),
        ("service", "x" * 257, "service"),
        ("authority", "b.example", "authority"),
    ],
)
def test_anything_else_is_refused(field: str, value: object, why: str) -> None:
    assert why in refused(**{field: value})


def test_it_is_written_by_what_differs_from_its_defaults() -> None:
    check = GrpcCheck(host="a.example", port=443, tls=True)
    assert check.as_wire() == {"kind": "grpc", "host": "a.example", "port": 443, "tls": True}


@pytest.mark.parametrize("text", ["serving", "status == 'NOT_SERVING'", "connected && !serving"])
def test_a_condition_can_be_judged_before_the_server_answers(text: str) -> None:
    condition, _ = conditions(text, None, GrpcCheck)
    assert condition is not None
    assert condition.holds({"serving": False, "connected": False, "status": ""}) is False
