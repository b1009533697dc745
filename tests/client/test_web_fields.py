"""A kind's schema as form fields: each by its shape, whatever the kind, filled with what a request has."""

from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field

from monitor_client.web.fields import FormField, fields_of
from monitor_client.web.targets import target_of
from monitor_core.contract import MonitorRequest
from monitor_core.kinds import BUILT_IN, CheckSpec, Variable


class Part(BaseModel):
    """One of two shapes."""

    type: Literal["part"]
    count: int
    note: str = ""


class Other(BaseModel):
    """The other."""

    type: Literal["other"]
    path: str


class Pace(BaseModel):
    """What can be left out field by field."""

    seconds: float = 1.5


class PluginCheck(CheckSpec):
    """A kind that nobody here knows."""

    variables: ClassVar[dict[str, Variable]] = {}

    kind: Literal["plugin"] = "plugin"
    limit_ms: int | None = None
    mode: Literal["fast", "slow"] = "slow"
    strict: bool = True
    tags: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    names: Annotated[dict[str, str], Field(max_length=5)] = Field({})
    anything: Any = None
    part: Annotated[Part | Other, Field(discriminator="type")] | None = None
    pace: Pace = Pace()
    script: str = Field("", max_length=5000)
    api_url: str = Field(max_length=2048, description="Where it is.")


def fields(**given: Any) -> dict[str, FormField]:
    found = fields_of(PluginCheck.model_json_schema(), "check", given)
    return {one.name.removeprefix("check."): one for one in found}


def test_each_field_has_its_shape_and_those_that_are_needed_come_first() -> None:
    shapes = {name: one.shape for name, one in fields().items()}
    assert next(iter(shapes)) == "api_url"
    assert shapes == {
        "api_url": "text",
        "limit_ms": "number",
        "mode": "choice",
        "strict": "boolean",
        "tags": "lines",
        "sizes": "json",
        "names": "pairs",
        "anything": "json",
        "part": "json",
        "pace.seconds": "number",
        "script": "long",
    }


def test_a_field_says_what_it_is() -> None:
    found = fields()
    assert (found["api_url"].label, found["api_url"].hint, found["api_url"].required) == (
        "API URL",
        "Where it is.",
        True,
    )
    assert found["limit_ms"].label == "Limit (milliseconds)"
    assert found["mode"].choices == ("fast", "slow")
    assert (found["mode"].default, found["strict"].default, found["pace.seconds"].default) == (
        "slow",
        "true",
        "1.5",
    )
    assert found["part"].examples == ('{"type": "part", "count": 0}', '{"type": "other", "path": "..."}')
    assert found["api_url"].element("plugin") == "plugin-check-api_url"


def test_a_request_fills_it_as_it_would_be_typed() -> None:
    found = fields(names={"a": "b: c"}, tags=["x", "y"], strict=False, anything="5", pace={"seconds": 3.0})
    assert {name: one.value for name, one in found.items() if one.value} == {
        "names": "a: b: c",
        "tags": "x\ny",
        "strict": "false",
        "anything": '"5"',
        "pace.seconds": "3",
    }


@pytest.mark.parametrize("spec", BUILT_IN.values(), ids=BUILT_IN)
def test_every_field_of_every_kind_can_be_filled_in(spec: type[CheckSpec]) -> None:
    names = {one.name for one in fields_of(spec.model_json_schema(), "check", {})}
    assert names == {f"check.{name}" for name in spec.model_fields if name != "kind"}


def test_every_field_of_a_request_can_be_filled_in() -> None:
    names = {one.name.partition(".")[0] for one in fields_of(MonitorRequest.model_json_schema(), "", {})}
    assert names == set(MonitorRequest.model_fields)


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"kind": "http", "url": "https://example.com/"}, "https://example.com/"),
        ({"kind": "tcp", "host": "example.com", "port": 443, "tls": True}, "example.com:443"),
        ({"kind": "simulated", "checks": 3, "outcome": "Failed"}, "checks 3, outcome Failed"),
        ({"kind": "simulated"}, ""),
        ({"kind": "unheard-of", "x": 1}, ""),
    ],
)
def test_a_target_is_said_in_one_line(check: dict[str, Any], said: str) -> None:
    assert target_of(check, BUILT_IN) == said


def test_an_example_of_a_secret_is_a_reference_and_no_invitation_to_type_it() -> None:
    found = fields_of(BUILT_IN["http"].model_json_schema(), "check", {})
    auth = next(one for one in found if one.name == "check.auth")
    assert '{"type": "bearer", "token": "env:MONITOR_SECRET_NAME"}' in auth.examples
