"""Exporters that speak OTLP. Where to, with which headers and certificates: they read OTEL_EXPORTER_OTLP_*."""

# ruff: noqa: PLC0415 -- one of the two protocols is imported, rarely both

from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from monitor_core.settings import TelemetrySettings
from monitor_core.telemetry.exporters import Exporters


def add(settings: TelemetrySettings, exporters: Exporters) -> None:
    """Add an exporter for each signal that has somewhere to go."""
    if settings.sends_otlp("traces"):
        exporters.spans.append(_spans(over_grpc=settings.protocol("traces") == "grpc"))
    if settings.sends_otlp("metrics"):
        exporters.metrics.append(_metrics(over_grpc=settings.protocol("metrics") == "grpc"))
    if settings.sends_otlp("logs"):
        exporters.logs.append(_logs(over_grpc=settings.protocol("logs") == "grpc"))


def _spans(*, over_grpc: bool) -> SpanExporter:
    if over_grpc:
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as by_grpc

        return by_grpc.OTLPSpanExporter()
    from opentelemetry.exporter.otlp.proto.http import trace_exporter as by_http

    return by_http.OTLPSpanExporter()


def _metrics(*, over_grpc: bool) -> MetricExporter:
    if over_grpc:
        from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as by_grpc

        return by_grpc.OTLPMetricExporter()
    from opentelemetry.exporter.otlp.proto.http import metric_exporter as by_http

    return by_http.OTLPMetricExporter()


def _logs(*, over_grpc: bool) -> LogRecordExporter:
    if over_grpc:
        from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as by_grpc

        return by_grpc.OTLPLogExporter()
    from opentelemetry.exporter.otlp.proto.http import _log_exporter as by_http

    return by_http.OTLPLogExporter()
