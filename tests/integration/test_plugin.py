"""The example plug-in, built, installed and run by real processes; and plug-ins that are broken beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import PATIENCE, Ran, World
from monitor_core.contract import ORCHESTRATOR
from monitor_core.scheduler import build_client, close_client
from monitor_core.settings import SchedulerSettings
from stack import ROOT, stack

EXAMPLE = ROOT / "docs" / "examples" / "plugin"
BROKEN = {"raises_on_import": "raise RuntimeError('no')", "raises_in_create": "def create(resources): 1 / 0"}
SPEC = """
from types import MappingProxyType
from typing import Literal
from monitor_core.kinds.base import CheckSpec

class Check(CheckSpec):
    variables = MappingProxyType({})
    natural_success = "true"
    kind: Literal["KIND"] = "KIND"
"""
START = """
import asyncio, json, sys
from monitor_client.connect import open_service
from monitor_core.contract import parse_request
from monitor_core.settings import client_settings

async def main() -> None:
    settings = client_settings()
    async with open_service(settings) as service:
        await service.start(parse_request(json.loads(sys.argv[1]), settings.kinds))
    assert "durable_monitor_dns.spec" in sys.modules
    assert not [name for name in sys.modules if name.endswith(".driver")], "a driver is the worker's alone"

asyncio.run(main())
"""


@dataclass
class Plugged:
    """Processes that have the plug-ins installed."""

    world: World
    folders: str

    def environment(self, plugins: str) -> dict[str, str]:
        return {"PYTHONPATH": self.folders, "MONITOR_PLUGINS": plugins}

    def run(self, *arguments: object, plugins: str = "dns") -> Ran:
        return self.world.run(*arguments, **self.environment(plugins))

    def script(self, code: str, *arguments: str, plugins: str) -> None:
        environment = self.world.parts.environment(self.environment(plugins))
        subprocess.run(
            [sys.executable, "-c", code, *arguments], env=environment, check=True, timeout=PATIENCE, cwd=ROOT
        )


def install_broken(folder: Path) -> None:
    """Two kinds whose specs load and whose drivers do not."""
    info = folder / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    specs, drivers = ["[durable_monitor.kinds]"], ["[durable_monitor.checks]"]
    for kind, driver in BROKEN.items():
        (folder / f"{kind}_spec.py").write_text(SPEC.replace("KIND", kind))
        (folder / f"{kind}_driver.py").write_text(driver)
        specs.append(f"{kind} = {kind}_spec:Check")
        drivers.append(f"{kind} = {kind}_driver:create")
    (info / "entry_points.txt").write_text("\n".join([*specs, *drivers, ""]))


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugged]:
    folder = tmp_path_factory.mktemp("plugins")
    offline = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(folder), str(EXAMPLE)]
    subprocess.run(command, check=True, timeout=PATIENCE)
    install_broken(folder)
    with stack() as parts:
        parts.start_scheduler()
        packages = parts.environment({})["PYTHONPATH"]
        client = str(ROOT / "services" / "client-scheduler")
        running = Plugged(World(parts), os.pathsep.join([packages, client, str(folder)]))
        parts.start_worker(running.environment(" ".join(["dns", *BROKEN])))
        yield running


def start(plugged: Plugged, job_id: str, **check: Any) -> None:
    document = {"job_id": job_id, "check": check, "polling": {"interval_seconds": 1}}
    plugged.script(START, json.dumps(document), plugins=" ".join(["dns", *BROKEN]))


def test_the_example_runs_to_its_verdict(plugged: Plugged) -> None:
    start(plugged, "name", kind="dns", host="localhost")
    ran = plugged.run("watch", "name", "-o", "json")
    assert (ran.code, ran.json["final_status"]) == (0, "Completed"), ran.err
    assert ran.json["transitions"][-1]["status"] == "Found"
    assert {"127.0.0.1", "::1"} & set(ran.json["last_observation"]["summary"].split(", "))


async def test_a_workflow_of_the_user_may_ask_for_it_by_a_bare_request(plugged: Plugged) -> None:
    client = build_client(SchedulerSettings(endpoint=plugged.world.parts.scheduler_url))
    try:
        request = {"job_id": "bare", "check": {"kind": "dns", "host": "localhost"}}
        instance = await client.schedule_new_orchestration(ORCHESTRATOR, input=request)
        state = await client.wait_for_orchestration_completion(instance, timeout=PATIENCE)
    finally:
        await close_client(client)
    assert state is not None
    assert state.failure_details is None
    assert '"Completed"' in str(state.serialized_output)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_driver_that_is_broken_ends_its_own_monitors_and_no_others(kind: str, plugged: Plugged) -> None:
    start(plugged, kind, kind=kind)
    ran = plugged.run("watch", kind, "-o", "json")
    assert (ran.code, ran.json["final_status"]) == (5, "Error"), ran.err
    assert f"the driver of '{kind}' cannot be made" in ran.json["reason"]
    start(plugged, f"after-{kind}", kind="dns", host="localhost")
    assert plugged.run("watch", f"after-{kind}").code == 0


def test_the_schema_has_what_is_enabled(plugged: Plugged) -> None:
    assert "check-dns" in plugged.run("schema").json["$defs"]
    assert "check-dns" not in plugged.run("schema", plugins="").json["$defs"]


def test_a_plug_in_that_is_not_there_stops_both_services_with_one_line(plugged: Plugged) -> None:
    asked = plugged.run("show", "name", plugins="tide")
    worker = subprocess.run(
        [sys.executable, "services/worker/worker.py"],
        cwd=ROOT,
        env=plugged.world.parts.environment(plugged.environment("tide")),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    for code, said in ((asked.code, asked.err), (worker.returncode, worker.stderr)):
        assert code == 2
        assert said.startswith("Error: MONITOR_PLUGINS: tide is not installed here")
        assert "dns" in said
        assert said.count("\n") == 1
