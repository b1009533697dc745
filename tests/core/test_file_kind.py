"""The spec of the kind `file`: which paths it takes, and what it counts as success by itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from monitor_core.conditions import conditions
from monitor_core.kinds import FileCheck


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        FileCheck.model_validate({"path": "/share/*.csv", **fields})
    return str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "/a",
        "/share/in/ready.csv",
        "/share/*/x?.[ch]sv",
        "/share/**/*",
        "/share/**/in/*.csv",
        "/s/caf\u00e9 1",
        "/s/..a",
    ],
)
def test_an_absolute_path_or_pattern_is_taken(path: str) -> None:
    assert "/" + "/".join(FileCheck(path=path).parts) == path


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "an absolute path"),
        ("ready.csv", "an absolute path"),
        ("~/ready.csv", "an absolute path"),
        ("file:///share/ready.csv", "an absolute path"),
        ("C:\\share\\ready.csv", "an absolute path"),
        ("/share/a\nb", "no control character"),
        ("/share/a\x00b", "no control character"),
        ("/share/\udc80", "control character|unicode"),
        ("/share/../etc/passwd", r"no '\.\.'"),
        ("/share/in/..", r"no '\.\.'"),
        ("/share/./x", r"no '\.\.'"),
        ("//share/x", "no '//'"),
        ("/share/", "no '/' at its end"),
        ("/", "no '/' at its end"),
        ("/share/" + "x" * 256, "no part of more than 255 bytes"),
        ("/share/" + "\u00e9" * 128, "no part of more than 255 bytes"),
        ("/share/" + "x/" * 510 + "x", "at most 1024 characters"),
        ("/share/**", r"\*\*/\*"),
        ("/share/**/a/**/b", r"\*\* once at most"),
        ("/share/a**/b", r"\*\* once at most"),
        ("/share/***/b", r"\*\* once at most"),
    ],
)
def test_any_other_path_is_refused_with_the_reason(path: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        FileCheck(path=path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stable_checks", -1),
        ("stable_checks", 1001),
        ("min_age_seconds", -0.1),
        ("min_age_seconds", float("nan")),
        ("min_count", 0),
        ("min_count", 20_001),
        ("contents", "x"),
    ],
)
def test_bounds_and_unknown_fields(field: str, value: object) -> None:
    assert field in refused(**{field: value})


def test_more_than_one_file_needs_a_pattern() -> None:
    assert FileCheck(path="/share/?", min_count=2).min_count == 2
    assert "min_count can only be reached with a pattern" in refused(path="/share/a", min_count=2)


def test_it_is_written_by_what_differs_from_its_defaults() -> None:
    assert FileCheck(path="/a", changed=False, stable_checks=2).as_wire() == {
        "kind": "file",
        "path": "/a",
        "stable_checks": 2,
    }


@pytest.mark.parametrize("text", ["exists && size > 10", "!exists", "changed && total_bytes > 0", "count >= 3"])
def test_a_condition_can_be_judged_where_there_is_no_file(text: str) -> None:
    condition, _ = conditions(text, None, FileCheck)
    assert condition is not None
    nothing = {
        "exists": False,
        "ready": False,
        "changed": False,
        "count": 0,
        "total_bytes": 0,
        "unchanged_checks": 0,
    }
    assert condition.holds(nothing) is (text == "!exists")
