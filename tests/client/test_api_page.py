"""docs/api.md: a request for every operation, each run as it stands there against a served app."""

import re
import subprocess
from pathlib import Path

import pytest

from monitor_client.api import create_app
from reference.curl import BASE, EXAMPLES
from support.fake_scheduler import FakeScheduler
from support.lively_scheduler import LivelyScheduler
from support.serving import serving

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
COMMANDS = re.findall(r"```sh\n(curl .*?)\n```", PAGE, re.DOTALL)
PATIENCE = 60


def test_every_operation_has_its_example() -> None:
    paths = create_app(FakeScheduler().service(), "http://scheduler").openapi()["paths"]
    ids = {operation["operationId"] for methods in paths.values() for operation in methods.values()}
    assert set(EXAMPLES) == ids
    assert len(COMMANDS) == len(ids)
    for path, methods in paths.items():
        for method in methods:
            assert f"\n## {method.upper()} {path}\n" in PAGE


def test_the_examples_work_one_after_the_other(tmp_path: Path) -> None:
    scheduler = LivelyScheduler(looks=10**9)
    with serving(create_app(scheduler.service(), "http://scheduler", outcome_seconds=2)) as url:
        for number, command in enumerate(COMMANDS):
            if number == 4:
                # A worker would answer by now; here one takes a monitor at the second look at it.
                subprocess.run(["curl", "-sS", f"{url}/monitors/import-43"], check=True, capture_output=True)
            failing = command.replace("curl -sS", "curl -sS --fail-with-body --max-time 30", 1).replace(BASE, url)
            ran = subprocess.run(
                ["bash", "-c", failing],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
                cwd=tmp_path,
            )
            assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    assert [given["data"]["name"] for given in scheduler.given("event")] == [
        "check_now",
        "pause",
        "resume",
        "extend",
        "edit",
        "complete",
        "cancel",
    ]


@pytest.mark.parametrize("name", ["Started", "MonitorView", "Operation", "ProblemDetails", "Edit"])
def test_what_answers_and_bodies_are_made_of_is_described(name: str) -> None:
    assert f"\n### {name}\n" in PAGE
