"""When each alert fires: the resource, the time and the threshold that the runbook's table says."""

from infra.sources import Sources, broken

_ALERTS, _MAIN, _WORKER = "infra/modules/alerts.bicep", "infra/main.bicep", "infra/worker.bicep"
_LATE = "fires at other times than the page says"
_FIRST, _SECOND = "properties.criteria.allOf.0", "properties.criteria.allOf.1"
_CONDITIONS = {
    (_ALERTS, "noWorker"): {
        "properties.scopes.0": "schedulerId",
        "properties.windowSize": "'PT5M'",
        f"{_FIRST}.timeAggregation": "'Maximum'",
        f"{_FIRST}.operator": "'LessThan'",
        f"{_FIRST}.threshold": "1",
        f"{_SECOND}.timeAggregation": "'Minimum'",
        f"{_SECOND}.operator": "'GreaterThan'",
        f"{_SECOND}.threshold": "0",
    },
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
        f"{_FIRST}.query": "rule.query",
        f"{_FIRST}.metricMeasureColumn": "rule.column",
        f"{_FIRST}.operator": "'GreaterThan'",
        f"{_FIRST}.threshold": "rule.threshold",
        f"{_FIRST}.failingPeriods.minFailingPeriodsToAlert": "rule.periods",
    },
    (_ALERTS, "logRules"): {
        "0.threshold": "errorPercent",
        "0.window": "'PT1H'",
        "0.periods": "1",
        "1.threshold": "latenessSeconds",
        "1.window": "'PT5M'",
        "1.periods": "3",
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
