"""docker-compose.yml: our rules, each shown to see its fault; its public schema; compose itself where that is."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from containers.compose_rules import RULES, complaints
from containers.dockerfile import ROOT

FILE = ROOT / "docker-compose.yml"
REMOVED = object()
TELEMETRY = {"COMPOSE_PROFILES", "TELEMETRY_ENDPOINT"}
PLANTED: list[tuple[str, str, object]] = [
    ("services", "scheduler.image", "durable-monitor/local-scheduler:dev"),
    ("services", "worker.image", "durable-monitor/worker:latest"),
    ("services", "worker.image", "durable-monitor/worker"),
    ("services", "client-scheduler.build", REMOVED),
    ("published_ports", "job-simulator.ports", ["8001:8000"]),
    ("published_ports", "scheduler.ports", ["0.0.0.0:8080:8080"]),
    ("published_ports", "worker.ports", ["127.0.0.1:8081:8081"]),
    ("published_ports", "worker.container_name", "worker"),
    ("hardened", "worker.read_only", REMOVED),
    ("hardened", "job-simulator.tmpfs", ["/app"]),
    ("hardened", "client-scheduler.cap_drop", REMOVED),
    ("hardened", "scheduler.cap_add", ["NET_ADMIN"]),
    ("hardened", "worker.security_opt", []),
    ("hardened", "worker.privileged", True),
    ("hardened", "worker.volumes", ["/var/run/docker.sock:/var/run/docker.sock"]),
    ("hardened", "worker.volumes", ["/journal:/journal"]),
    ("hardened", "client-scheduler.volumes", ["journal:/journal"]),
    ("hardened", "worker.user", "root"),
    ("restarts", "worker.restart", REMOVED),
    ("restarts", "scheduler-ready.restart", "unless-stopped"),
    ("order", "worker.depends_on", REMOVED),
    ("order", "client-scheduler.depends_on.scheduler-ready.condition", "service_started"),
    ("order", "client-scheduler.depends_on.worker", {"condition": "service_started"}),
    ("health", "worker.healthcheck", REMOVED),
    ("health", "client-scheduler.healthcheck.test", ["CMD", "curl", "--fail", "http://127.0.0.1:8000/readyz"]),
    ("health", "scheduler-ready.healthcheck", REMOVED),
    ("environment", "worker.environment.MONITOR_ALLOWED_TARGET", "job-simulator:8000"),
    ("environment", "worker.environment.LOG_LEVEL", "LOUD"),
    ("environment", "client-scheduler.environment.ENDPOINT", "http://localhost:8080"),
    ("environment", "scheduler-ready.environment.TASKHUB", "another"),
    ("simulator", "worker.environment.MONITOR_ALLOWED_TARGETS", "job-simulator:8001"),
    ("simulator", "client-scheduler.environment.MONITOR_URL", REMOVED),
    ("simulator", "job-simulator.command", ["python", "-m", "job_simulator", "--host", "0.0.0.0"]),
    ("telemetry", "telemetry.profiles", REMOVED),
    ("telemetry", "telemetry.image", "mcr.microsoft.com/dotnet/aspire-dashboard:latest"),
    ("telemetry", "worker.environment.OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:18889"),
    ("telemetry", "client-scheduler.environment.OTEL_EXPORTER_OTLP_ENDPOINT", REMOVED),
    ("telemetry", "worker.depends_on.telemetry", {"condition": "service_started"}),
    ("telemetry", "worker.profiles", ["telemetry"]),
    ("published_ports", "telemetry.ports", ["18888:18888"]),
    ("hardened", "telemetry.cap_drop", REMOVED),
    ("grace", "worker.stop_grace_period", "30s"),
    ("grace", "worker.environment.MONITOR_DRAIN_SECONDS", "90"),
    ("grace", "client-scheduler.stop_grace_period", REMOVED),
]


def parsed() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    return services


def planted(place: str, value: object) -> dict[str, Any]:
    """The services with one thing changed, or removed."""
    services = copy.deepcopy(parsed())  # what YAML's anchors share must not change everywhere
    *path, last = place.split(".")
    where: Any = services
    for name in path:
        where[name] = copy.deepcopy(where[name])
        where = where[name]
    if value is REMOVED:
        del where[last]
    else:
        assert where.get(last) != value
        where[last] = value
    return services


def schema_check(path: Path) -> subprocess.CompletedProcess[str]:
    tool = str(Path(sys.executable).with_name("check-jsonschema"))
    command = [tool, "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def compose_config(path: Path) -> subprocess.CompletedProcess[str]:
    command = ["docker", "compose", "--file", str(path), "config", "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def configured(*options: str, **given: str) -> dict[str, Any]:
    command = ["docker", "compose", "--file", str(FILE), *options, "config", "--format", "json"]
    environment = {name: value for name, value in os.environ.items() if name not in TELEMETRY} | given
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=environment)
    services: dict[str, Any] = json.loads(ran.stdout)["services"]
    return services


def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


needs_compose = pytest.mark.skipif(
    not has_compose(),
    reason="docker compose is not installed: its own check of docker-compose.yml is left out, the schema's is not",
)


def test_the_rules_are_kept() -> None:
    assert complaints(parsed()) == []


@pytest.mark.parametrize(("rule", "place", "value"), PLANTED)
def test_a_planted_fault_is_seen(rule: str, place: str, value: object) -> None:
    assert rule in {complaint.split(":")[0] for complaint in complaints(planted(place, value))}


def test_every_rule_has_a_fault() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for rule, *_ in PLANTED}


def test_the_schema_of_compose_files_is_kept() -> None:
    ran = schema_check(FILE)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_schema_sees_a_fault(tmp_path: Path) -> None:
    faulty = tmp_path / "docker-compose.yml"
    faulty.write_text(FILE.read_text().replace("restart: unless-stopped", "restarts: unless-stopped", 1))
    ran = schema_check(faulty)
    assert (ran.returncode, "restarts" in ran.stdout) == (1, True)


@needs_compose
def test_compose_reads_it() -> None:
    ran = compose_config(FILE)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


@needs_compose
@pytest.mark.parametrize("options", [(), ("--profile", "telemetry")])
@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ({}, "http://telemetry:18889"),
        ({"TELEMETRY_ENDPOINT": ""}, ""),
        ({"TELEMETRY_ENDPOINT": "http://collector:4317"}, "http://collector:4317"),
    ],
)
def test_the_profile_brings_the_dashboard_and_changes_no_service(
    options: tuple[str, ...], given: dict[str, str], endpoint: str
) -> None:
    services = configured(*options, **given)
    sent = {
        services[name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] for name in ("worker", "client-scheduler")
    }
    assert (sent, "telemetry" in services) == ({endpoint}, bool(options))


@needs_compose
def test_compose_sees_a_fault(tmp_path: Path) -> None:
    faulty = tmp_path / "docker-compose.yml"
    faulty.write_text(FILE.read_text().replace("      scheduler-ready:\n", "      schedule-ready:\n", 1))
    ran = compose_config(faulty)
    assert (ran.returncode != 0, "schedule-ready" in ran.stderr) == (True, True)
