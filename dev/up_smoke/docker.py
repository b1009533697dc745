"""Docker as the rehearsal uses it: the product's compose file, in a project of its own and on free ports."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STAND_IN = "durable-monitor/local-scheduler:dev"
_PROJECT = ("compose", "--file", "docker-compose.yml", "--project-name", "durable-monitor-rehearsal")
_FREE_PORTS = dict.fromkeys(("SCHEDULER_PORT", "DASHBOARD_PORT", "API_PORT", "SIMULATOR_PORT"), "0")
_NO_PROFILES = {"COMPOSE_PROFILES": ""}
_PATIENCE_SECONDS = 600


class DockerError(RuntimeError):
    """A command failed; the message holds it and the end of what it said."""


def docker(*arguments: str) -> str:
    """What `docker ...` prints.

    Raises:
        DockerError: it failed.
    """
    ran = subprocess.run(  # noqa: S603 # our own arguments
        ["docker", *arguments],  # noqa: S607 # wherever it is installed
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    if ran.returncode != 0:
        said = (ran.stdout + ran.stderr)[-4000:]
        raise DockerError(f"docker {' '.join(arguments)}\nended {ran.returncode} and said:\n{said}")
    return ran.stdout.strip()


def compose(*arguments: str) -> str:
    """What `docker compose ...` prints.

    Raises:
        DockerError: it failed.
    """
    return docker(*_PROJECT, *arguments)


def begin(*arguments: str) -> subprocess.Popen[str]:
    """`docker compose ...` as a process of its own, its output in pipes."""
    return subprocess.Popen(  # noqa: S603 # our own arguments
        ["docker", *_PROJECT, *arguments],  # noqa: S607 # wherever it is installed
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def url(service: str, port: int) -> str:
    """Where a port of a service is published on this machine."""
    return f"http://{compose('port', service, str(port))}"


def addresses(service: str) -> dict[str, str]:
    """The containers of a service by their addresses in the project's network."""
    found = json.loads(docker("inspect", *compose("ps", "--quiet", service).split()))
    return {_address(container): container["Id"] for container in found}


def exit_codes(*services: str) -> dict[str, int]:
    """The exit codes of the services' containers, by name."""
    found = json.loads(docker("inspect", *compose("ps", "--all", "--quiet", *services).split()))
    return {container["Name"].lstrip("/"): int(container["State"]["ExitCode"]) for container in found}


def configured() -> dict[str, Any]:
    """The services of the compose file."""
    services: dict[str, Any] = json.loads(compose("config", "--format", "json"))["services"]
    return services


@contextmanager
def standing_in(image: str) -> Iterator[None]:
    """The local scheduler under the name `image`; what had this name before has it again at the end."""
    before = _image_id(image)
    docker("build", "--quiet", "--file", "dev/local_scheduler/Dockerfile", "--tag", STAND_IN, "dev")
    docker("tag", STAND_IN, image)
    try:
        yield
    finally:
        if before is None:
            docker("rmi", image)
        else:
            docker("tag", before, image)


def _image_id(image: str) -> str | None:
    return docker("images", "--quiet", "--no-trunc", image) or None


def _address(container: dict[str, Any]) -> str:
    networks: dict[str, Any] = container["NetworkSettings"]["Networks"]
    return str(next(iter(networks.values()))["IPAddress"])


def _environment() -> dict[str, str]:
    return {**os.environ, **_FREE_PORTS, **_NO_PROFILES}
