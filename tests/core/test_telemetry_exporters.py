"""What the real exporters say where nobody takes what they send: one line, with what to do about that one."""

import io
import logging
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from monitor_core.settings import worker_settings
from monitor_core.telemetry import azure_monitor, configure_logging, otlp
from monitor_core.telemetry.exporters import Exporters
from support.ingestion import CLIENT_ID, Ingestion, ingestion
from support.otlp import Collector, Mood, collector

REFUSED, GONE = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT there"
AZURE_REFUSED, AZURE_GONE = "Monitoring Metrics Publisher", "IngestionEndpoint"


@pytest.fixture(scope="module")
def span() -> ReadableSpan:
    kept, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    provider.get_tracer("t").start_span("s").end()
    return kept.get_finished_spans()[0]


@pytest.fixture
def collected() -> Iterator[Collector]:
    with collector() as found:
        yield found


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingestion]:
    for name in azure_monitor._OFF:
        monkeypatch.setenv(name, "true")
    with ingestion() as found:
        yield found


@pytest.fixture
def closed() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def exporter(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> SpanExporter:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings, found = worker_settings(environment).telemetry, Exporters()
    otlp.add(settings, found)
    if settings.connection_string:
        azure_monitor.add(settings, found)
    # OpenTelemetry's own filter lets each message through once a minute: the tests would be in each other's way.
    monkeypatch.setattr(logging.getLogger(type(found.spans[0]).__module__), "filters", [])
    monkeypatch.setattr(logging.getLogger("opentelemetry.exporter.otlp.proto.grpc.exporter"), "filters", [])
    return found.spans[0]


def said(sender: SpanExporter, span: ReadableSpan) -> str:
    """What the log says of sending a span twice."""
    stream = io.StringIO()
    configure_logging("INFO", stream)
    sender.export([span])
    sender.export([span])
    sender.shutdown()
    return stream.getvalue()


def assert_one_line(log: str, what_to_do: str) -> None:
    assert log.count("\n") == 1, log
    assert "Telemetry does not get through" in log
    assert what_to_do in log


@pytest.mark.usefixtures("own_logging")
@pytest.mark.parametrize(("mood", "what_to_do"), [("refuses", REFUSED), ("hangs", GONE), (None, GONE)])
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_otlp(
    *,
    protocol: str,
    mood: Mood | None,
    what_to_do: str,
    span: ReadableSpan,
    collected: Collector,
    closed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = collected.grpc_url if protocol == "grpc" else collected.http_url
    collected.mood = mood or "takes"
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url if mood else f"http://127.0.0.1:{closed}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_TIMEOUT": "0.5",
    }
    assert_one_line(said(exporter(environment, monkeypatch), span), what_to_do)
    assert collected.received == []


@pytest.mark.usefixtures("own_logging")
@pytest.mark.parametrize(
    ("mood", "what_to_do"), [("refuses", AZURE_REFUSED), ("hangs", AZURE_GONE), (None, AZURE_GONE)]
)
def test_azure_monitor(
    *,
    mood: Mood | None,
    what_to_do: str,
    span: ReadableSpan,
    azure: Ingestion,
    closed: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    azure.mood = mood or "takes"
    monkeypatch.setattr(azure_monitor, "_SEND_SECONDS", 0.5)
    environment = azure.environment(tmp_path, "" if mood else f"https://127.0.0.1:{closed}")
    began = time.monotonic()
    assert_one_line(said(exporter(environment, monkeypatch), span), what_to_do)
    assert time.monotonic() - began < 30
    assert bool(azure.asked) == bool(mood)
    assert {asked["client_id"][0] for asked in azure.tokens} == {CLIENT_ID}
