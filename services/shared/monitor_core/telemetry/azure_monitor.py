"""The exporters to Application Insights, signed in as the managed identity.

They stand on the same providers as those of OTLP. The distribution's own `configure_azure_monitor` would bring a
sampler of five traces a second, instrumentations, performance counters, live metrics, and telemetry about itself
to places of its own. What of that the exporters have is switched off here, unless the environment says otherwise.
"""

import os
from typing import Any, Final

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential

from monitor_core.settings import TelemetrySettings
from monitor_core.telemetry.exporters import Exporters

_OFF: Final = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    # One more metric with each batch of spans, which repeats what each span says of its resource.
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
}
_SEND_SECONDS: Final = 10.0


def add(settings: TelemetrySettings, exporters: Exporters) -> None:
    """Add an exporter for each signal that is not switched off."""
    for name, value in _OFF.items():
        os.environ.setdefault(name, value)
    from azure.monitor.opentelemetry import exporter as azure  # noqa: PLC0415 # it reads the environment as it comes

    options = _options(settings)
    if settings.sends("traces"):
        exporters.spans.append(azure.AzureMonitorTraceExporter(**options))
    if settings.sends("metrics"):
        exporters.metrics.append(azure.AzureMonitorMetricExporter(**options))
    if settings.sends("logs"):
        exporters.logs.append(azure.AzureMonitorLogExporter(**options))


def _options(settings: TelemetrySettings) -> dict[str, Any]:
    credential: TokenCredential = DefaultAzureCredential(managed_identity_client_id=settings.client_id)
    return {
        "connection_string": settings.connection_string,
        "credential": credential,
        # A container's disk is read-only, and a file of telemetry is one more place to keep from strangers.
        "disable_offline_storage": True,
        "timeout": _SEND_SECONDS,
        "read_timeout": _SEND_SECONDS,  # by itself it would wait five minutes for an answer
    }
