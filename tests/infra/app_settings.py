"""What the container of each app finds in its environment, and whether settings.py reads it."""

import re
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from infra.sources import SERVICES, Sources, fill, given, service
from infra.template import Declaration, Template, Value, at, literal
from monitor_core.settings import (
    CONNECTION_STRING,
    AuthSettings,
    ClientSettings,
    SchedulerSettings,
    WorkerSettings,
)

_APP = "Microsoft.App/containerApps"
SETTINGS: dict[str, tuple[type[BaseModel], ...]] = {
    "worker": (WorkerSettings, SchedulerSettings),
    "client-scheduler": (ClientSettings, AuthSettings, SchedulerSettings),
}
# telemetry.py, OpenTelemetry itself, and azure-identity (for the tokens of checks as well) read these.
LIBRARIES = {"APPLICATIONINSIGHTS_CONNECTION_STRING", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}
LIBRARIES |= {"AZURE_CLIENT_ID"}


def app(sources: Sources, name: str) -> Declaration:
    """The container app of a service."""
    return next(found for _, found in service(sources, name).deployed(_APP))


def environment(sources: Sources, name: str) -> dict[str, Value]:
    """The variables that the container of a service gets, those on a condition included."""
    template = service(sources, name)
    value = app(sources, name).at("properties.template.containers.0.env")
    return {str(literal(at(entry, "name"))): at(entry, "value") or "" for entry in _entries(template, value)}


def _entries(template: Template, value: Value | None) -> Iterator[Value]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, str):
        for name in re.findall(r"\w+", value):
            if isinstance(template.variables.get(name), list):
                yield from _entries(template, template.variables[name])


def rendered(sources: Sources, name: str, azd: Mapping[str, str], runtime: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service's container as the platform sets it.

    Args:
        sources: the files.
        name: the service.
        azd: what azd's environment holds.
        runtime: what an expression that only Azure can evaluate comes to.
    """
    template = service(sources, name)
    known = {key: fill(value, azd) for key, value in given(sources, name).items()} | dict(runtime)
    return {key: _evaluate(template, str(value), known) for key, value in environment(sources, name).items()}


def _evaluate(template: Template, expression: str, known: Mapping[str, str]) -> str:
    if (text := literal(expression)) is not None:
        return re.sub(r"\$\{([^}]+)\}", lambda match: _evaluate(template, match[1], known), text)
    if inner := re.fullmatch(r"string\((\w+)\)", expression):
        return _evaluate(template, inner[1], known)
    if expression in known:
        return known[expression]
    value = template.variables.get(expression, expression)
    return _evaluate(template, value, known) if isinstance(value, str) and value != expression else expression


def names_read(name: str) -> set[str]:
    """The environment variables that a service reads."""
    return {CONNECTION_STRING, *LIBRARIES} | {
        field.alias for model in SETTINGS[name] for field in model.model_fields.values() if field.alias
    }


def settings_are_those_the_apps_read(sources: Sources) -> list[str]:
    """No variable that settings.py does not know; none missing that a deployed app needs."""
    needed = {
        "client-scheduler": {CONNECTION_STRING, "LOG_LEVEL", "MONITOR_API_HOST", "MONITOR_API_PORT"}
        | {"AUTH_MODE", "AUTH_TENANT_ID", "AUTH_AUDIENCE", "AUTH_PLATFORM", "FORWARDED_ALLOW_IPS"},
        "worker": {CONNECTION_STRING, "LOG_LEVEL", "MONITOR_ALLOWED_TARGETS", "MONITOR_DRAIN_SECONDS"}
        | {
            "MONITOR_ALLOWED_AUDIENCES",
            "MONITOR_ALLOWED_SECRETS",
            "MONITOR_ALLOWED_VAULTS",
            "MONITOR_JOURNAL",
            "MONITOR_PAGES",
            "MONITOR_PLUGINS",
        }
        | {"MONITOR_HEALTH_HOST", "MONITOR_HEALTH_PORT", "MONITOR_MAX_ACTIVITIES", "MONITOR_MAX_ORCHESTRATIONS"},
    }
    found = []
    for name in SERVICES:
        set_there, wanted = set(environment(sources, name)), needed[name] | LIBRARIES
        found += [
            f"infra/{name}.bicep: settings.py reads no {each}" for each in sorted(set_there - names_read(name))
        ]
        found += [f"infra/{name}.bicep: does not set {each}" for each in sorted(wanted - set_there)]
    return found


def the_apps_send_telemetry(sources: Sources) -> list[str]:
    """To the component, as their own identity; how much of the traces is said by the same setting for both."""
    expected = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "applicationInsights.properties.ConnectionString",
        "AZURE_CLIENT_ID": "identity.properties.clientId",
        "OTEL_TRACES_SAMPLER": "'parentbased_traceidratio'",
        "OTEL_TRACES_SAMPLER_ARG": "traceRatio",
    }
    found = [
        f"infra/{name}.bicep: {variable} is {environment(sources, name).get(variable)}"
        for name in SERVICES
        for variable, value in expected.items()
        if environment(sources, name).get(variable) != value
    ]
    return found + [
        f"infra: the apps get different values for {parameter}"
        for parameter in ("applicationInsightsName", "traceRatio")
        if len({given(sources, name).get(parameter) for name in SERVICES}) > 1
    ]
