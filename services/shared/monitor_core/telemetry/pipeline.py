"""The SDK's providers, and the exporters that the settings ask for. Imported only where there is one.

The sampler is the SDK's own choice by OTEL_TRACES_SAMPLER, `parentbased_always_on` unless set: every monitor's
trace, whole. Azure Monitor's distribution would keep five traces a second instead, and cut long ones.
"""

import logging
import os
from collections.abc import Callable, Iterable, Sequence

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from monitor_core import __version__
from monitor_core.settings import TelemetrySettings
from monitor_core.telemetry import otlp
from monitor_core.telemetry.exporters import Exporters
from monitor_core.telemetry.logs import JsonLines, TextLines
from monitor_core.telemetry.redaction import Mask
from monitor_core.telemetry.sent_logs import SentLogs


def build(settings: TelemetrySettings, service: str) -> Sequence[Callable[[], None]]:
    """Set up the global providers; what shuts down each of their exporters, sending what is left."""
    # The names that OpenTelemetry has settled on for HTTP; its middleware asks for that to be said.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    exporters, resource = _exporters(settings), _resource(service)
    # Shut down by us, and bounded: at exit the SDK would wait for a dead collector as long as that takes.
    tracing = TracerProvider(resource=resource, shutdown_on_exit=False)
    spans = [BatchSpanProcessor(exporter) for exporter in exporters.spans]
    for processor in spans:
        tracing.add_span_processor(processor)
    readers = [PeriodicExportingMetricReader(exporter) for exporter in exporters.metrics]
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(MeterProvider(readers, resource=resource, shutdown_on_exit=False))
    ends = _logging(exporters, resource)
    return [*(processor.shutdown for processor in spans), *ends, *(reader.shutdown for reader in readers)]


def _logging(exporters: Exporters, resource: Resource) -> Sequence[Callable[[], None]]:
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    processors = [BatchLogRecordProcessor(exporter) for exporter in exporters.logs]
    for processor in processors:
        provider.add_log_record_processor(processor)
    set_logger_provider(provider)
    if processors:
        logging.getLogger().addHandler(SentLogs(provider, _mask_of_what_is_shown()))
    return [processor.shutdown for processor in processors]


def _resource(service: str) -> Resource:
    ours = Resource({"service.name": service, "service.version": __version__})
    # What OTEL_* say comes first; without a name the SDK makes one up.
    found = Resource.create()
    if str(found.attributes["service.name"]).startswith("unknown_service"):
        found = found.merge(Resource({"service.name": service}))
    return ours.merge(found)


def _exporters(settings: TelemetrySettings) -> Exporters:
    exporters = Exporters()
    otlp.add(settings, exporters)
    if settings.connection_string:
        from monitor_core.telemetry import azure_monitor  # noqa: PLC0415 # only where it is wanted

        azure_monitor.add(settings, exporters)
    return exporters


def _mask_of_what_is_shown() -> Mask:
    handlers: Iterable[logging.Handler] = logging.getLogger().handlers
    shown = (handler.formatter for handler in handlers)
    return next((lines.mask for lines in shown if isinstance(lines, JsonLines | TextLines)), lambda text: text)
