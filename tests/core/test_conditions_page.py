"""docs/conditions.md: each condition of its tables is run over what it says was seen, its requests are parsed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from monitor_core.conditions import Condition, ConditionError, check_conditions
from monitor_core.contract import RequestError, parse_request
from monitor_core.kinds import BUILT_IN

PAGE = (Path(__file__).parents[2] / "docs" / "conditions.md").read_text()
HEAD = ["In words", "Condition", "Seen", "Result"]
CELL = re.compile(r"(?<!\\)\|")


class Row(NamedTuple):
    kind: str
    condition: str
    seen: dict[str, Any]
    result: str


def code(cell: str) -> str:
    """What stands in a cell's piece of code, a `|` as in a table taken for itself."""
    found = re.fullmatch(r"[^`]*`(.*)`", cell)
    assert found is not None, cell
    return found[1].replace("\\|", "|")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in CELL.split(line)[1:-1]]


def rows() -> Iterator[Row]:
    """The rows of every table, of the kind that the heading names; else of the kind `http`."""
    kind = "http"
    for line in PAGE.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
            kind = heading if heading in BUILT_IN else "http"
        if line.startswith("|") and not line.startswith("| ---") and cells(line) != HEAD:
            _, condition, seen, result = cells(line)
            yield Row(kind, code(condition), json.loads(code(seen)) if seen else {}, result)


def outcome(row: Row) -> str:
    """`true`, `false`, or `error` or `refused` with the reason."""
    try:
        condition = Condition("success_when", row.condition, BUILT_IN[row.kind].variables)
        return str(condition.holds(row.seen)).lower()
    except RequestError as error:
        return f"refused: {error.problems[0].reason}"
    except ConditionError as error:
        return f"error: {error}"


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.condition)
def test_a_condition_gives_what_the_page_says(row: Row) -> None:
    got = outcome(row)
    if row.result in {"true", "false"}:
        assert got == row.result
    else:
        verdict, _, _ = row.result.partition(":")
        assert got.startswith(f"{verdict}: ")
        assert code(row.result) in got


@pytest.mark.parametrize("row", [row for row in rows() if row.seen], ids=lambda row: row.condition)
def test_what_was_seen_is_what_the_kind_shows(row: Row) -> None:
    assert row.seen.keys() <= BUILT_IN[row.kind].variables.keys()


def test_there_are_at_least_25_of_several_kinds_and_every_outcome() -> None:
    found = list(rows())
    assert len(found) >= 25
    assert {row.kind for row in found} >= {"azure_operation", "http", "simulated", "tcp"}
    assert {row.result.partition(":")[0] for row in found} == {"true", "false", "error", "refused"}


def test_the_requests_of_the_page_can_be_started() -> None:
    documents = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert documents
    for document in documents:
        check_conditions(parse_request({"job_id": "j", **yaml.safe_load(document)}, BUILT_IN), BUILT_IN)


@pytest.mark.parametrize("condition", ["cod == 200", "code == 200 &&\n   stat == 'x'"])
def test_the_messages_of_the_page_are_those_of_the_compiler(condition: str) -> None:
    with pytest.raises(RequestError) as refused:
        Condition("success_when", condition, BUILT_IN["http"].variables)
    assert f"Error: {refused.value}\n" in PAGE
