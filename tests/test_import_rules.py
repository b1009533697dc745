"""The rules that keep replay deterministic are no decoration: each forbidden thing is planted, and must be found.

A copy of the sources is broken on purpose and judged by the very commands of the Makefile's `imports` and `lint`.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
DETERMINISTIC = "The deterministic modules import no I/O, clock, randomness, environment or driver"
FORBIDDEN = {
    "random": "random",
    "time": "time",
    "os": "os",
    "monitor_worker.checks.http": "monitor_worker.checks",
    "monitor_worker.checks.registry": "monitor_worker.checks",
}
"""What is planted, and under which name it is forbidden."""
BANNED = {
    "from datetime import datetime; datetime.now()": "datetime.datetime.now",
    "import datetime; datetime.datetime.utcnow()": "datetime.datetime.utcnow",
    "from datetime import date; date.today()": "datetime.date.today",
    "import uuid; uuid.uuid4()": "uuid.uuid4",
    "import urllib.request": "urllib.request",
}
TARGETS = {
    "monitor_worker.orchestrator": "services/worker/monitor_worker/orchestrator.py",
    "monitor_worker.policy": "services/worker/monitor_worker/policy.py",
    "monitor_core.channels.webhook": "services/shared/monitor_core/channels/webhook.py",
    "monitor_core.kinds.http": "services/shared/monitor_core/kinds/http.py",
    "monitor_core.contract.names": "services/shared/monitor_core/contract/names.py",
}
Run = Callable[[str], "subprocess.CompletedProcess[str]"]


def command(mark: str) -> str:
    """The line of the Makefile that has `mark` in it, as make would run it."""
    made = subprocess.run(
        ["make", "--dry-run", "--silent", "--old-file=.venv/.ready", f"BIN={BIN}", "lint", "imports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = [line for line in made.stdout.splitlines() if mark in line]
    return line


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources and their rules, to break."""
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def run(copy: Path) -> Run:
    """Runs the Makefile's command that has the given mark, over the copy."""

    def start(mark: str) -> "subprocess.CompletedProcess[str]":
        # Rich wraps its report to the terminal's width.
        wide = f"export COLUMNS=1000; {command(mark)}"
        return subprocess.run(wide, shell=True, cwd=copy, capture_output=True, text=True, check=False)

    return start


def broken_rules(report: str) -> dict[str, str]:
    """From the name of each broken contract to what is said of it."""
    _, _, details = report.partition("Broken contracts\n")
    parts = re.split(r"\n([^\n]+)\n-{5,}\n", details)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def said_of(module: str, forbidden: str, report: str) -> str:
    """The chains by which a module, or the package it is in, imports what is forbidden."""
    parts = re.split(r"^(\S+) is not allowed to import (\S+):$", report, flags=re.MULTILINE)
    triples = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    (chains,) = [said for source, name, said in triples if name == forbidden and in_package(module, source)]
    return chains


def in_package(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def plant(copy: Path, path: str, lines: list[str]) -> None:
    with (copy / path).open("a") as source:
        source.write("\n".join(["", *lines, ""]))


def test_the_sources_as_they_are_keep_every_rule(run: Run) -> None:
    for mark in ("lint-imports", "TID251"):
        found = run(mark)
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("module", TARGETS)
def test_a_forbidden_import_is_found(module: str, copy: Path, run: Run) -> None:
    plant(copy, TARGETS[module], [f"import {name}" for name in FORBIDDEN])
    found = run("lint-imports")
    assert found.returncode == 1
    said = broken_rules(found.stdout)[DETERMINISTIC]
    for name, forbidden in FORBIDDEN.items():
        chains = said_of(module, forbidden, said)
        assert re.search(rf"^- +{re.escape(module)} -> {re.escape(name)} \(l\.\d+\)$", chains, re.MULTILINE), name


@pytest.mark.parametrize("name", FORBIDDEN)
def test_one_forbidden_import_alone_is_enough(name: str, copy: Path, run: Run) -> None:
    plant(copy, TARGETS["monitor_worker.policy"], [f"def late():\n    import {name}"])
    found = run("lint-imports")
    assert found.returncode == 1
    assert DETERMINISTIC in broken_rules(found.stdout)


def test_a_clock_or_randomness_behind_a_harmless_module_is_found(copy: Path, run: Run) -> None:
    for path in TARGETS.values():
        plant(copy, path, list(BANNED))
    found = run("TID251")
    assert found.returncode == 1
    places = [part for part in found.stdout.split("TID251 ") if part]
    for name in BANNED.values():
        paths = {
            path
            for part in places
            if part.startswith(f"`{name}` is banned")
            for path in TARGETS.values()
            if path in part
        }
        assert paths == set(TARGETS.values()), name


@pytest.mark.parametrize(("plant_name", "name"), BANNED.items())
def test_one_banned_name_alone_is_enough(plant_name: str, name: str, copy: Path, run: Run) -> None:
    plant(copy, TARGETS["monitor_core.contract.names"], [plant_name])
    found = run("TID251")
    assert found.returncode == 1
    assert f"`{name}` is banned" in found.stdout


def test_both_rules_are_over_the_same_modules() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (rule,) = [rule for rule in rules if rule["name"] == DETERMINISTIC]
    paths = re.findall(r"services/\S+", command("TID251"))
    modules = {path.split("/", 2)[2].removesuffix(".py").replace("/", ".") for path in paths}
    assert modules == set(rule["source_modules"])
    assert {module for module in TARGETS if any(in_package(module, source) for source in modules)} == set(TARGETS)
