"""The threat model names tests that there are, and each of them is shown to find a hole."""

import re
from pathlib import Path

from security.holes import planted

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
FOUND_BY = {hole.found_by.partition("[")[0] for holes in planted().values() for hole in holes}


def test_every_abuse_names_what_holds_its_answer() -> None:
    rows = PAGE.partition("## Abuse")[2].partition("## What is accepted")[0].splitlines()
    abuses = [row for row in rows if row.startswith("| ") and not row.startswith(("| Abuse", "| ---"))]
    assert len(abuses) > 20
    assert [row for row in abuses if "`tests/" not in row] == []


def test_every_test_that_is_named_is_there_and_finds_a_hole() -> None:
    for file, name in NAMED:
        assert re.search(rf"def {name}\(", (ROOT / file).read_text(encoding="utf-8")), f"{file}::{name}"
    assert {f"{file}::{name}" for file, name in NAMED} - FOUND_BY == set()
