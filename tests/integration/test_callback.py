"""The job ends the wait: the page's own lines, run against real processes, and nothing shows the token."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from durabletask.azuremanaged.client import DurableTaskSchedulerClient

from monitor_core.contract import instance_id
from monitor_core.scheduler import sdk_logger
from monitor_core.settings import SchedulerSettings
from stack import Process, Stack, stack
from support.command_line import run

SECTION = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text().partition("\n## Callback in\n")[2]


class World:
    """A worker and a service that log all that they do."""

    def __init__(self, parts: Stack) -> None:
        self.parts = parts
        self.worker = parts.start_worker({"LOG_LEVEL": "DEBUG"})
        self.serve: Process = parts.start_service(LOG_LEVEL="DEBUG")
        self.service = self.serve.url(", on")

    def start(self, job_id: str) -> dict[str, Any]:
        often = ("0.1", "60", "--simulate-checks", "1000", "--turn-seconds", "0")
        done = run("start", job_id, *often, "--callback", "--server", self.service, "-o", "json")
        assert done.code == 0, done.err
        started: dict[str, Any] = done.json
        return started

    def call(self, callback: dict[str, str]) -> tuple[int, str]:
        """The page's lines, by the shell."""
        block = re.search(r"```sh\n(.*?)```", SECTION, re.DOTALL)
        assert block
        variables = {"CALLBACK_URL": callback["url"], "CALLBACK_TOKEN": callback["token"]}
        done = subprocess.run(
            ["sh", "-c", block[1]],
            env={"PATH": "/usr/bin:/bin", **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def show(self, job_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = run("show", job_id, "-o", "json", ENDPOINT=self.parts.scheduler_url).json
        return shown

    def kept(self, job_id: str) -> str:
        """All that the scheduler keeps of a monitor."""
        with DurableTaskSchedulerClient(
            host_address=SchedulerSettings(endpoint=self.parts.scheduler_url).address,
            taskhub="default",
            token_credential=None,
            secure_channel=False,
            logger=sdk_logger(),
        ) as client:
            instance = instance_id(job_id)
            return f"{client.get_orchestration_state(instance)} {client.get_orchestration_history(instance)}"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator()
        yield World(parts)


def test_the_job_ends_the_wait_as_the_page_says_after_several_generations(world: World) -> None:
    callback = world.start("nightly")["callback"]
    until = time.monotonic() + 30
    while world.show("nightly")["status"]["check_count"] < 25:
        assert time.monotonic() < until
        time.sleep(0.2)
    code, said = world.call(callback)
    assert (code, json.loads(said)["accepted"]) == (0, True)
    result = world.show("nightly")["result"]
    assert (result["final_status"], result["decided_by"]) == ("Completed", "push")
    assert "4,211 rows written" in result["reason"]
    assert world.call(callback) == (code, said)
    logged = world.worker.output() + world.serve.output()
    assert callback["token"] not in world.kept("nightly") + logged + json.dumps(world.show("nightly"))


def test_a_run_that_has_ended_takes_it_no_more(world: World) -> None:
    callback = world.start("gone")["callback"]
    assert run("cancel", "gone", ENDPOINT=world.parts.scheduler_url).code == 0
    code, said = world.call(callback)
    assert code == 22
    assert said == ""
    assert world.show("gone")["result"]["final_status"] == "Cancelled"
