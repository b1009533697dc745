"""The properties that Azure takes, as recorded in azure_types.json, and what in a resource is not among them."""

import json
from functools import lru_cache
from pathlib import Path

from infra.template import Declaration, Value, literal

FILE = Path(__file__).with_name("azure_types.json")
# What Bicep itself puts into a resource's body.
_OWN = {"parent", "scope", "dependsOn"}
_KINDS = {"int", "bool", "string"}

Shape = str | list["Shape"] | dict[str, "Shape"]
"""`int`, `bool`, `string`, values as `A | B | string`, `any` (not looked into), [item], or properties."""


@lru_cache
def shapes() -> dict[str, Shape]:
    """The recorded shape of each resource type."""
    recorded: dict[str, Shape] = json.loads(FILE.read_text(encoding="utf-8"))
    return recorded


def problems_in(where: str, resource: Declaration) -> list[str]:
    """Properties that the resource's type does not have, and literals that do not fit."""
    of = resource.of.partition("@")[0]
    shape = shapes().get(of)
    if shape is None:
        return [f"{where}: {of} is not in {FILE.name}: run record_azure_types"]
    return _compare(where, {name: value for name, value in resource.body.items() if name not in _OWN}, shape)


def _compare(where: str, value: Value, shape: Shape) -> list[str]:
    if shape == "any":
        return []
    if isinstance(value, dict):
        return _properties(where, value, shape)
    if isinstance(value, list):
        items = shape[0] if isinstance(shape, list) else None
        if items is None:
            return [f"{where}: is no list"]
        return [
            problem for index, item in enumerate(value) for problem in _compare(f"{where}[{index}]", item, items)
        ]
    return _leaf(where, value, shape)


def _properties(where: str, value: dict[str, Value], shape: Shape) -> list[str]:
    if not isinstance(shape, dict):
        return [f"{where}: is no object"]
    found = [f"{where}: has no {name}" for name in value if name not in shape and not name.startswith("resource ")]
    for name in value.keys() & shape.keys():
        found += _compare(f"{where}.{name}", value[name], shape[name])
    return found


def _leaf(where: str, value: str, shape: Shape) -> list[str]:
    text = literal(value)
    if text is None and not value.isdecimal() and value not in {"true", "false"}:
        return []  # an expression: its type is the compiler's affair
    kind = "string" if text is not None else "int" if value.isdecimal() else "bool"
    allowed = shape.split(" | ") if isinstance(shape, str) else []
    if text is not None and shape not in _KINDS:
        return [] if text in allowed or "${" in text else [f"{where}: is {text}, not one of {shape}"]
    return [] if kind in allowed else [f"{where}: is {kind}, not {shape}"]
