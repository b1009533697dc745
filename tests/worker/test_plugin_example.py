"""The example plug-in: docs/plugins.md shows it as it is, it is short, and its driver does as it says."""

import ast
import importlib
from pathlib import Path
from types import ModuleType

import pytest

from monitor_core.conditions import conditions
from monitor_core.contract import parse_request
from monitor_worker.checks.base import CheckContext, Resources
from monitor_worker.checks.targets import TargetGuard

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "plugin"
FILES = sorted([*EXAMPLE.rglob("*.py"), EXAMPLE / "pyproject.toml"])
CONTEXT = CheckContext("job", "run.0.1.1", 1, 30.0)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    return "durable_monitor_dns"


def module(name: str) -> ModuleType:
    return importlib.import_module(name)


def without_docstrings(source: str) -> list[str]:
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            if ast.get_docstring(node) is not None:
                lines[first.lineno - 1 : first.end_lineno] = [""] * ((first.end_lineno or 0) - first.lineno + 1)
    return lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_page_shows_the_example_as_it_is(path: Path) -> None:
    language = "python" if path.suffix == ".py" else "toml"
    assert f"```{language}\n{path.read_text()}```\n" in (ROOT / "docs" / "plugins.md").read_text()


def test_it_takes_no_more_than_40_lines_of_code() -> None:
    code = [without_docstrings(path.read_text()) for path in FILES if path.suffix == ".py"]
    code.append((EXAMPLE / "pyproject.toml").read_text().splitlines())
    assert sum(bool(line.strip()) for lines in code for line in lines) <= 40


@pytest.mark.parametrize(
    ("host", "status", "met"), [("localhost", "Found", True), ("no such name", "Absent", False)]
)
async def test_its_driver_waits_for_a_name(host: str, status: str, met: bool, package: str) -> None:
    spec = module(f"{package}.spec").DnsCheck
    driver = module(f"{package}.driver").create(Resources(TargetGuard()))
    observed = await driver.check(spec(host=host), CONTEXT)
    await driver.close()
    success, _ = conditions(None, None, spec)
    assert success is not None
    assert (observed.status, success.holds(observed.variables)) == (status, met)


def test_its_example_is_a_request(package: str) -> None:
    spec = module(f"{package}.spec").DnsCheck
    assert parse_request({"job_id": "j", **spec.example}, {"dns": spec}).check == spec.example["check"]
