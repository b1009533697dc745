"""A field's JSON Schema in words: `whole number, 1 to 65,535`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from reference.markdown import code

Schema = Mapping[str, Any]
Link = Callable[[str], str]
"""From a part's name to a link to where it is described."""

_WORDS: Final = {"boolean": "true or false", "integer": "whole number", "number": "number", "string": "text"}
_LONGEST_PATTERN: Final = 60


def in_words(schema: Schema, link: Link) -> str:
    """What a field takes; `null` is left out, its default says it."""
    if "$ref" in schema:
        return link(schema["$ref"].rpartition("/")[2])
    options = [one for key in ("anyOf", "oneOf") for one in schema.get(key, ()) if one.get("type") != "null"]
    if options:
        return ", or ".join(in_words(one, link) for one in options)
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return ", ".join(map(code, values))
    return _plain(schema, link)


def default_in_words(name: str, field: Schema, required: bool) -> str:
    """What a field is where it is not given."""
    if required:
        return "required"
    match field.get("default"):
        case None | "" | {} | [] if name != "kind":
            return "none"
        case bool() as flag:
            return code(str(flag).lower())
        case list() as values:
            return ", ".join(map(code, values))
        case value:
            return code(value)


def _plain(schema: Schema, link: Link) -> str:
    match schema.get("type"):
        case None:
            return "any JSON"
        case "array":
            return f"list of: {in_words(schema.get('items', {}), link)}{_count(schema, 'Items', '')}"
        case "object":
            values = schema.get("additionalProperties", {})
            what = in_words(values, link) if isinstance(values, Mapping) else "any JSON"
            return f"names{_count(schema, 'Properties', '')}, each with: {what}"
        case "string" if schema.get("format") == "date-time":
            return "time"
        case kind:
            return _WORDS[str(kind)] + _bounds(schema) + _count(schema, "Length", " characters") + _pattern(schema)


def _bounds(schema: Schema) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    lower, upper = "more than" if "exclusiveMinimum" in schema else "at least", "at most"
    if "exclusiveMaximum" in schema:
        upper = "less than"
    if low is not None and high is not None and (lower, upper) == ("at least", "at most"):
        return f", {_figure(low)} to {_figure(high)}"
    bounds = [f"{word} {_figure(bound)}" for word, bound in ((lower, low), (upper, high)) if bound is not None]
    return "".join(f", {bound}" for bound in bounds)


def _figure(number: float) -> str:
    """A number as people write it; OpenAPI documents have whole ones as fractions."""
    return f"{int(number) if number == int(number) else number:,}"


def _count(schema: Schema, of: str, unit: str) -> str:
    low, high = schema.get(f"min{of}"), schema.get(f"max{of}")
    bounds = ["not empty"] if low == 1 else [f"at least {low:,}{unit}"] if low else []
    bounds += [f"at most {high:,}{unit}"] if high else []
    return "".join(f", {bound}" for bound in bounds)


def _pattern(schema: Schema) -> str:
    pattern = schema.get("pattern", "")
    return f", {code(pattern)}" if 0 < len(pattern) <= _LONGEST_PATTERN else ""
