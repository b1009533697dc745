"""Real processes: a scheduler, a job simulator and a worker, shared by the tests of a module."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from stack import Stack, stack

PATIENCE = 60


@dataclass
class Ran:
    """A command line that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class World:
    """The stack, and what a test does with it."""

    def __init__(self, parts: Stack) -> None:
        self.parts = parts

    def job_url(self, **query: object) -> str:
        """A URL template at the simulator; the job is made at its first GET as the query says."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{self.parts.simulator_url}/jobs/{{job_id}}?{asked}"

    def begin(self, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        return self.parts.client(*map(str, arguments), environment=environment)

    def run(self, *arguments: object, **environment: str) -> Ran:
        return ended(self.begin(*arguments, **environment))

    def ledger(self, job_id: str) -> list[Mapping[str, Any]]:
        """What the simulator saw of a job."""
        with urllib.request.urlopen(f"{self.parts.simulator_url}/ledger?job_id={job_id}", timeout=10) as answer:
            seen: list[Mapping[str, Any]] = json.load(answer)
            return seen


def ended(client: subprocess.Popen[str]) -> Ran:
    out, err = client.communicate(timeout=PATIENCE)
    return Ran(client.returncode, out, err)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        parts.start_worker()
        yield World(parts)


@pytest.fixture
def bare() -> Iterator[World]:
    """A scheduler and a simulator, and no worker yet."""
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        yield World(parts)
