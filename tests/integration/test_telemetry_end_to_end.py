"""Telemetry of real processes, as a collector sees it: command line, service, worker and target in one trace.

The same world serves all tests here. The target repeats the secret that it is sent, and fails where it should.
"""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from durabletask.azuremanaged.client import DurableTaskSchedulerClient

from monitor_core.contract import instance_id
from monitor_core.scheduler import sdk_logger
from monitor_core.settings import SchedulerSettings
from monitor_core.telemetry.metrics import METRICS
from stack import Process, Stack, stack
from support.command_line import run
from support.otlp import Collector, Span, collector
from support.receiver import Receiver, receiving
from support.targets import Target, serving

SECRET = "pl4nted-s3cret-value"
REFERENCE = "env:MONITOR_SECRET_API"
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BLRP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "300"}
WORKER, CLIENT = "durable-monitor-worker", "durable-monitor-client-scheduler"
CHECKS = 24
"""More than a generation of turns."""


@dataclass
class World:
    """What the processes did, once they have ended."""

    collected: Collector
    target: Target
    receiver: Receiver
    printed: list[str] = field(default_factory=list)
    logged: str = ""

    def trace_of(self, job_id: str) -> list[Span]:
        """The spans of the trace that a monitor's first turn is in."""
        found = next(
            span for span in self.collected.spans if span.attributes.get("durable_monitor.job_id") == job_id
        )
        return [span for span in self.collected.spans if span.trace_id == found.trace_id]


def request(tmp_path: Path, job_id: str, url: str, **fields: Any) -> str:
    asked = {
        "job_id": job_id,
        "check": {"kind": "http", "url": url, "auth": {"type": "bearer", "token": REFERENCE}},
        "polling": {"interval_seconds": 0.1, "turn_seconds": 0},
        "timeout_seconds": 60,
        **fields,
    }
    file = tmp_path / f"{job_id}.json"
    file.write_text(json.dumps(asked))
    return str(file)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, target = tmp_path_factory.mktemp("requests"), Target(CHECKS)
    with collector() as collected, serving(target), receiving() as receiver, stack() as parts:
        seen = World(collected, target, receiver)
        parts.start_scheduler()
        worker, service = start_processes(parts, seen)
        use(parts, seen, service.url(", on"), folder)
        end_from_outside(parts, seen, folder)
        worker.stop()
        service.stop()
        seen.logged = worker.output() + service.output()
        yield seen


def start_processes(parts: Stack, seen: World) -> tuple[Process, Process]:
    by_grpc = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": seen.collected.grpc_url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "INFO",
        **QUICK,
    }
    worker = {
        "MONITOR_SECRET_API": SECRET,
        "MONITOR_ALLOWED_SECRETS": f"{REFERENCE}={seen.target.url}",
        "MONITOR_ALLOWED_TARGETS": " ".join(
            url.removeprefix("http://") for url in (seen.target.url, seen.receiver.url(""))
        ),
    }
    return (
        parts.start_worker({**by_grpc, **worker}),
        parts.start_service(**by_grpc, MONITOR_RECONCILE_SECONDS="0.5"),
    )


def use(parts: Stack, seen: World, service: str, folder: Path) -> None:
    by_http = {"OTEL_EXPORTER_OTLP_ENDPOINT": seen.collected.http_url, **QUICK}

    def client(*arguments: str) -> None:
        done = run(*arguments, ENDPOINT=parts.scheduler_url, **by_http)
        seen.printed.append(done.out + done.err)

    url = seen.target.url
    client("start", "--watch", "--server", service, "-f", request(folder, "long", f"{url}/long"))
    client("start", "--watch", "-f", request(folder, "direct", f"{url}/direct"))
    client(
        "start",
        "--watch",
        "-f",
        request(folder, "odd", f"{url}/odd", success_when="body.nosuch == 1", timeout_seconds=1),
    )
    client(
        "start", "--watch", "-f", request(folder, "broken", f"{url}/broken", tolerance={"consecutive_errors": 1})
    )
    client("start", "-f", request(folder, "told", f"{url}/long-gone", success_when="false"))
    client("extend", "told", "60")
    client("cancel", "told")
    client("wait", "told")
    with urllib.request.urlopen(f"{service}/healthz") as answer:  # our own service
        assert answer.status == 200


def end_from_outside(parts: Stack, seen: World, folder: Path) -> None:
    """A monitor that only the service can tell of; its delivery is the worker's."""
    told = [{"to": {"kind": "webhook", "url": seen.receiver.url("/outside")}}]
    file = request(folder, "outside", f"{seen.target.url}/long-gone", success_when="false", on_verdict=told)
    assert run("start", "-f", file, ENDPOINT=parts.scheduler_url).code == 0
    with DurableTaskSchedulerClient(
        host_address=SchedulerSettings(endpoint=parts.scheduler_url).address,
        taskhub="default",
        token_credential=None,
        secure_channel=False,
        logger=sdk_logger(),
    ) as client:
        client.terminate_orchestration(instance_id("outside"))
    seen.receiver.wait("/outside")


