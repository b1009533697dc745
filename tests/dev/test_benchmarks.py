"""What benchmarks measure is written to its own place on the page, and each has one. No time is asserted."""

import subprocess
import sys

import pytest
from benchmarks import report

from stack import ROOT

PAGE = "# B\n<!-- a -->\nold\n<!-- /a -->\nbetween\n<!-- b -->\nkept\n<!-- /b -->\n"


def test_a_part_takes_its_own_place_and_no_other() -> None:
    once = report.with_part(PAGE, "a", r"new \1")
    assert once == PAGE.replace("old", r"new \1")
    assert report.with_part(once, "a", r"new \1") == once


def test_a_part_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no <!-- c -->"):
        report.with_part(PAGE, "c", "new")


def test_a_median_has_its_spread_and_a_table_its_rows() -> None:
    assert report.median([3, 1, 2, 10]) == "2 (1 to 10)"
    assert report.table(("a", "b"), ("1", "2")) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    said = report.where_and_how("x")
    assert "cores" in said
    assert said.endswith("`python -m benchmarks x`.")


def test_every_benchmark_has_a_place_and_another_name_is_refused() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "benchmarks", "x"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 2
    there_is = asked.stderr.strip().partition("There is: ")[2].split(", ")
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    for name in there_is:
        assert report.with_part(page, name, "") != page, f"{name} is measured on the page"
