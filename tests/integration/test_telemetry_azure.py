"""Telemetry to Application Insights: the real exporter in a real worker, against an ingestion of this machine."""

import json
from dataclasses import dataclass
from pathlib import Path

from stack import ROOT, stack
from support.command_line import run
from support.ingestion import CLIENT_ID, TOKEN, Ingestion, ingestion
from support.spying import Spy
from support.targets import Target, serving

SECRET = "pl4nted-s3cret-value"
REFERENCE = "env:MONITOR_SECRET_API"
NEVER = {
    "OTEL_BSP_SCHEDULE_DELAY": "600000",
    "OTEL_BLRP_SCHEDULE_DELAY": "600000",
    "OTEL_METRIC_EXPORT_INTERVAL": "600000",
}
"""What is sent is sent at the end."""


@dataclass
class Seen:
    """What was sent by a worker that has ended, and how it ended."""

    azure: Ingestion
    hosts: set[str]
    log: str
    code: int


def what_is_sent(folder: Path) -> Seen:
    target, spy = Target(), Spy.at(folder)
    with ingestion() as azure, serving(target), stack() as parts:
        parts.start_scheduler()
        worker = parts.start_worker(
            {
                **azure.environment(folder),
                **spy.environment("worker", str(ROOT / "services/shared")),
                **NEVER,
                "LOG_LEVEL": "DEBUG",
                "MONITOR_SECRET_API": SECRET,
                "MONITOR_ALLOWED_SECRETS": f"{REFERENCE}={target.url}",
                "MONITOR_ALLOWED_TARGETS": target.url.removeprefix("http://"),
            }
        )
        for job_id, code in (("telling", 0), ("broken", 5)):
            asked = {
                "job_id": job_id,
                "check": {
                    "kind": "http",
                    "url": f"{target.url}/{job_id}",
                    "auth": {"type": "bearer", "token": REFERENCE},
                },
                "polling": {"interval_seconds": 0.1},
                "tolerance": {"consecutive_errors": 1},
            }
            (folder / "request.json").write_text(json.dumps(asked))
            ran = run("start", "--watch", "-f", str(folder / "request.json"), ENDPOINT=parts.scheduler_url)
            assert ran.code == code, ran.err
        assert azure.bodies == []
        code = worker.stop()
        return Seen(azure, spy.hosts("worker"), worker.output(), code)


def assert_the_token_is_asked_for_as_the_managed_identity_and_for_azure_monitor(seen: Seen) -> None:
    assert seen.azure.tokens
    for asked in seen.azure.tokens:
        assert asked["resource"] == ["https://monitor.azure.com/"]
        assert asked["client_id"] == [CLIENT_ID]


def assert_all_is_sent_with_the_token_and_nowhere_else(seen: Seen) -> None:
    assert {path for path, _ in seen.azure.asked} == {"/v2.1/track"}
    assert {authorization for _, authorization in seen.azure.asked} == {f"Bearer {TOKEN}"}
    # No statistics, live metrics, control plane: all of these are Python, and would look up a host.
    assert seen.hosts == {"127.0.0.1"}


def assert_what_happened_a_moment_before_the_end_is_sent_at_the_end(seen: Seen) -> None:
    assert seen.code == 0
    said = [item["message"] for item in seen.azure.items("MessageData")]
    (verdict,) = [message for message in said if message.startswith("telling: ")]
    assert verdict.startswith("telling: Completed after 2 checks")
    turns = [item for item in seen.azure.items("RemoteDependencyData") if item["name"] == "turn"]
    assert {turn["properties"]["durable_monitor.job_id"] for turn in turns} == {"telling", "broken"}
    names = {metric["name"] for item in seen.azure.items("MetricData") for metric in item["metrics"]}
    assert {"durable_monitor.checks", "durable_monitor.verdicts", "durable_monitor.drain.duration"} <= names


def assert_a_planted_secret_and_the_token_are_in_none_of_it(seen: Seen) -> None:
    assert seen.azure.bodies
    sent = b"".join(seen.azure.bodies)
    assert b"Saw Bearer ***" in sent, "the target has repeated the secret, and it was hidden"
    for secret in (SECRET, TOKEN):
        assert secret.encode() not in sent
        assert secret not in seen.log


def assert_nothing_is_said_of_telemetry_that_gets_through(seen: Seen) -> None:
    assert "Telemetry" not in seen.log
    assert "Traceback" not in seen.log


def test_telemetry_is_sent_to_application_insights_as_the_managed_identity(tmp_path: Path) -> None:
    seen = what_is_sent(tmp_path)
    assert_the_token_is_asked_for_as_the_managed_identity_and_for_azure_monitor(seen)
    assert_all_is_sent_with_the_token_and_nowhere_else(seen)
    assert_what_happened_a_moment_before_the_end_is_sent_at_the_end(seen)
    assert_a_planted_secret_and_the_token_are_in_none_of_it(seen)
    assert_nothing_is_said_of_telemetry_that_gets_through(seen)
