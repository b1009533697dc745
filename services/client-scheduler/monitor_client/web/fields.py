"""A JSON Schema as the fields of a form. Pure: what a kind says about itself is all there is to know."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from monitor_client.web.paths import shown_json
from monitor_client.web.shapes import Schema, example, resolved, variants

Shape = Literal["text", "long", "number", "boolean", "choice", "pairs", "lines", "json"]
_LONG_TEXT: Final = 1000
_ONE_LINE: Final = ("url", "path", "_id", "endpoint")
_SCALAR: Final = frozenset({"string", "number", "integer", "boolean"})
_UNITS: Final = {"_seconds": "seconds", "_ms": "milliseconds", "_bytes": "bytes", "_days": "days"}

_ABBREVIATIONS: Final = {"api": "API", "id": "ID", "sql": "SQL", "tls": "TLS", "url": "URL"}


@dataclass(frozen=True)
class FormField:
    """One field: its dotted path in the request, how it is typed in, and what stands in it."""

    name: str
    label: str
    shape: Shape
    hint: str
    required: bool
    default: str
    choices: tuple[str, ...]
    examples: tuple[str, ...]
    value: str
    wide: bool

    def element(self, part: str) -> str:
        """Its id in a part of the page; several parts may have a field of the same name."""
        return "-".join([part, *self.name.split(".")])


def fields_of(schema: Schema, prefix: str, given: Mapping[str, Any]) -> list[FormField]:
    """The fields of an object's schema below `prefix`, those that are required first; `given` fills them."""
    fields = list(_fields(schema, schema, prefix, given))
    return [one for one in fields if one.required] + [one for one in fields if not one.required]


def _fields(root: Schema, schema: Schema, prefix: str, given: Mapping[str, Any]) -> Iterator[FormField]:
    for name, asked in schema["properties"].items():
        path = f"{prefix}.{name}" if prefix else name
        kind = resolved(root, asked)
        if "const" in kind:
            continue
        if _is_section(kind) and "anyOf" not in asked:
            inner = given.get(name)
            yield from _fields(root, kind, path, inner if isinstance(inner, Mapping) else {})
            continue
        yield _field(root, {**kind, **asked}, path, name in schema.get("required", ()), given.get(name))


def _is_section(kind: Schema) -> bool:
    """An object that can be left out field by field: its fields are fields of the form."""
    return "properties" in kind and not kind.get("required")


def _field(root: Schema, schema: Schema, path: str, required: bool, given: Any) -> FormField:
    options = [one for one in variants(root, schema) if one.get("type") != "null"]
    shape = _shape(options, path)
    default = schema.get("default")
    return FormField(
        name=path,
        label=_label(path),
        shape=shape,
        hint=str(schema.get("description", "")),
        required=required,
        default="" if default is None else _typed(default, shape),
        choices=tuple(str(one) for one in options[0].get("enum", ())) if shape == "choice" else (),
        examples=tuple(example(root, one) for one in options if "properties" in one) if shape == "json" else (),
        value="" if given is None else _typed(given, shape),
        wide=shape in {"json", "long"} or path.endswith(_ONE_LINE),
    )


def _shape(options: Sequence[Schema], path: str) -> Shape:
    """How a value of one of these schemas is typed in. What is not known is typed in as JSON."""
    types = {str(one.get("type")) for one in options}
    if len(options) == 1:
        shape = _single(options[0])
        return "text" if shape == "long" and path.endswith(_ONE_LINE) else shape
    if types <= _SCALAR:
        return "number" if types & {"number", "integer"} else "text"
    return "json"


def _single(schema: Schema) -> Shape:
    match schema:
        case {"enum": _}:
            return "choice"
        case {"type": "boolean" | "integer" | "number" as kind}:
            return "boolean" if kind == "boolean" else "number"
        case {"type": "string"}:
            return "long" if schema.get("maxLength", 0) > _LONG_TEXT else "text"
        case {"type": "array", "items": {"type": "string"} | {"anyOf": _}}:
            return "lines"
        case {"type": "object"} if _holds_texts(schema):
            return "pairs"
    return "json"


def _holds_texts(schema: Schema) -> bool:
    members = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    known = [one for one in members if isinstance(one, Mapping)]
    return bool(known) and all(one.get("type") == "string" for one in known)


def _typed(value: Any, shape: Shape) -> str:
    """A value as it would be typed in."""
    if shape == "pairs" and isinstance(value, Mapping):
        return "\n".join(f"{name}: {text}" for name, text in value.items())
    if shape == "lines" and isinstance(value, Sequence) and not isinstance(value, str):
        return "\n".join(str(one) for one in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if shape == "json" and isinstance(value, str) and _is_json(value):
        return json.dumps(value, ensure_ascii=False)  # without its quotes it would come back as something else
    return shown_json(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _label(path: str) -> str:
    """`max_interval_seconds` as `Max interval (seconds)`."""
    name = path.rpartition(".")[2]
    ending = next((one for one in _UNITS if name.endswith(one)), "")
    first, *others = [_ABBREVIATIONS.get(word, word) for word in name.removesuffix(ending).split("_")]
    said = " ".join([first[:1].upper() + first[1:], *others])
    return f"{said} ({_UNITS[ending]})" if ending else said
