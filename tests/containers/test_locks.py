"""The locked dependencies of the images: hashed, of one version everywhere, and no more than is needed."""

import re

import pytest

from containers.dockerfile import ROOT

LOCKS = [
    "services/worker/requirements.txt",
    "services/client-scheduler/requirements.txt",
    "dev/job_simulator/requirements.txt",
    "dev/local_scheduler/requirements.txt",
]
PINNED = re.compile(r"^([a-z][\w.-]*)==(\S+)((?:.*\\\n    --hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)


def versions(path: str) -> dict[str, str]:
    text = (ROOT / path).read_text()
    pinned = {name: version for name, version, _ in PINNED.findall(text)}
    assert set(pinned) == set(re.findall(r"^([a-z][\w.-]*)", text, re.MULTILINE)), f"{path}: one without a hash"
    return pinned


@pytest.mark.parametrize("path", LOCKS)
def test_an_image_has_what_is_tested(path: str) -> None:
    developed_with = versions("requirements-dev.txt")
    assert versions(path).items() <= developed_with.items(), "run make lock"


def test_the_images_hold_no_more_than_their_service_needs() -> None:
    worker, client, simulator, scheduler = map(versions, LOCKS)
    tools = {"pytest", "ruff", "mypy", "uv", "hypothesis"}
    assert not tools & (worker.keys() | client.keys() | simulator.keys() | scheduler.keys())
    assert not {"fastapi", "uvicorn", "typer", "rich"} & worker.keys()
    assert not {"durabletask", "aiohttp"} & simulator.keys()
    assert not {"azure-identity", "fastapi", "pydantic"} & scheduler.keys()
