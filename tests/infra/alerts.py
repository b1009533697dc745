"""Alerts: on what is measured, told to who was named, made where they are asked for, and in the runbook."""

from collections.abc import Iterator

from infra.sources import Rule, Sources, broken, service
from infra.telemetry_names import NAMESPACES, PLATFORM_METRICS
from infra.template import Declaration, Template, Value, at, items, literal, parse

_ALERTS, _MAIN, _WORKER = "infra/modules/alerts.bicep", "infra/main.bicep", "infra/worker.bicep"
_PAGE = "docs/operate.md"
_METRIC_ALERT = "Microsoft.Insights/metricAlerts"
_GROUP = "actionGroup.id"
_WITH_ALERTS = "alerts == 'on' || (alerts == 'auto' && isProduction)"
_ON_ASKING: list[Rule] = [
    (_MAIN, "alerts", "'auto'", "alerts cost something by default"),
    (_MAIN, "withAlerts", _WITH_ALERTS, "alerts are on in development"),
    (_MAIN, "alerting.if", "(withAlerts)", "alerts are made unasked"),
    (_WORKER, "withAlerts", _WITH_ALERTS, "the worker's alert is on in development"),
    (
        _WORKER,
        "atMostReplicas.if",
        "(withAlerts && mostReplicas > leastReplicas)",
        "the worker's alert is made unasked, or where the number of replicas is fixed",
    ),
]


def metric_alerts_watch_what_is_measured(sources: Sources) -> list[str]:
    """Every metric is one of its resource's, whatever a loop makes of its name; one bad name would never fire."""
    return [
        f"{path}: {symbol}: no metric {name} of {of}"
        for path in (_ALERTS, _WORKER)
        for symbol, alert in parse(sources[path]).deployed(_METRIC_ALERT)
        for of, name in _watched(parse(sources[path]), alert)
        if not _measured(of, name)
    ]


def _measured(of: str, name: str) -> bool:
    provider, _, kind = of.partition("/")
    return NAMESPACES.get(provider) == kind and name in PLATFORM_METRICS[provider]


def _watched(template: Template, alert: Declaration) -> Iterator[tuple[str, str]]:
    kinds = [str(literal(kind)) for kind in items(template.variables.get("kindsOfWork"))] or [""]
    for criterion in items(alert.at("properties.criteria.allOf")):
        of = at(criterion, "metricNamespace")
        of = literal(of) or literal(template.variables.get(str(of))) or ""
        yield from ((of, str(literal(at(criterion, "metricName"))).replace("${kind}", kind)) for kind in kinds)


def _name(value: Value | None) -> str:
    return str(literal(value)).partition("${")[0].rstrip("-")


def severities(sources: Sources) -> dict[str, str]:
    """The severity of each alert by its name, as far as it stands in the file: a loop adds the kind of work."""
    found = {
        _name(alert.at("name")): str(alert.at("properties.severity"))
        for path in (_ALERTS, _WORKER)
        for _, alert in parse(sources[path]).deployed(_METRIC_ALERT)
    }
    rules = items(parse(sources[_ALERTS]).variables.get("logRules"))
    return found | {_name(at(rule, "name")): str(at(rule, "severity")) for rule in rules}


def every_alert_is_in_the_runbook(sources: Sources) -> list[str]:
    """What it means and what to do."""
    return [
        f"{_PAGE}: says nothing of the alert {name}"
        for name in sorted(severities(sources))
        if f"### `{name}`" not in sources[_PAGE]
    ]


def alerts_are_made_on_asking(sources: Sources) -> list[str]:
    """In production, or where MONITOR_ALERTS is on: each costs a little."""
    return broken(sources, _ON_ASKING)


def alerts_reach_who_is_named(sources: Sources) -> list[str]:
    """Each rule has the action group, which has the address, where one was given."""
    main, alerts = parse(sources[_MAIN]), parse(sources[_ALERTS])
    told = {symbol: str(each.at("properties.actions")) for symbol, each in alerts.deployed(_METRIC_ALERT)}
    told |= {
        symbol: str(each.at("properties.actions.actionGroups"))
        for symbol, each in alerts.deployed("Microsoft.Insights/scheduledQueryRules")
    }
    found = [f"{_ALERTS}: {symbol} tells {actions}" for symbol, actions in told.items() if _GROUP not in actions]
    [(_, group)] = alerts.deployed("Microsoft.Insights/actionGroups")
    if alerts.variables.get("notified") != "!empty(email)":
        found.append(f"{_ALERTS}: the address decides nothing")
    if group.at("properties.emailReceivers.0.emailAddress") != "email":
        found.append(f"{_ALERTS}: the action group has another address")
    if main.modules["alerting"].at("params.email") != "alertEmail":
        found.append(f"{_MAIN}: the action group's address is not the address given")
    if main.outputs["ALERT_ACTION_GROUP_ID"].value != "alerting.?outputs.actionGroupId ?? ''":
        found.append(f"{_MAIN}: the worker's alert reaches nobody")
    return found


def the_worker_counts_its_replicas(sources: Sources) -> list[str]:
    """Their number goes to the workspace; the alert's threshold is the very maximum that the app has."""
    worker = service(sources, "worker")
    [(_, app)] = worker.deployed("Microsoft.App/containerApps")
    settings = [each for _, each in worker.deployed("Microsoft.Insights/diagnosticSettings")]
    kept = [(each.at("scope"), each.at("properties.workspaceId")) for each in settings]
    found = [] if kept == [("worker", "workspace.id")] else [f"{_WORKER}: the number of replicas is not kept"]
    [(_, alert)] = worker.deployed(_METRIC_ALERT)
    most = app.at("properties.template.scale.maxReplicas")
    if alert.at("properties.criteria.allOf.0.threshold") != most:
        found.append(f"{_WORKER}: the alert's threshold is not {most}")
    return found
