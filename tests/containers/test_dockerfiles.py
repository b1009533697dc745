"""The Dockerfiles: our rules, each shown to see its fault, and hadolint."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from containers.dockerfile import ROOT, Dockerfile
from containers.dockerfile_rules import RULES, complaints
from monitor_core.settings import ClientSettings, WorkerSettings

CONTEXTS = {
    "services/worker/Dockerfile": "services",
    "services/client-scheduler/Dockerfile": "services",
    "dev/job_simulator/Dockerfile": "dev",
    "dev/local_scheduler/Dockerfile": "dev",
}
PLANTED = [
    ("plain_syntax", "ARG PYTHON_IMAGE", "# syntax=docker/dockerfile:1\nARG PYTHON_IMAGE"),
    ("plain_syntax", "RUN pip ", "RUN --mount=type=cache,target=/var/cache/pip pip "),
    ("base_image", "ARG PYTHON_IMAGE=python:3.13-slim", "ARG PYTHON_IMAGE=python"),
    ("base_image", "FROM ${PYTHON_IMAGE}\n", "FROM python:3.13-slim@sha256:0123\n"),
    ("stages", "FROM ${PYTHON_IMAGE}\nCOPY", "COPY"),
    ("stages", "USER 10001", "RUN apt-get install --yes curl\nUSER 10001"),
    ("stages", "rm -rf /usr/local/bin/pip*", "rm -rf"),
    ("locked_dependencies", " --require-hashes", ""),
    ("locked_dependencies", " --only-binary :all:", ""),
    (
        "locked_dependencies",
        "COPY worker/requirements.txt",
        "COPY worker/worker.py /app\nCOPY worker/requirements.txt",
    ),
    ("non_root", "USER 10001:10001\n", ""),
    ("non_root", "USER 10001:10001", "USER monitor"),
    ("non_root", "USER 10001:10001", "USER 0:0"),
    ("processes", 'CMD ["python", "worker.py"]', "CMD python worker.py"),
    ("processes", 'CMD ["python", "worker.py"]', 'ENTRYPOINT ./start.sh\nCMD ["python", "worker.py"]'),
    ("processes", "HOME=/tmp", "HOME=/root"),
    ("health", "HEALTHCHECK --interval=10s --timeout=10s --start-period=30s \\\n    CMD", "RUN"),
    ("health", '["python", "-m", "monitor_core.probe", ', '["curl", "--fail", '),
    ("health", "EXPOSE 8081", "EXPOSE 8080"),
    ("labels", 'org.opencontainers.image.licenses="MIT"', 'licenses="MIT"'),
    (
        "copies",
        "COPY worker/monitor_worker",
        "COPY client-scheduler/monitor_client client\nCOPY worker/monitor_worker",
    ),
    ("copies", "COPY worker/worker.py", "COPY worker/workers.py"),
    ("copies", "COPY shared/monitor_core", "ADD shared/monitor_core"),
    ("copies", "COPY shared/monitor_core shared/monitor_core", "COPY . ."),
]
every = pytest.mark.parametrize("path", CONTEXTS)


def hadolint(path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("hadolint")), "--no-color", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_dockerfile_is_looked_at() -> None:
    found = {
        str(path.relative_to(ROOT))
        for folder in ("services", "dev")
        for path in (ROOT / folder).rglob("Dockerfile")
    }
    assert found == set(CONTEXTS)


@every
def test_the_rules_are_kept(path: str) -> None:
    assert complaints(Dockerfile.read(path, CONTEXTS[path])) == []


@pytest.mark.parametrize(("rule", "right", "wrong"), PLANTED)
def test_a_planted_fault_is_seen(rule: str, right: str, wrong: str) -> None:
    file = Dockerfile.read("services/worker/Dockerfile", "services")
    assert file.text.count(right) == 1
    faulty = Dockerfile(file.text.replace(right, wrong), file.context)
    assert rule in {complaint.split(":")[0] for complaint in complaints(faulty)}


def test_every_rule_has_a_fault() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for rule, *_ in PLANTED}


@every
def test_hadolint_is_content(path: str) -> None:
    ran = hadolint(ROOT / path)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_hadolint_sees_a_fault(tmp_path: Path) -> None:
    faulty = tmp_path / "Dockerfile"
    faulty.write_text("FROM python\nRUN cd /tmp && pip install durabletask\n")
    ran = hadolint(faulty)
    assert ran.returncode != 0
    assert {"DL3006", "DL3013"} <= set(re.findall(r"DL\d+", ran.stdout))


@pytest.mark.parametrize("folder", ["services", "dev"])
def test_a_context_holds_only_what_is_named(folder: str) -> None:
    lines = [
        line for line in (ROOT / folder / ".dockerignore").read_text().splitlines() if not line.startswith("#")
    ]
    assert lines[0] == "*"
    assert {"**/.*", "**/__pycache__"} <= set(lines), "neither secrets nor caches"


def test_the_ports_are_those_of_the_settings() -> None:
    worker = Dockerfile.read("services/worker/Dockerfile", "services")
    client = Dockerfile.read("services/client-scheduler/Dockerfile", "services")
    ports = [
        str(WorkerSettings.model_fields["health_port"].default),
        str(ClientSettings.model_fields["api_port"].default),
    ]
    assert [one.text for file in (worker, client) if (one := file.last("EXPOSE"))] == ports


@pytest.mark.parametrize(
    ("path", "model"),
    [("services/worker/Dockerfile", WorkerSettings), ("services/client-scheduler/Dockerfile", ClientSettings)],
)
def test_the_variables_are_those_of_the_settings(path: str, model: type[WorkerSettings | ClientSettings]) -> None:
    known = {field.alias for field in model.model_fields.values()}
    ours = {name for name in Dockerfile.read(path, "services").environment() if name.startswith("MONITOR_")}
    assert ours
    assert ours <= known
