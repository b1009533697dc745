"""What the Bicep compiler and its linter would say, as far as it can be told without them."""

import json
import re
from functools import lru_cache
from pathlib import PurePosixPath

from lark.exceptions import LarkError
from pycep import BicepParser

from infra.sources import Sources, templates
from infra.template import Declaration, Template

# The newest generally available that Bicep 0.46 has types for: of a newer one the compiler warns (BCP081). Only a
# preview of diagnosticSettings takes category groups.
VERSIONS = {
    "Microsoft.App": "2026-01-01",
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.ContainerRegistry": "2025-11-01",
    "Microsoft.DurableTask": "2026-02-01",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/metricAlerts": "2018-03-01",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.ManagedIdentity": "2024-11-30",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2025-07-01",
    "Microsoft.Network/virtualNetworks": "2025-07-01",
    "Microsoft.OperationalInsights": "2025-07-01",
    "Microsoft.Resources": "2025-04-01",
}
_HOSTS = re.compile(r"(management\.azure|login\.microsoftonline|core\.windows|azurecr|vault\.azure)\.\w+")
_STYLE = {
    "dependsOn": re.compile(r"\bdependsOn\b"),
    "a host name that differs between clouds": _HOSTS,
    "an interpolation of a single value": re.compile(r"'\$\{[^}']*\}'(?!:)"),
    "concat() of text": re.compile(r"\bconcat\(\s*'"),
    "resourceId() of a resource that has a symbol": re.compile(r"(?<!subscriptionR)\bresourceId\("),
    "a name that changes at every run": re.compile(r"\b(newGuid|utcNow)\("),
}


def both_parsers_read_it(sources: Sources) -> list[str]:
    """The subset of Bicep that both offline parsers accept."""
    return [f"{path}: {error}" for path, template in templates(sources) for error in template.errors] + [
        f"{path}: pycep: {error}" for path in sources if path.endswith(".bicep") for error in _pycep(sources[path])
    ]


@lru_cache
def _pycep(text: str) -> tuple[str, ...]:
    try:
        BicepParser().parse(text=text)
    except LarkError as error:
        return (str(error).partition("\n")[0],)
    return ()


def every_name_resolves_and_is_used(sources: Sources) -> list[str]:
    """Undefined symbols; parameters, variables and existing resources that nothing names."""
    return [problem for path, template in templates(sources) for problem in _names(path, template)]


def _names(path: str, template: Template) -> list[str]:
    idle = {name for name, resource in template.resources.items() if resource.existing}
    idle = {*template.parameters, *template.variables, *idle} - template.named - _parents(template)
    undefined = template.named - template.symbols
    return [f"{path}: nothing uses {name}" for name in sorted(idle)] + [
        f"{path}: {name} is not defined" for name in sorted(undefined)
    ]


def _parents(template: Template) -> set[str]:
    """What is named through its parent: `network::subnet`."""
    text = " ".join(str(output.value) for output in template.outputs.values())
    text += " ".join(str(resource.body) for resource in template.resources.values())
    return set(re.findall(r"::(\w+)", text))


def everything_is_described(sources: Sources) -> list[str]:
    """Parameters and outputs say what they are; each file says what it deploys, or why it is there."""
    found = [f"{path}: no description" for path, text in sources.items() if _undescribed(path, text)]
    for path, template in templates(sources):
        said = {name: each.decorators for name, each in template.parameters.items()}
        said |= {name: each.decorators for name, each in template.outputs.items()}
        found += [f"{path}: {name} has no description" for name in said if "@description(" not in said[name]]
    return found


def _undescribed(path: str, text: str) -> bool:
    return path.endswith(".bicep") and "\nmetadata description = " not in f"\n{text}"


def modules_fit(sources: Sources) -> list[str]:
    """A module gets the parameters that it takes, no others, and is asked for outputs that it has."""
    read = dict(templates(sources))
    found: list[str] = []
    for path, template in read.items():
        for symbol, module in template.modules.items():
            target = read.get(str(PurePosixPath(path).parent / module.of))
            where = f"{path}: module {symbol}"
            found += [f"{where}: no file {module.of}"] if target is None else _fit(where, module, target)
            wanted = set(re.findall(rf"\b{symbol}\.\??outputs\.(\w+)", sources[path]))
            found += [
                f"{where}: no output {name}" for name in sorted(wanted - set(target.outputs if target else {}))
            ]
    return found


def _fit(where: str, module: Declaration, target: Template) -> list[str]:
    params = module.at("params")
    given = set(params) if isinstance(params, dict) else set()
    needed = {name for name, parameter in target.parameters.items() if parameter.default is None}
    return [f"{where}: needs {name}" for name in sorted(needed - given)] + [
        f"{where}: takes no {name}" for name in sorted(given - set(target.parameters))
    ]


def api_versions_are_pinned(sources: Sources) -> list[str]:
    """One version of each resource type, that of the table above."""
    return [
        f"{path}: {symbol} is {resource.of}, the version is {_version(resource.of)}"
        for path, template in templates(sources)
        for symbol, resource in template.resources.items()
        if "@" in resource.of and resource.of.partition("@")[2] != _version(resource.of)
    ]


def _version(of: str) -> str:
    return next((version for prefix, version in VERSIONS.items() if of.startswith(prefix)), "not in VERSIONS")


def the_linter_is_content(sources: Sources) -> list[str]:
    """Idioms that the default linter warns of and that text alone shows."""
    return [
        f"{path}: {what}: {match[0]}"
        for path, text in sources.items()
        if path.endswith(".bicep")
        for what, pattern in _STYLE.items()
        for match in pattern.finditer(text)
    ]


def abbreviations_are_those_used(sources: Sources) -> list[str]:
    """The names' beginnings: all that are used are there, all that are there are used."""
    listed = set(json.loads(sources["infra/abbreviations.json"]))
    text = " ".join(text for path, text in sources.items() if path.endswith(".bicep"))
    used = set(re.findall(r"\babbreviations\.(?!json)(\w+)", text))
    return [f"infra/abbreviations.json: {name} is used or listed, not both" for name in sorted(listed ^ used)]


def properties_exist(sources: Sources) -> list[str]:
    """Every property of every resource is one of its type, and every literal one of its values."""
    from infra.azure_types import problems_in  # noqa: PLC0415 # it reads a file that only this check needs

    return [
        problem
        for path, template in templates(sources)
        for symbol, resource in template.resources.items()
        if "@" in resource.of and not resource.existing
        for problem in problems_in(f"{path}: {symbol}", resource)
    ]
