"""Without an exporter nothing that sends telemetry is imported, by real processes that do real work."""

import json
import urllib.request
from pathlib import Path

from stack import ROOT, Stack, stack
from support.command_line import run
from support.otlp import Collector, collector
from support.spying import Spy, below

SENDING = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation", "azure.monitor")
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PACKAGES = str(ROOT / "services/shared")


def use(parts: Stack, seen: Spy, service: str, collected: Collector) -> None:
    def client(name: str, *arguments: str, **environment: str) -> None:
        ran = run(*arguments, ENDPOINT=parts.scheduler_url, **seen.environment(name), **environment)
        assert ran.code == 0, ran.err

    job = ("--url", f"{parts.simulator_url}/jobs/{{job_id}}?duration_seconds=0.2")
    client("direct", "start", "direct", "0.1", "--watch", *job)
    client("served", "start", "served", "0.1", "--watch", *job, "--server", service)
    with_exporter = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.http_url}
    client("traced", "start", "traced", "0.1", "--watch", *job, **with_exporter)
    start_with_a_trace(f"{parts.simulator_url}/jobs/by-hand?duration_seconds=0.2", service)
    client("waiting", "wait", "by-hand")


def start_with_a_trace(job: str, service: str) -> None:
    asked = {"job_id": "by-hand", "check": {"kind": "http", "url": job}}
    headers = {"Content-Type": "application/json", "traceparent": TRACEPARENT}
    request = urllib.request.Request(f"{service}/monitors", json.dumps(asked).encode(), headers)
    with urllib.request.urlopen(request) as answer:  # our own service
        assert answer.status == 202


def test_nothing_that_sends_is_imported_without_an_exporter(tmp_path: Path) -> None:
    seen = Spy.at(tmp_path)
    with stack() as parts, collector() as collected:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        worker = parts.start_worker(seen.environment("worker", PACKAGES))
        service = parts.start_service(**seen.environment("service", PACKAGES))
        use(parts, seen, service.url(", on"), collected)
        assert worker.stop() == service.stop() == 0
    for process in ("worker", "service", "direct", "served", "waiting"):
        modules = seen.modules(process)
        assert below(modules, "opentelemetry.trace"), "the API is there, so the search below finds what there is"
        assert below(modules, *SENDING) == set(), process
    traced = seen.modules("traced")
    assert below(traced, "opentelemetry.sdk")
    assert below(traced, "opentelemetry.exporter.otlp.proto.http")
    assert below(traced, "opentelemetry.exporter.otlp.proto.grpc", "azure.monitor") == set()
