"""What Azure Monitor's exporter makes of our metrics: the names that queries ask for are those that arrive."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from infra.telemetry_names import METRICS, RENAMED

Item = dict[str, Any]
SECONDS = (2.0, 4.0)


@contextmanager
def ingestion() -> Iterator[tuple[str, list[Item]]]:
    """An endpoint that takes everything: its address, and what has come."""
    came: list[Item] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            items = json.loads(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            came.extend(items)
            answer = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_said: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", came
        server.shutdown()
        thread.join()


@pytest.fixture
def arrived(monkeypatch: pytest.MonkeyPatch) -> dict[str, Item]:
    """What arrives of each metric, measured twice with all its attributes."""
    for name in ("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "APPLICATIONINSIGHTS_SDKSTATS_DISABLED"):
        monkeypatch.setenv(name, "true")
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter  # noqa: PLC0415 # reads them at import

    with ingestion() as (address, came):
        exporter = AzureMonitorMetricExporter(
            connection_string=f"InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint={address}",
            disable_offline_storage=True,
        )
        provider = MeterProvider([PeriodicExportingMetricReader(exporter)], shutdown_on_exit=False)
        for name, attributes in METRICS.items():
            histogram = provider.get_meter("test").create_histogram(name)
            for seconds in SECONDS:
                histogram.record(seconds, dict.fromkeys(attributes, "200"))
        provider.shutdown()
    data = [item["data"]["baseData"] for item in came]
    return {each["metrics"][0]["name"]: each for each in data}


def test_every_metric_arrives_under_its_name_with_the_attributes_that_queries_may_ask_for(
    arrived: dict[str, Item],
) -> None:
    assert arrived.keys() == METRICS.keys()
    for name, attributes in METRICS.items():
        assert RENAMED.get(name, attributes) <= arrived[name].get("properties", {}).keys()
        assert name in RENAMED or attributes == arrived[name].get("properties", {}).keys()


def test_a_histogram_arrives_as_sum_count_and_bounds(arrived: dict[str, Item]) -> None:
    [metric] = arrived["durable_monitor.check.lateness"]["metrics"]
    assert (metric["value"], metric["count"], metric["min"], metric["max"]) == (6.0, 2, *SECONDS)
