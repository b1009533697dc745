"""One kind as a section of a page."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from monitor_core.kinds.base import CheckSpec
from monitor_core.kinds.summary import waits_for
from reference.markdown import code, prose, table
from reference.types import Link, Schema, default_in_words, in_words


def about(spec: type[CheckSpec]) -> Iterator[str]:
    """The paragraphs that say what the kind is."""
    yield waits_for(spec)
    yield inspect.getdoc(spec) or ""
    if spec.needs:
        yield f"Its driver needs the package {code(spec.needs)}, which the worker's image has."


def fields(schema: Schema, link: Link) -> str:
    """The table of a model's fields."""
    required = schema.get("required", ())
    rows = [
        (
            code(name),
            in_words(one, link),
            default_in_words(name, one, name in required),
            prose(one.get("description", "")),
        )
        for name, one in schema.get("properties", {}).items()
        if name != "kind"
    ]
    return table(("Field", "Takes", "Default", "Meaning"), rows)


def conditions(spec: type[CheckSpec]) -> Iterator[str]:
    """What conditions may use, and which ones there are without any."""
    rows = [(code(name), variable.type, prose(variable.description)) for name, variable in spec.variables.items()]
    yield table(("Variable", "Type", "Meaning"), rows)
    natural = {"Completed": spec.natural_success, "Failed": spec.natural_failure}
    said = [f"- {code(verdict)} when {code(text)}" for verdict, text in natural.items() if text]
    if said:
        yield "\n".join(["Without `success_when` and `failure_when` it ends as", "", *said])
    else:
        yield "There is no natural condition: give `success_when` or `failure_when`."


def example(shown: Mapping[str, Any]) -> str:
    """A kind's example as YAML."""
    text = yaml.safe_dump(_plain(shown), sort_keys=False, width=100, allow_unicode=True)
    return f"```yaml\n{text}```"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
