"""What queries and alerts may ask for: our own metrics, the platform's, and the columns of the tables they are in.

The metrics of the platform and the columns are those of Azure Monitor's reference; a table has more columns than
are listed, and what a query needs is added here after a look at the reference.
"""

from monitor_core.contract.turn import ErrorClass
from monitor_core.contract.verdict import Verdict
from monitor_core.telemetry import metrics

METRICS = {name: set(metric.attributes) for name, metric in metrics.METRICS.items()}
"""Our metrics, with their attributes: the names that the apps give them."""
RENAMED = {"http.server.request.duration": {"request/resultCode", "Request.Success"}}
"""Attributes that Azure Monitor's exporter puts in the place of those of the conventions."""
VALUES: set[str] = {"ok", *ErrorClass, *Verdict}
"""Values of attributes that are asked for: `result` is `ok` or the error's class, `verdict` the verdict."""
OF_QUERIES = {"condition"}
"""Values that a query itself gives."""
TRACED = {"durable_monitor.job_id", "durable_monitor.run"}
"""Attributes of spans and logs by which a monitor is found."""
PLATFORM_METRICS = {
    "Microsoft.DurableTask": {
        "ActivityActiveItems",
        "ActivityPendingItems",
        "ConnectedWorkers",
        "DataUsedInBytes",
        "EntityActiveItems",
        "EntityPendingItems",
        "OrchestratorActiveItems",
        "OrchestratorPendingItems",
    },
    "Microsoft.App": {"Replicas", "RestartCount", "Requests", "UsageNanoCores", "WorkingSetBytes"},
}
NAMESPACES = {"Microsoft.DurableTask": "schedulers", "Microsoft.App": "containerApps"}
"""The resource type, of each provider, that has the metrics."""
_EVERY = {"TimeGenerated", "Type", "_ResourceId"}
_APP = _EVERY | {"AppRoleInstance", "AppRoleName", "ItemCount", "OperationId", "ParentId", "Properties"}
TABLES = {
    "AppMetrics": _APP | {"Max", "Min", "Name", "Sum"},
    "AppTraces": _APP | {"Message", "SeverityLevel"},
    "AppRequests": _APP | {"DurationMs", "Id", "Name", "ResultCode", "Success", "Url"},
    "AppDependencies": _APP
    | {"Data", "DependencyType", "DurationMs", "Id", "Name", "ResultCode", "Success", "Target"},
    "AppExceptions": _APP | {"ExceptionType", "OuterMessage", "ProblemId", "SeverityLevel"},
    "AzureMetrics": _EVERY
    | {"Average", "Count", "Maximum", "MetricName", "Minimum", "Resource", "ResourceProvider", "Total"},
    "Usage": _EVERY | {"DataType", "IsBillable", "Quantity", "Solution"},
}
"""The columns of each table of the workspace that is asked."""
