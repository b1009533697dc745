"""What every workflow keeps to: no permission that is not asked for, pinned actions, an end to every job."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from infra.sources import Sources

_PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def workflows(sources: Sources) -> Iterator[tuple[str, dict[Any, Any]]]:
    """Every workflow, read."""
    for path, text in sources.items():
        if path.startswith(".github/workflows/"):
            yield path, yaml.safe_load(text)


def workflows_keep_to_the_rules(sources: Sources) -> list[str]:
    """`permissions: {}` at the top, a time-out for every job, concurrency said."""
    found = []
    for path, workflow in workflows(sources):
        if workflow.get("permissions") != {}:
            found.append(f"{path}: permissions at the top are not {{}}")
        if "concurrency" not in workflow:
            found.append(f"{path}: no concurrency")
        for name, job in workflow["jobs"].items():
            if "timeout-minutes" not in job:
                found.append(f"{path}: {name} has no timeout-minutes")
    return found


def actions_are_pinned(sources: Sources) -> list[str]:
    """By commit, with the release beside it."""
    return [
        f"{path}: {line.strip()} is not pinned to the commit of a release"
        for path, _ in workflows(sources)
        for line in sources[path].splitlines()
        if "uses: " in line and not _PINNED.search(line)
    ]


def only_our_own_code_signs_in(sources: Sources) -> list[str]:
    """A job that gets an identity in Azure runs on main, or on a pull request from this repository."""
    found = []
    for path, workflow in workflows(sources):
        for name, job in workflow["jobs"].items():
            condition = str(job.get("if", ""))
            ours = "head.repo.full_name == github.repository" in condition or "refs/heads/main" in condition
            if job.get("permissions", {}).get("id-token") == "write" and not ours:
                found.append(f"{path}: {name} gives an identity to code of forks")
    return found


def everything_is_run(sources: Sources) -> list[str]:
    """CI runs the tests on each Python, the Bicep compiler, the images, compose and the engine's tests."""
    text = sources[".github/workflows/ci.yml"]
    wanted = ['"3.11", "3.12", "3.13"', "make PYTHON=", "infra/compile.sh", "docker compose build"]
    wanted += ["make up-smoke EMULATOR=real", "pytest tests/engine", "mcr.microsoft.com/dts/dts-emulator"]
    return [f".github/workflows/ci.yml: does not have {each}" for each in wanted if each not in text]
