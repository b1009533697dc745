"""azd: azure.yaml by azd's own schema, the scripts by shellcheck, and the settings as the apps read them."""

import os
import subprocess
from pathlib import Path

import pytest

from infra.app_settings import rendered
from infra.sources import ROOT, read
from infra.tools import SCHEMA, complaints, copy
from monitor_core.settings import (
    CONNECTION_STRING,
    ClientSettings,
    WorkerSettings,
    client_settings,
    worker_settings,
)

SOURCES = read()
SCRIPTS = sorted((ROOT / "infra").rglob("*.sh"))
AZD = {"ENDPOINT": "https://dts-x.westeurope.durabletask.io", "TASKHUB": "monitor"}
RUNTIME = {
    "identity.properties.clientId": "11111111-2222-3333-4444-555555555555",
    "applicationInsights.properties.ConnectionString": "InstrumentationKey=11111111-2222-3333-4444-555555555555;"
    "IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/",
}


@pytest.mark.skipif(
    not SCHEMA.exists(), reason=f"azd's schema is not at {SCHEMA}: set AZURE_YAML_SCHEMA to its path"
)
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", ""),
        (
            "    host: containerapp\n",
            "",
            "'host' is a",
        ),
        ("remoteBuild: true", "remoteBuild: maybe", "'maybe' is not of type 'boolean'"),
        ("  postdeploy:", "  postdeployed:", "'postdeployed'"),
        ("requiredVersions:\n", "requiredVersions:\n  azdd: x\n", "'azdd'"),
    ],
)
def test_azure_yaml_fits_the_schema(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = SOURCES["azure.yaml"].replace(old, new, 1)
    assert (text == SOURCES["azure.yaml"]) == (said == "")
    [path] = copy({"azure.yaml": text}, tmp_path)
    found = complaints("check-jsonschema", "--schemafile", SCHEMA, path)
    assert said in found
    assert bool(found) == bool(said)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_is_content_and_would_see_a_fault(tmp_path: Path, path: Path) -> None:
    assert complaints("shellcheck", path) == ""
    text = path.read_text(encoding="utf-8")
    [faulty] = copy({path.name: f"{text}\nrm -rf $1/\n"}, tmp_path)
    assert "SC2086" in complaints("shellcheck", faulty)


def test_the_hooks_say_how_to_start_a_monitor() -> None:
    hook = ROOT / "infra/hooks/postdeploy.sh"
    environment = {**os.environ, "DASHBOARD_URL": "https://dashboard.example/hub"}
    said = subprocess.run(["sh", hook], capture_output=True, check=True, text=True, env=environment).stdout
    assert "azd exec python services/client-scheduler/client.py" in said
    assert "https://dashboard.example/hub" in said
    assert "azd exec python services/client-scheduler/client.py" in hook.with_suffix(".ps1").read_text("utf-8")
    assert (ROOT / "services/client-scheduler/client.py").exists()


def test_compile_fails_on_a_warning(tmp_path: Path) -> None:
    script = ROOT / "infra/compile.sh"
    codes = []
    for name, line in {"content": "exit 0", "warns": "echo 'x.bicep(1,1) : Warning no-unused-params' >&2"}.items():
        [compiler] = copy({name: f"#!/bin/sh\n{line}\n"}, tmp_path)
        compiler.chmod(0o755)
        environment = {**os.environ, "BICEP": str(compiler)}
        codes.append(
            subprocess.run(["bash", script], capture_output=True, check=False, env=environment).returncode
        )
    assert codes == [0, 1]


def test_the_worker_takes_its_settings() -> None:
    settings = worker_settings(rendered(SOURCES, "worker", AZD | {"MONITOR_ALLOWED_TARGETS": "a:1,b:2"}, RUNTIME))
    _scheduler(settings)
    assert settings.health_host == "0.0.0.0"
    assert settings.health_port == 8081
    assert settings.drain_seconds == 75
    assert settings.allowed_targets == ("a:1", "b:2")
    assert settings.max_activities == 2000
    assert settings.max_orchestrations == 32


def test_the_client_takes_its_settings() -> None:
    settings = client_settings(rendered(SOURCES, "client-scheduler", AZD, RUNTIME))
    _scheduler(settings)
    assert (settings.api_host, settings.api_port) == ("0.0.0.0", 8000)
    assert settings.log_level == "INFO"


def test_what_a_user_sets_arrives() -> None:
    azd = AZD | {"MONITOR_MAX_ACTIVITIES": "7", "MONITOR_DRAIN_SECONDS": "90", "MONITOR_LOG_LEVEL": "DEBUG"}
    settings = worker_settings(rendered(SOURCES, "worker", azd, RUNTIME))
    assert (settings.max_activities, settings.drain_seconds, settings.log_level) == (7, 90, "DEBUG")


def test_the_connection_is_in_no_other_variable() -> None:
    for name in ("worker", "client-scheduler"):
        given = rendered(SOURCES, name, AZD, RUNTIME)
        assert [key for key, value in given.items() if AZD["ENDPOINT"] in value] == [CONNECTION_STRING]


def _scheduler(settings: WorkerSettings | ClientSettings) -> None:
    scheduler = settings.scheduler
    assert scheduler.endpoint == AZD["ENDPOINT"]
    assert scheduler.taskhub == AZD["TASKHUB"]
    assert scheduler.authentication == "ManagedIdentity"
    assert scheduler.client_id == RUNTIME["identity.properties.clientId"]
    assert scheduler.secure
