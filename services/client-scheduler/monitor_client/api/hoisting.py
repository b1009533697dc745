"""Moves a JSON Schema with its own parts into the components of an OpenAPI document."""

import json
from typing import Any, Final

Schemas = dict[str, Any]
_OWN: Final = "#/$defs/"
_SHARED: Final = "#/components/schemas/"


def hoisted(schemas: Schemas, name: str, schema: Schemas) -> None:
    """Add `schema` to `schemas` as `name`, its parts beside it.

    A part that has the name of another there, and is not the same, is called `...-Input`: the framework has the
    names of what answers are made of.
    """
    parts = schema.pop("$defs", {})
    schema.pop("$schema", None)
    names = {part: _name(schemas, part, shape) for part, shape in parts.items()}
    for part, shape in {**{names[part]: shape for part, shape in parts.items()}, name: schema}.items():
        schemas[part] = _relinked(shape, names)


def _name(schemas: Schemas, part: str, shape: Any) -> str:
    taken = schemas.get(part)
    is_another = taken is not None and json.dumps(taken, sort_keys=True) != json.dumps(shape, sort_keys=True)
    return f"{part}-Input" if is_another else part


def _relinked(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_relinked(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _link(one, names) if _is_link(key, one) else _relinked(one, names) for key, one in value.items()}


def _is_link(key: str, value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_OWN) and key != "description"


def _link(value: str, names: dict[str, str]) -> str:
    part = value.removeprefix(_OWN)
    return f"{_SHARED}{names.get(part, part)}"
