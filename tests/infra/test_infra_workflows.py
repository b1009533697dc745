"""GitHub's files by the tools that know them; each tool is shown to see a fault that is planted in a copy."""

from pathlib import Path

import pytest

from infra.sources import ROOT, Sources, plant, read
from infra.tools import complaints, copy

WORKFLOWS = {path: text for path, text in read().items() if path.startswith(".github/workflows/")}
DEPENDABOT = ".github/dependabot.yml"
FORMS = sorted(path.name for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*_*.yml"))
CI = ".github/workflows/ci.yml"


def actionlint(sources: Sources, into: Path) -> str:
    return complaints("actionlint", *copy(sources, into), cwd=into)


def zizmor(sources: Sources, into: Path) -> str:
    return complaints("zizmor", "--offline", "--no-progress", *copy(sources, into), cwd=into)


def schema(name: str, path: Path) -> str:
    return complaints("check-jsonschema", "--builtin-schema", f"vendor.{name}", path)


def test_actionlint_is_content(tmp_path: Path) -> None:
    assert actionlint(WORKFLOWS, tmp_path) == ""


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (CI, "matrix.python }}\n    runs-on", "matrix.pythn }}\n    runs-on", 'property "pythn" is not defined'),
        (CI, "    timeout-minutes: 10\n", "    timeout: 10\n", 'unexpected key "timeout"'),
        (CI, "${{ github.workflow }}-", "${{ github.workflow }-", "got unexpected"),
        (CI, '"$RUNNER_TEMP/azure.yaml.json" "$SCHEMA"', '"$RUNNER_TEMP/azure.yaml.json" $SCHEMA', "SC2086"),
    ],
)
def test_actionlint_sees_a_fault(tmp_path: Path, path: str, old: str, new: str, said: str) -> None:
    assert said in actionlint(plant(WORKFLOWS, path, old, new), tmp_path)


def test_zizmor_is_content(tmp_path: Path) -> None:
    assert zizmor(WORKFLOWS, tmp_path) == ""


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (".github/workflows/dependency-review.yml", "pull_request:", "pull_request_target:", "dangerous-triggers"),
        (
            ".github/workflows/dependency-review.yml",
            "dependency-review-action@2031cfc080254a8a887f58cffee85186f0e49e48",
            "dependency-review-action@main",
            "unpinned-uses",
        ),
        (CI, 'BICEP="$HOME/.azure/bin/bicep" infra', "${{ github.head_ref }} infra", "template-injection"),
    ],
)
def test_zizmor_sees_a_fault(tmp_path: Path, path: str, old: str, new: str, said: str) -> None:
    assert said in zizmor(plant(WORKFLOWS, path, old, new), tmp_path)


def test_dependabot_fits_its_schema(tmp_path: Path) -> None:
    path = ROOT / DEPENDABOT
    assert schema("dependabot", path) == ""
    text = path.read_text(encoding="utf-8")
    [faulty] = copy({DEPENDABOT: text.replace("weekly", "often", 1)}, tmp_path)
    assert "often" in schema("dependabot", faulty)


@pytest.mark.parametrize("name", FORMS)
def test_an_issue_form_fits_its_schema(tmp_path: Path, name: str) -> None:
    path = ROOT / ".github/ISSUE_TEMPLATE" / name
    assert schema("github-issue-forms", path) == ""
    text = path.read_text(encoding="utf-8")
    [faulty] = copy({name: text.replace("type: textarea", "type: text", 1)}, tmp_path)
    assert schema("github-issue-forms", faulty) != ""
