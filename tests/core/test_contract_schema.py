"""The published JSON Schema says what the door lets in, field by field and bound by bound."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from monitor_core.contract import MonitorRequest, RequestError, parse_request, request_schema
from monitor_core.kinds import BUILT_IN, CheckSpec

SCHEMA = request_schema(BUILT_IN)
MINIMAL: dict[str, Any] = {
    "job_id": "job-1",
    "check": {"kind": "http", "url": "http://a.example/"},
    "polling": {"interval_seconds": 0.1},  # below any cap
}


def definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["$defs"][name]
    return found


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from nodes(child)


def bounds() -> Iterator[tuple[str, float, float]]:
    """The path of each number that is bounded, a value on the bound, and one beyond."""
    places = {"": SCHEMA, "polling": definition("Polling"), "tolerance": definition("Tolerance")}
    places["check"] = definition("check-http")
    for place, schema in places.items():
        for name, field in schema["properties"].items():
            for option in (field, *field.get("anyOf", ())):
                step = 1 if option.get("type") == "integer" else 0.01
                for bound, way in (("minimum", -step), ("maximum", step)):
                    if bound in option:
                        yield f"{place}.{name}".lstrip("."), option[bound], option[bound] + way


def with_value(path: str, value: Any) -> dict[str, Any]:
    place, _, name = path.rpartition(".")
    if not place:
        return {**MINIMAL, name: value}
    return {**MINIMAL, place: {**MINIMAL.get(place, {}), name: value}}


def test_it_names_its_dialect_and_every_field() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["type"] == "object"
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["properties"].keys() == MonitorRequest.model_fields.keys()
    assert set(SCHEMA["required"]) == {"job_id", "check"}


class Part(BaseModel):
    """What a check of a plug-in is made of."""

    name: str


class PluggedCheck(CheckSpec):
    """A kind whose fields have fields."""

    variables = MappingProxyType({})

    kind: Literal["plugged"] = "plugged"
    parts: list[Part]


@pytest.mark.parametrize("kinds", [BUILT_IN, {**BUILT_IN, "plugged": PluggedCheck}])
def test_every_reference_leads_somewhere(kinds: Mapping[str, type[CheckSpec]]) -> None:
    schema = request_schema(kinds)
    references = [node["$ref"] for node in nodes(schema) if "$ref" in node]
    assert references
    for reference in references:
        assert reference.removeprefix("#/$defs/") in schema["$defs"], reference


class StartedBy(BaseModel):
    """A part that a built-in kind has of that name too."""

    whom: str


class NamesakeCheck(CheckSpec):
    """A kind whose part is called as a part of another kind."""

    variables = MappingProxyType({})

    kind: Literal["namesake"] = "namesake"
    started_by: StartedBy


def test_parts_of_two_kinds_that_are_called_the_same_are_kept_apart() -> None:
    schema = request_schema({**BUILT_IN, "namesake": NamesakeCheck})
    parts = [part for name, part in schema["$defs"].items() if name.endswith("-StartedBy")]
    assert [("whom" in part["properties"]) for part in parts] == [False, True]


def test_the_check_is_of_exactly_one_built_in_kind() -> None:
    options = [option["$ref"] for option in SCHEMA["properties"]["check"]["oneOf"]]
    assert options == [f"#/$defs/check-{kind}" for kind in sorted(BUILT_IN)]
    for kind, spec in BUILT_IN.items():
        schema = definition(f"check-{kind}")
        assert schema["additionalProperties"] is False
        assert schema["properties"]["kind"]["const"] == kind
        assert schema["properties"].keys() == spec.model_fields.keys()


def test_only_the_given_kinds_are_in_it() -> None:
    schema = request_schema({"simulated": BUILT_IN["simulated"]})
    assert [name for name in schema["$defs"] if name.startswith("check-")] == ["check-simulated"]


@pytest.mark.parametrize(("path", "on", "beyond"), list(bounds()))
def test_a_bound_of_the_schema_is_the_bound_of_the_door(path: str, on: float, beyond: float) -> None:
    parse_request(with_value(path, on), BUILT_IN)
    with pytest.raises(RequestError, match=path):
        parse_request(with_value(path, beyond), BUILT_IN)


def test_defaults_of_the_schema_are_the_defaults_of_the_door() -> None:
    request = parse_request({**MINIMAL, "polling": {}}, BUILT_IN).model_dump(mode="json")
    defaults = {name: field["default"] for name, field in SCHEMA["properties"].items() if "default" in field}
    assert defaults == {name: request[name] for name in defaults}
    assert defaults.keys() == MonitorRequest.model_fields.keys() - {"job_id", "check"}
