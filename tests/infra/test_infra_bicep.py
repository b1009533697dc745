"""The Bicep files and what hangs on them: every check holds, and reports the fault that is planted for it."""

from pathlib import Path

import pytest
import yaml

from infra import (
    alert_conditions,
    alerts,
    app_settings,
    compiling,
    permissions,
    pipelines,
    queries,
    resources,
    running,
    wiring,
)
from infra.sources import Check, plant, read

CHECKED = (
    alert_conditions,
    alerts,
    app_settings,
    compiling,
    permissions,
    pipelines,
    queries,
    resources,
    running,
    wiring,
)
MODULES = {each.__name__.rpartition(".")[2]: each for each in CHECKED}
SOURCES = read()
Fault = dict[str, str]
FAULTS: dict[str, list[Fault]] = yaml.safe_load(
    Path(__file__).with_name("planted.yaml").read_text(encoding="utf-8")
)


def check_of(name: str) -> Check:
    module, _, function = name.partition(".")
    check: Check = getattr(MODULES[module], function)
    return check


def _returns_problems(value: object) -> bool:
    return getattr(value, "__annotations__", {}).get("return") == list[str]


def checks() -> list[str]:
    """Every check there is: the public functions that return problems."""
    return [
        f"{module}.{name}"
        for module, each in MODULES.items()
        for name, value in vars(each).items()
        if getattr(value, "__module__", "") == each.__name__ and name[0] != "_" and _returns_problems(value)
    ]


@pytest.mark.parametrize("name", checks())
def test_it_holds(name: str) -> None:
    assert check_of(name)(SOURCES) == []


@pytest.mark.parametrize("name", checks())
def test_the_planted_faults_are_reported(name: str) -> None:
    faults = FAULTS[name]
    assert faults
    for fault in faults:
        problems = check_of(name)(plant(SOURCES, fault["file"], fault["old"], fault["new"]))
        assert any(fault["says"] in problem for problem in problems), (fault, problems)


def test_no_fault_is_planted_for_nothing() -> None:
    assert set(FAULTS) == set(checks())
