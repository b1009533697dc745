"""docs/scale.md: that it is up to date is tested with all generated pages; here, what it says beside the plans."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reference.scale import scale_page

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "`--monitors" in line
]


@pytest.mark.parametrize(("was", "stale"), [("actions     51.4 a second", "51.5"), ("| 31.6 |", "| 31.7 |")])
def test_what_the_command_no_longer_says_is_replaced(was: str, stale: str) -> None:
    assert was in PAGE
    assert scale_page(PAGE.replace(was, stale)) == PAGE


def test_the_plans_reach_a_million() -> None:
    assert {re.findall(r"--monitors (\d+)", row[0])[0] for row in ROWS} == {"1000", "10000", "100000", "1000000"}


def test_rare_checks_of_a_million_take_what_the_page_says() -> None:
    rare = [row for row in ROWS if re.search(r"--monitors 1000000 --interval (600|3600)`", row[0])]
    assert len(rare) == 2
    assert all(row[4].startswith(("Dedicated", "2 x Dedicated")) and int(row[5]) <= 36 for row in rare)


def test_the_rule_of_the_page_spreads_jobs_evenly() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    places = Counter(names["endpoint_of"](f"build-{number}") for number in range(10_000))
    assert set(places) == set(names["SCHEDULERS"])
    assert all(count == pytest.approx(10_000 / len(places), rel=0.05) for count in places.values())