def test_one_trace_leads_from_the_command_line_to_every_check_of_every_generation(world: World) -> None:
    spans = world.trace_of("long")
    known = {span.span_id for span in spans}
    roots = [span for span in spans if not span.parent_id]
    assert [root.name for root in roots] == ["client.py"]
    assert [span.name for span in spans if span.parent_id and span.parent_id not in known] == []
    names = {span.name for span in spans}
    assert {"POST /monitors", "create_orchestration:monitor@(1.0)", "turn"} <= names
    generations = [span for span in spans if span.name == "orchestration:monitor"]
    assert len(generations) > 1
    checks = [
        attributes for span in spans if span.name == "turn" for name, attributes in span.events if name == "check"
    ]
    assert len(checks) == len(world.target.asked["/long"]) == CHECKS
    assert {check["durable_monitor.check.status"] for check in checks} == {"Running", "Succeeded"}
    assert {span.service for span in spans} == {WORKER, CLIENT}


def test_the_target_is_asked_in_the_trace_of_its_turn(world: World) -> None:
    turns = {span.span_id: span for span in world.trace_of("long") if span.name == "turn"}
    for headers in world.target.asked["/long"]:
        _, trace_id, span_id, _ = headers["traceparent"].split("-")
        assert turns[span_id].trace_id == trace_id
    assert {turn.attributes["server.address"] for turn in turns.values()} == {"127.0.0.1"}


def test_every_metric_has_come_with_its_unit_and_its_attributes_and_no_others(world: World) -> None:
    measured = world.collected.metrics
    for name, metric in METRICS.items():
        assert name in measured, name
        assert world.collected.units[name] == metric.unit
        for attributes in measured[name]:
            names = {pair[0] for pair in attributes} - {"service.name"}
            allowed = {*metric.attributes, "url.scheme", "network.protocol.version", "error.type"}
            assert set(metric.attributes) - {"http.route"} <= names <= allowed, name


def test_metrics_count_what_happened(world: World) -> None:
    def total(name: str, **wanted: str) -> float:
        points = world.collected.metrics[name]
        return sum(value for pairs, value in points.items() if wanted.items() <= dict(pairs).items())

    asked = sum(len(headers) for headers in world.target.asked.values())
    assert total("durable_monitor.checks", kind="http") == asked
    assert total("durable_monitor.check.duration") == total("durable_monitor.check.lateness") == asked
    assert total("durable_monitor.checks", result="transient") >= 2
    assert total("durable_monitor.condition.errors", kind="http") >= 1
    assert total("durable_monitor.verdicts", verdict="Completed", decided_by="poll") == 2
    assert total("durable_monitor.verdicts", verdict="Error", decided_by="poll") == 2
    assert total("durable_monitor.verdicts", verdict="Cancelled", decided_by="operator") == 1
    assert total("durable_monitor.monitor.duration") == 5
    assert total("durable_monitor.commands", command="extend", outcome="accepted") == 1
    assert total("durable_monitor.commands", command="cancel", outcome="accepted") == 1
    assert total("durable_monitor.untold", kind="webhook") == 1
    assert total("durable_monitor.viewers") == 0
    assert total("durable_monitor.drain.duration") == 1
    routes = {dict(pairs).get("http.route") for pairs in world.collected.metrics["http.server.request.duration"]}
    assert routes == {"/monitors", "/monitors/{job_id}/events"}


def test_a_verdict_is_one_log_line_in_the_monitors_trace_and_an_idle_check_none(world: World) -> None:
    about = [log for log in world.collected.logs if log.attributes.get("durable_monitor.job_id") == "long"]
    assert [log.severity for log in about] == ["INFO"]
    assert f"long: Completed after {CHECKS} checks" in about[0].body
    assert about[0].trace_id == world.trace_of("long")[0].trace_id
    lines = [json.loads(line) for line in world.logged.splitlines() if line.startswith("{")]
    shown = [line for line in lines if line.get("job_id") == "long"]
    assert [(line["message"], line["trace_id"]) for line in shown] == [(about[0].body, about[0].trace_id)]


def test_a_planted_secret_is_in_none_of_it(world: World) -> None:
    sent = [headers["Authorization"] for headers in world.target.asked["/broken"]]
    assert sent
    assert set(sent) == {f"Bearer {SECRET}"}
    assert not [True for request in world.collected.received if SECRET.encode() in request]
    assert SECRET not in world.logged
    assert SECRET not in "".join(world.printed)
