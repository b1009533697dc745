"""What is checked, as text by path: a test plants a fault in a copy and asks the check again."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from infra.template import Template, Value, at, parse

ROOT = Path(__file__).parents[2]
SERVICES = ("client-scheduler", "worker")
_PATTERNS = (
    "infra/**/*.bicep",
    "infra/**/*.json",
    "infra/**/*.kql",
    "azure.yaml",
    ".github/workflows/*.yml",
    "docs/deploy.md",
    "docs/operate.md",
)
_VARIABLE = re.compile(r"\$\{(\w+)(?:=([^}]*))?\}")

Sources = Mapping[str, str]
Check = Callable[[Sources], list[str]]
"""Returns what is wrong, a sentence each that begins with the file; nothing where all is well."""
Rule = tuple[str, str, str, str]
"""A Bicep file, a place in it (`symbol.path.into.it`), the value that has to stand there, what is wrong if not."""


def read(root: Path = ROOT) -> Sources:
    """The files of the deployment, by their path from the repository's top."""
    paths = sorted(path for pattern in _PATTERNS for path in root.glob(pattern))
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def plant(sources: Sources, path: str, old: str, new: str) -> Sources:
    """A copy in which `old`, which stands in the file exactly once, is `new`."""
    assert sources[path].count(old) == 1, f"{path} has {old!r} {sources[path].count(old)} times"
    return {**sources, path: sources[path].replace(old, new)}


def templates(sources: Sources) -> Iterator[tuple[str, Template]]:
    """Every Bicep file, read."""
    return ((path, parse(text)) for path, text in sources.items() if path.endswith(".bicep"))


def service(sources: Sources, name: str) -> Template:
    """The Bicep file that `azd deploy` uses for a service."""
    return parse(sources[f"infra/{name}.bicep"])


def given(sources: Sources, name: str) -> dict[str, str]:
    """The values of `infra/<name>.parameters.json`, variables not yet filled in."""
    document = json.loads(sources[f"infra/{name}.parameters.json"])
    return {parameter: entry["value"] for parameter, entry in document["parameters"].items()}


def variables(values: Iterable[str]) -> dict[str, str]:
    """The azd variables that parameter values name, with their defaults; without one it is empty."""
    return {name: default for value in values for name, default in _VARIABLE.findall(value)}


def fill(value: str, environment: Mapping[str, str]) -> str:
    """A parameter's value as azd fills it in: an unset or empty variable is its default."""
    return _VARIABLE.sub(lambda match: environment.get(match[1]) or match[2] or "", value)


def broken(sources: Sources, rules: Iterable[Rule]) -> list[str]:
    """The rules that do not hold, each with what stands there instead."""
    return [
        f"{path}: {meaning} ({place} is {found})"
        for path, place, value, meaning in rules
        if (found := look(sources, path, place)) != value
    ]


def look(sources: Sources, path: str, place: str) -> Value | None:
    """What stands at `symbol.path`; `symbol.if` is a condition, of a parameter it is the default."""
    template = parse(sources[path])
    symbol, _, inner = place.partition(".")
    if declared := {**template.resources, **template.modules}.get(symbol):
        return declared.condition if inner == "if" else declared.at(inner)
    if symbol in template.parameters:
        return template.parameters[symbol].default
    value = template.variables.get(symbol)
    return at(value, inner) if inner else value
