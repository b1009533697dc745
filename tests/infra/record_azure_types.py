"""Renews azure_types.json from what `azmcp` (PyPI: msmcp-azure) knows offline.

Run by hand, in tests/: `python -m infra.record_azure_types`. The tool is 60 MB for one check, so its answers are
kept instead of it: the objects that the templates use, with everything that Azure takes in them. What it does not
know (Microsoft.DurableTask, alerts, action groups, diagnostic settings, private DNS zones) was written by hand
from the resource providers' own descriptions, and stays as it is.
"""

import json
import subprocess
import sys
from typing import Any

from infra.azure_types import FILE, Shape
from infra.sources import read, templates
from infra.template import Value

_LEAVES = {"int", "bool", "string"}


def main() -> None:
    """Ask for each type that the templates deploy; keep what is known of those that azmcp does not know."""
    known: dict[str, Shape] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    for of, bodies in _bodies().items():
        answer = _ask(of)
        if answer:
            known[of] = _object(answer, answer[of], bodies)
        sys.stdout.write(f"{of}: {'recorded' if answer else 'kept'}\n")
    FILE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _bodies() -> dict[str, list[Value]]:
    bodies: dict[str, list[Value]] = {}
    for _, template in templates(read()):
        for resource in template.resources.values():
            if "@" in resource.of and not resource.existing:
                bodies.setdefault(resource.of.partition("@")[0], []).append(resource.body)
    return bodies


def _ask(of: str) -> dict[str, Any]:
    """The objects of a type by name, the resource's own under the type's; empty where azmcp knows it not."""
    command = ["azmcp", "bicepschema", "get", "--resource-type", of]
    answer = json.loads(subprocess.run(command, capture_output=True, check=False, text=True).stdout)
    entries = (answer.get("results") or {}).get("BicepSchemaResult", [])
    objects = {entry["name"]: entry for entry in entries if entry["$type"] == "Object"}
    bodies = [entry["bodyType"] for entry in entries if entry["$type"] == "Resource"]
    return objects | {of: bodies[0]} if bodies else {}


def _object(types: dict[str, Any], definition: dict[str, Any], used: list[Value]) -> Shape:
    """Every property that can be written; those that the templates fill with objects in depth."""
    return {
        entry["name"]: _shape(types, entry["type"], [value[entry["name"]] for value in used if _has(value, entry)])
        for entry in definition.get("properties", [])
        if "ReadOnly" not in entry.get("flags", "")
    }


def _has(value: Value, entry: dict[str, Any]) -> bool:
    return isinstance(value, dict) and entry["name"] in value


def _shape(types: dict[str, Any], name: str, used: list[Value]) -> Shape:
    if name.endswith("[]"):
        return [_shape(types, name[:-2], [item for value in used if isinstance(value, list) for item in value])]
    if name in _LEAVES or " | " in name:
        return name
    inner: list[Value] = [value for value in used if isinstance(value, dict)]
    definition = types.get(name, {})
    return _object(types, definition, inner) if inner and definition.get("properties") else "any"


if __name__ == "__main__":
    main()
