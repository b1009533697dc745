"""Where each signal goes."""

from dataclasses import dataclass, field

from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter


@dataclass
class Exporters:
    """The exporters of each signal; none is a signal that is not sent."""

    spans: list[SpanExporter] = field(default_factory=list)
    metrics: list[MetricExporter] = field(default_factory=list)
    logs: list[LogRecordExporter] = field(default_factory=list)
