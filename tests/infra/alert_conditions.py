"""When each alert fires: the resource, the time and the threshold that the runbook's table says."""

from infra.sources import Sources, broken

_ALERTS, _MAIN, _WORKER = "infra/modules/alerts.bicep", "infra/main.bicep", "infra/worker.bicep"
_LATE = "fires at other times than the page says"
_FIRST = "properties.criteria.allOf.0"
_CONDITIONS = {
    (_ALERTS, "longBacklog"): {
        "properties.scopes.0": "schedulerId",
        "properties.windowSize": "'PT15M'",
        f"{_FIRST}.timeAggregation": "'Average'",
        f"{_FIRST}.operator": "'GreaterThan'",
        f"{_FIRST}.threshold": "backlog",
    },
    (_ALERTS, "muchData"): {
        "properties.scopes.0": "schedulerId",
        f"{_FIRST}.operator": "'GreaterThan'",
        f"{_FIRST}.threshold": "dataGb * 1000000000",
    },
    (_ALERTS, "reported"): {
        "properties.scopes.0": "workspaceId",
        "properties.windowSize": "rule.window",
        "properties.severity": "rule.severity",
        "properties.evaluationFrequency": "'PT5M'",
        f"{_FIRST}.query": "rule.query",
        f"{_FIRST}.metricMeasureColumn": "rule.column",
        f"{_FIRST}.operator": "'GreaterThan'",
        f"{_FIRST}.threshold": "rule.threshold",
        f"{_FIRST}.failingPeriods.minFailingPeriodsToAlert": "rule.periods",
    },
    (_ALERTS, "logRules"): {
        "0.threshold": "0",
        "0.window": "'PT5M'",
        "0.periods": "2",
        "1.threshold": "errorPercent",
        "1.window": "'PT1H'",
        "1.periods": "1",
        "2.threshold": "latenessSeconds",
        "2.window": "'PT5M'",
        "2.periods": "3",
    },
    (_WORKER, "atMostReplicas"): {
        "properties.scopes.0": "worker.id",
        "properties.windowSize": "'PT15M'",
        f"{_FIRST}.timeAggregation": "'Minimum'",
        f"{_FIRST}.operator": "'GreaterThanOrEqual'",
        f"{_FIRST}.threshold": "mostReplicas",
    },
    (_MAIN, "alerting"): {
        "params.schedulerId": "scheduler.outputs.schedulerId",
        "params.workspaceId": "monitoring.outputs.workspaceId",
        "params.backlog": "alertBacklog",
        "params.errorPercent": "alertErrorPercent",
        "params.latenessSeconds": "alertLatenessSeconds",
        "params.dataGb": "alertDataGb",
    },
}


def alerts_fire_when_the_page_says(sources: Sources) -> list[str]:
    """Over the time, above the threshold and of the resource that the runbook's table names."""
    rules = [
        (path, f"{symbol}.{place}", value, _LATE)
        for (path, symbol), values in _CONDITIONS.items()
        for place, value in values.items()
    ]
    return broken(sources, rules)
