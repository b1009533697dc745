"""Telemetry that does not get through disturbs no monitor: refused, unreachable, and never answered.

In real workers, each of which sends to Application Insights, by OTLP over gRPC and by OTLP over HTTP.
"""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from stack import Process, Stack, stack
from support.command_line import Ran, run
from support.ingestion import Ingestion, ingestion
from support.otlp import Collector, collector
from support.targets import Target, serving

AT_ONCE = {
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "OTEL_BLRP_SCHEDULE_DELAY": "100",
    "OTEL_METRIC_EXPORT_INTERVAL": "300",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
}
AT_THE_END = {
    "OTEL_BSP_SCHEDULE_DELAY": "600000",
    "OTEL_BLRP_SCHEDULE_DELAY": "600000",
    "OTEL_METRIC_EXPORT_INTERVAL": "600000",
}
LONG = 45.0
"""Seconds that only a worker would take that waits for its telemetry."""


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, kept from others."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def everywhere(azure: dict[str, str], grpc_url: str, http_url: str) -> dict[str, str]:
    """Traces by gRPC, the rest by HTTP, and all to Azure as well."""
    return {
        **azure,
        **AT_ONCE,
        "OTEL_EXPORTER_OTLP_ENDPOINT": http_url,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": grpc_url,
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
    }


def working(parts: Stack, environment: dict[str, str]) -> tuple[Process, Ran]:
    """A worker that has run a monitor of five checks to its verdict."""
    parts.start_scheduler()
    worker = parts.start_worker({"MONITOR_DRAIN_SECONDS": "20", **environment})
    simulated = ("start", "job", "0.3", "30", "--simulate-checks", "5", "--watch", "-o", "json")
    return worker, run(*simulated, ENDPOINT=parts.scheduler_url)


def assert_undisturbed(worker: Process, ran: Ran, most_seconds: float = LONG) -> str:
    """The monitor had its verdict in time, the worker its end; what the worker has logged."""
    assert ran.code == 0, ran.err
    assert ran.json["checks_performed"] == 5
    assert ran.json["monitoring_duration_seconds"] < 30
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < most_seconds
    return worker.output()


def assert_said_once_with_what_to_do(log: str) -> None:
    """A line a minute at most, and nothing over many lines."""
    said = re.findall(r"^.*Telemetry does not get through.*$", log, re.MULTILINE)
    minutes = {line[:16] for line in said}
    assert 1 <= len(said) <= len(minutes), said
    assert re.search(r"(Is|Has|Does) .*(OTEL_EXPORTER_OTLP_|APPLICATIONINSIGHTS_|AZURE_CLIENT_ID)", said[0])
    assert "Traceback" not in log
    strange = [
        line
        for line in log.splitlines()
        if not re.match(r"\S+Z \w+ +(monitor_|opentelemetry|azure|durabletask)", line)
    ]
    assert strange == []


@pytest.fixture
def azure() -> Iterator[Ingestion]:
    with ingestion() as found:
        yield found


@pytest.fixture
def collected() -> Iterator[Collector]:
    with collector() as found:
        yield found


def test_refused(azure: Ingestion, collected: Collector, tmp_path: Path) -> None:
    azure.mood = collected.mood = "refuses"
    where = everywhere(azure.environment(tmp_path), collected.grpc_url, collected.http_url)
    with stack() as parts:
        worker, ran = working(parts, where)
        log = assert_undisturbed(worker, ran)
    assert azure.asked
    assert collected.refused >= {"traces", "metrics"}
    assert_said_once_with_what_to_do(log)


def test_unreachable(azure: Ingestion, tmp_path: Path) -> None:
    with ExitStack() as ports, stack() as parts:
        one, two, three = (ports.enter_context(closed_port()) for _ in range(3))
        to_azure = azure.environment(tmp_path, f"https://127.0.0.1:{one}")
        worker, ran = working(parts, everywhere(to_azure, f"http://127.0.0.1:{two}", f"http://127.0.0.1:{three}"))
        log = assert_undisturbed(worker, ran)
    assert_said_once_with_what_to_do(log)


def test_never_answered(azure: Ingestion, collected: Collector, tmp_path: Path) -> None:
    azure.mood = collected.mood = "hangs"
    where = everywhere(azure.environment(tmp_path), collected.grpc_url, collected.http_url)
    with stack() as parts:
        worker, ran = working(parts, where)
        began = time.monotonic()
        listed = run("list", "-o", "ids", ENDPOINT=parts.scheduler_url, **where)
        assert time.monotonic() - began < LONG
        log = assert_undisturbed(worker, ran)
    assert azure.asked
    assert_said_once_with_what_to_do(log)
    assert "What was left of the telemetry could not be sent within 5 s" in log
    assert (listed.code, listed.out) == (0, "job\n")
    assert len(listed.err.splitlines()) <= 2
    assert "could not be sent within 2 s" in listed.err


def test_a_drain_that_is_cut_off_sends_what_there_is(collected: Collector, tmp_path: Path) -> None:
    target = Target()
    with serving(target), stack() as parts:
        parts.start_scheduler()
        worker = parts.start_worker(
            {
                **AT_THE_END,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collected.http_url,
                "MONITOR_DRAIN_SECONDS": "0.2",
                "MONITOR_ALLOWED_TARGETS": target.url.removeprefix("http://"),
            }
        )
        start(parts, tmp_path, f"{target.url}/quick", "--watch")
        start(parts, tmp_path, f"{target.url}/slow")
        until = time.monotonic() + 60
        while "/slow" not in target.asked and time.monotonic() < until:
            time.sleep(0.05)
        assert collected.logs == []
        assert worker.stop() == 70
    said = [log.body for log in collected.logs]
    assert [body for body in said if body.startswith("quick: Completed after 2 checks")]
    assert [body for body in said if body.startswith("The drain took longer than 0.2 s")]
    assert "turn" in {span.name for span in collected.spans}
    assert "durable_monitor.verdicts" in collected.metrics


def start(parts: Stack, folder: Path, url: str, *options: str) -> None:
    job_id = url.rpartition("/")[2]
    check = {"kind": "http", "url": url}
    asked = {"job_id": job_id, "check": check, "polling": {"interval_seconds": 0.1}, "check_timeout_seconds": 60}
    (folder / job_id).write_text(json.dumps({**asked, "timeout_seconds": 120}))
    ran = run("start", "-f", str(folder / job_id), *options, ENDPOINT=parts.scheduler_url)
    assert ran.code == 0, ran.err
