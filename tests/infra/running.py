"""How the apps run: probes, the drain's time, scaling, replicas."""

import re
from collections.abc import Iterator

from infra.app_settings import app, environment
from infra.sources import SERVICES, Sources, fill, given, service, templates
from infra.template import Value, at, literal
from monitor_core.pace import WAITING_SHARE

_PROBES = {"Startup": "/healthz", "Liveness": "/healthz", "Readiness": "/readyz"}
# Container Apps takes no more than these, and ends a replica 600 s after SIGTERM whatever the template says.
_MOST_FAILURES, _MOST_GRACE = 10, 600
# A check may take 60 s (`check_timeout_seconds`), and is not cut short by a drain that lasts longer.
_LONGEST_CHECK = 60
_ROOM = f"string(int(maxActivities) * {int(WAITING_SHARE * 4)} / 4)"
_RULES = {
    "Activity": ("maxActivities", "MONITOR_MAX_ACTIVITIES", _ROOM),
    "Orchestration": ("maxOrchestrations", "MONITOR_MAX_ORCHESTRATIONS", "maxOrchestrations"),
}
_PRESET = re.compile(r"isProduction \? (\d+) : (\d+)")
_PORTS = {"worker": "MONITOR_HEALTH_PORT", "client-scheduler": "MONITOR_API_PORT"}


def probes_ask_what_the_apps_answer(sources: Sources) -> list[str]:
    """Startup, liveness and readiness, on the port that the app listens on, within the platform's limits."""
    return [f"infra/{name}.bicep: {problem}" for name in SERVICES for problem in _probes(sources, name)]


def _probes(sources: Sources, name: str) -> Iterator[str]:
    probes = app(sources, name).at("properties.template.containers.0.probes")
    found = {literal(at(probe, "type")): probe for probe in probes} if isinstance(probes, list) else {}
    for kind, path in _PROBES.items():
        probe = found.get(kind)
        if literal(at(probe, "httpGet.path")) != path:
            yield f"the {kind} probe does not ask {path}"
        if at(probe, "httpGet.port") not in _listens_on(sources, name):
            yield f"the {kind} probe asks another port than the app listens on"
        if int(str(at(probe, "failureThreshold") or 3)) > _MOST_FAILURES:
            yield f"the {kind} probe's failureThreshold is over {_MOST_FAILURES}"


def _listens_on(sources: Sources, name: str) -> set[str]:
    """The symbol of the port; none where the app is told another one than requests come to."""
    told = str(environment(sources, name).get(_PORTS[name], ""))
    port = told.removeprefix("string(").removesuffix(")")
    ingress = app(sources, name).at("properties.configuration.ingress.targetPort")
    return {port} if ingress in {None, port} else set()


def the_platform_waits_for_the_drain(sources: Sources) -> list[str]:
    """The grace is the drain's own seconds and a few more; the drain outlasts the longest check."""
    template, path = service(sources, "worker"), "infra/worker.bicep"
    grace = app(sources, "worker").at("properties.template.terminationGracePeriodSeconds")
    after = int(str(template.variables.get("graceAfterDrainSeconds", "0")))
    drain = int(fill(given(sources, "worker")["drainSeconds"], {}))
    rules = {
        "the grace is not the drain and a few seconds": grace == "int(drainSeconds) + graceAfterDrainSeconds",
        "nothing is left of the grace when the drain is over": after >= 5,
        "the worker drains for other than drainSeconds": environment(sources, "worker").get(
            "MONITOR_DRAIN_SECONDS"
        )
        == "drainSeconds",
        f"the grace is over {_MOST_GRACE} s": drain + after <= _MOST_GRACE,
        f"a check of {_LONGEST_CHECK} s does not fit into the drain": drain > _LONGEST_CHECK,
    }
    return [f"{path}: {problem}" for problem, holds in rules.items() if not holds]


def scaling_follows_the_workers_own_limits(sources: Sources) -> list[str]:
    """One rule each for activities and orchestrations, from the parameters that are the worker's concurrency."""
    rules = app(sources, "worker").at("properties.template.scale.rules")
    customs = [at(rule, "custom") for rule in rules] if isinstance(rules, list) else []
    found = [f"infra/worker.bicep: {problem}" for custom in customs for problem in _reads_the_hub(sources, custom)]
    for kind, (parameter, variable, counted_to) in _RULES.items():
        limits = [at(custom, "metadata.maxConcurrentWorkItemsCount") for custom in customs if _is(custom, kind)]
        limits = [service(sources, "worker").variables.get(str(limit), limit) for limit in limits]
        if limits != [counted_to] or environment(sources, "worker").get(variable) != parameter:
            found.append(
                f"infra/worker.bicep: {kind} scales by {limits}, and {variable} is not the same parameter"
            )
    return found


def _is(custom: Value | None, kind: str) -> bool:
    return literal(at(custom, "metadata.workItemType")) == kind


def _reads_the_hub(sources: Sources, custom: Value | None) -> Iterator[str]:
    expected = {
        "type": "'azure-durabletask-scheduler'",
        "identity": "identity.id",
        "metadata.endpoint": "schedulerEndpoint",
        "metadata.taskhubName": "taskHubName",
    }
    yield from (
        f"a scale rule's {path} is {at(custom, path)}"
        for path, value in expected.items()
        if at(custom, path) != value
    )
    connection = str(service(sources, "worker").variables.get("connection"))
    if "Endpoint=${schedulerEndpoint};" not in connection or "TaskHub=${taskHubName}" not in connection:
        yield "the scale rules watch another hub than the worker works for"


def no_app_is_made_before_its_image(sources: Sources) -> list[str]:
    """Provisioning makes no app; a service's own file makes one, of the image that azd has just pushed."""
    found = [
        f"{path}: {symbol} is made before there is an image"
        for path, template in templates(sources)
        if path not in {f"infra/{name}.bicep" for name in SERVICES}
        for symbol, _ in template.deployed("Microsoft.App/containerApps")
    ]
    for name in SERVICES:
        if app(sources, name).at("properties.template.containers.0.image") != "imageName":
            found.append(f"infra/{name}.bicep: runs another image than the one given")
        if given(sources, name)["imageName"] != f"${{SERVICE_{name.upper().replace('-', '_')}_IMAGE_NAME}}":
            found.append(f"infra/{name}.parameters.json: the app is not given its own image")
    return found


def replicas_are_enough(sources: Sources) -> list[str]:
    """Production runs two replicas at least; one that may be none has a rule that starts it again."""
    found = []
    for name in SERVICES:
        scale = app(sources, name).at("properties.template.scale")
        least = _PRESET.search(_said(sources, name, at(scale, "minReplicas")))
        most = _PRESET.search(_said(sources, name, at(scale, "maxReplicas")))
        if least is None or most is None:
            found.append(f"infra/{name}.bicep: the presets do not set the replicas")
            continue
        if int(least[1]) < 2:  # one of them may be in the zone that fails
            found.append(f"infra/{name}.bicep: production runs {least[1]} replica")
        if not at(scale, "rules"):
            found.append(f"infra/{name}.bicep: nothing starts a replica")
        if int(least[1]) > int(most[1]) or int(least[2]) > int(most[2]):
            found.append(f"infra/{name}.bicep: at least {least[0]} is more than at most {most[0]}")
    return found


def _said(sources: Sources, name: str, value: Value | None) -> str:
    """An expression, or what the variable says that it names."""
    return str(service(sources, name).variables.get(str(value), value))
