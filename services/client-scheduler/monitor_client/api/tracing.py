"""A span and a duration for each request, by OpenTelemetry's own instrumentation. Only where they are sent."""

from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor


def install(app: FastAPI) -> None:
    """Trace what `app` answers, refusals included, by its routes; the probes are left out."""
    FastAPIInstrumentor.instrument_app(app, excluded_urls="healthz,readyz", exclude_spans=["receive", "send"])
