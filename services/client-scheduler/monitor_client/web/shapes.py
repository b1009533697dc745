"""What a JSON Schema means, its references followed. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
_PLACEHOLDERS: Final[Mapping[str, Any]] = {
    "array": [],
    "boolean": False,
    "integer": 0,
    "number": 0,
    "object": {},
    "string": "...",
}


def resolved(root: Schema, schema: Schema) -> Schema:
    """The schema itself, or the one in `root` that it refers to."""
    reference = schema.get("$ref")
    return root["$defs"][reference.rpartition("/")[2]] if reference else schema


def variants(root: Schema, schema: Schema) -> Iterator[Schema]:
    """The schemas of which a value has to fulfil one."""
    schema = resolved(root, schema)
    several = schema.get("anyOf") if "properties" not in schema else None
    several = several or schema.get("oneOf")
    if not several:
        yield schema
        return
    for one in several:
        yield from variants(root, one)


def example(root: Schema, schema: Schema) -> str:
    """The smallest value that says what a schema of an object asks for, as JSON."""
    needed = [name for name in schema["properties"] if name in schema.get("required", ())]
    filled = {name: _placeholder(root, schema["properties"][name]) for name in needed}
    return json.dumps(filled, ensure_ascii=False)


def _placeholder(root: Schema, schema: Schema) -> Any:
    first = next(variants(root, schema))
    if "const" in first:
        return first["const"]
    if "enum" in first:
        return first["enum"][0]
    if "examples" in first:
        return first["examples"][0]
    return _PLACEHOLDERS.get(str(first.get("type")))
