"""Verdicts reach a receiver that fails, hangs, refuses or dies, through a killed worker: real processes."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from durabletask.azuremanaged.client import DurableTaskSchedulerClient
from durabletask.client import OrchestrationQuery, TaskHubGrpcClient

from monitor_core.contract import DeliveryState, delivery_prefix, instance_id
from monitor_core.scheduler import sdk_logger
from monitor_core.settings import SchedulerSettings
from stack import Stack, stack
from support.command_line import run
from support.receiver import Receiver, code, die, hang, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
REFERENCE = "env:MONITOR_SECRET_HOOK"
PATHS = ("taken", "failing", "dying", "gone", "hanging")
PATIENCE = 30


class World:
    """A scheduler, a receiver, and workers that come and go."""

    def __init__(self, parts: Stack, receiver: Receiver, client: TaskHubGrpcClient) -> None:
        self.parts, self.receiver, self.client = parts, receiver, client
        self.origin = receiver.url("")

    def worker(self) -> Any:
        settings = {
            "MONITOR_SECRET_HOOK": SECRET,
            "MONITOR_ALLOWED_SECRETS": f"{REFERENCE}={self.origin}",
            "MONITOR_ALLOWED_TARGETS": self.origin.removeprefix("http://"),
        }
        return self.parts.start_worker(settings)

    def request(self, job_id: str) -> dict[str, Any]:
        channel = {"kind": "webhook", "url": f"{self.origin}/{job_id}", "secret": REFERENCE}
        return {
            "job_id": job_id,
            "check": {"kind": "simulated", "checks": 2},
            "polling": {"interval_seconds": 0.2},
            "on_verdict": [{"to": channel}],
        }

    def delivery(self, job_id: str) -> DeliveryState:
        """Its state, once it is over."""
        query = OrchestrationQuery(
            instance_id_prefix=delivery_prefix(instance_id(job_id)), fetch_inputs_and_outputs=True
        )
        until = time.monotonic() + PATIENCE
        while True:
            (state,) = self.client.get_all_orchestration_states(query)
            if state.serialized_output:
                return DeliveryState.model_validate_json(state.serialized_output)
            assert time.monotonic() < until, state
            time.sleep(0.05)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with receiving(SECRET) as receiver, stack() as parts:
        parts.start_scheduler()
        with DurableTaskSchedulerClient(
            host_address=SchedulerSettings(endpoint=parts.scheduler_url).address,
            taskhub="default",
            token_credential=None,
            secure_channel=False,
            logger=sdk_logger(),
        ) as client:
            made = World(parts, receiver, client)
            misbehave(made, tmp_path_factory.mktemp("requests") / "all.json")
            yield made


def misbehave(world: World, file: Path) -> None:
    receiver = world.receiver
    receiver.plan("/failing", code(503, retry_after=1), code(500, retry_after=1))
    receiver.plan("/dying", die)
    receiver.plan("/gone", then=code(410))
    receiver.plan("/hanging", hang)
    first = world.worker()
    file.write_text(json.dumps([world.request(job_id) for job_id in PATHS]))
    environment = {"ENDPOINT": world.parts.scheduler_url}
    assert run("start", "-f", str(file), **environment).code == 0
    receiver.wait("/hanging", 1)
    first.kill()
    world.worker()
    assert run("wait", *PATHS, **environment).code == 0


@pytest.mark.parametrize(("job_id", "attempts"), [("taken", 1), ("failing", 3), ("dying", 2), ("hanging", 1)])
def test_a_verdict_arrives_signed_and_always_with_the_same_id(world: World, job_id: str, attempts: int) -> None:
    state = world.delivery(job_id)
    assert (state.outcome, state.detail) == ("delivered", "HTTP 204")
    came = world.receiver.at(f"/{job_id}")
    assert len(came) >= (2 if job_id == "hanging" else attempts)
    assert len({one.id for one in came}) == 1
    assert all(one.signed for one in came)
    assert {one.notice["status"] for one in came} == {"Completed"}
    assert {one.event.get_id() for one in came} == {state.id}


def test_who_is_gone_is_not_asked_again_and_it_changes_no_verdict(world: World) -> None:
    state = world.delivery("gone")
    assert (state.outcome, state.attempts) == ("failed", 1)
    assert "410" in state.detail
    assert len({one.id for one in world.receiver.at("/gone")}) == 1
    shown = run("show", "gone", "-o", "json", ENDPOINT=world.parts.scheduler_url)
    assert shown.json["result"]["final_status"] == "Completed"
