"""YAML and JSON as data: what is written is what is read, or it is refused with its line."""

import json
from typing import Any

import pytest
import yaml

from monitor_client.documents import LOADER, parse
from monitor_core.contract import RequestError
from monitor_core.contract.bounds import DEEPEST

both_loaders = pytest.mark.parametrize("loader", [yaml.CSafeLoader, yaml.SafeLoader])
"""An installation may lack the parser in C."""


def read(text: str, source: str = "jobs.yaml", loader: Any = LOADER) -> Any:
    (document,) = parse(text, source, loader)
    return document.data


def refused(text: str, source: str = "jobs.yaml", loader: Any = LOADER) -> str:
    with pytest.raises(RequestError) as caught:
        parse(text, source, loader)
    return str(caught.value)


@both_loaders
@pytest.mark.parametrize(
    ("written", "is_read_as"),
    [
        ("1", 1),
        ("-7", -7),
        ("0", 0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("'1'", "1"),
        ('"true"', "true"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'yes'", "yes"),
        ('"012"', "012"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("12:30:45", "12:30:45"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("yesterday", "yesterday"),
        ("status == 'on'", "status == 'on'"),
        ("9" * 2000, float("inf")),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
        ("[a, 1]", ["a", 1]),
        ("{a: {}, b: []}", {"a": {}, "b": []}),
        ("&anchored text", "text"),
        ('"\\u00e9\\n"', "\u00e9\n"),
    ],
)
def test_a_value_is_what_json_would_take_it_for_or_the_text_as_it_is(
    loader: Any, written: str, is_read_as: Any
) -> None:
    assert read(f"x: {written}", loader=loader) == {"x": is_read_as}


@both_loaders
@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("yes", "yes can be read in two ways: write true or false, or put it in quotes if it is a text"),
        ("Off", "Off can be read in two ways: write true or false"),
        ("n", "n can be read in two ways"),
        ("012", "012 can be read in two ways: a number does not begin with 0"),
        ("-08", "-08 can be read in two ways"),
        ("0x1F", "0x1F can be read in two ways: write digits only"),
        ("0o17", "0o17 can be read in two ways"),
        ("1_000", "1_000 can be read in two ways: write digits only"),
        ("*there", "the alias *there is not taken: write out what it stands for"),
        ("!!python/object:os.system {}", "the tag tag:yaml.org,2002:python/object:os.system is not taken"),
        ("!!binary aGk=", "the tag tag:yaml.org,2002:binary is not taken"),
        ("!secret x", "the tag !secret is not taken (put a text that begins with ! in quotes)"),
    ],
)
def test_what_can_be_read_in_two_ways_or_is_more_than_data_is_refused(
    loader: Any, written: str, says: str
) -> None:
    told = refused(f"a: 1\nouter:\n  x: {written}\n", loader=loader)
    assert told.startswith(f"jobs.yaml, line 3, outer.x: {says}")


@both_loaders
def test_a_key_is_a_text_whatever_it_looks_like(loader: Any) -> None:
    assert read("on: 1\n2026: 2\nno: 3\n1.0: 4\n", loader=loader) == {"on": 1, "2026": 2, "no": 3, "1.0": 4}


@both_loaders
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "jobs.yaml, line 3, a: is given twice (before in line 1)"),
        ("check:\n  url: x\n  url: y\n", "jobs.yaml, line 3, check.url: is given twice (before in line 2)"),
        ("? [a]\n: 1\n", "jobs.yaml, line 1: the name of a field should be a text"),
        ("*x : 1\n", "jobs.yaml, line 1: the name of a field should be a text"),
        ("a: [1\n", "jobs.yaml, line 2: is no YAML: "),
        ("a: b: c\n", "jobs.yaml, line 1: is no YAML: mapping values are not allowed"),
        ("a: b: c\n", "(put a text with quotes, ': ' or '#' in it on a line of its own, below FIELD: >-, and "),
        ("a: 'x' in y\nb: 1\n", "(put a text with quotes"),
        ("a: {b: http://h/{c}}\n", "(put a text with { } [ ] or , in it in quotes)"),
        ("a: @b\n", "(put a text that begins with it in quotes)"),
        ("\ta: 1\n", "jobs.yaml, line 1: is no YAML: "),
        ("a:\n\tb: 1\n", "(indent with spaces, not with tabs)"),
        ("a: \x00\n", "jobs.yaml"),
        ("x: " + "[" * 100, "jobs.yaml, line 1: is nested too deeply"),
        ("a:\n" + "".join(f"{' ' * n}- \n" for n in range(1, DEEPEST + 5)), "is nested too deeply"),
    ],
)
def test_what_is_no_document_says_where(loader: Any, text: str, says: str) -> None:
    assert says in refused(text, loader=loader)


@both_loaders
def test_a_bomb_of_aliases_is_refused_at_its_first(loader: Any) -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
    assert "line 2, l1.0: the alias *l0 is not taken" in refused(f"l0: &l0 x\n{levels}\n", loader=loader)


@both_loaders
def test_a_text_of_many_documents_is_read_into_all_of_them_with_their_lines(loader: Any) -> None:
    one, two = parse("---\njob_id: a\n---\njob_id: b\ncheck:\n  kind: tcp\n", "jobs.yaml", loader)
    assert (one.data, two.data) == ({"job_id": "a"}, {"job_id": "b", "check": {"kind": "tcp"}})
    assert two.place("check.kind") == "jobs.yaml, line 6"
    assert two.place("check.port") == "jobs.yaml, line 5", "what is missing is missing there"
    assert two.place("polling.interval_seconds") == "jobs.yaml, line 4"


def test_an_empty_text_holds_no_document() -> None:
    assert parse("", "jobs.yaml") == []
    assert parse("# nothing yet\n", "jobs.yaml") == []


@pytest.mark.parametrize(
    "data", [{"a": [1, 1.5, None, True, "\U0001f600 \ud7ff/"], "b": {"c": {}}}, [], [{"x": "yes"}, "012"]]
)
@pytest.mark.parametrize("shape", [{}, {"indent": 2}, {"indent": "\t"}, {"ensure_ascii": False}])
def test_all_of_json_is_read_as_json(data: Any, shape: dict[str, Any]) -> None:
    for source in ("jobs.json", "stdin"):
        assert read(json.dumps(data, **shape), source) == data


def test_fields_of_json_have_their_lines_too() -> None:
    (document,) = parse('{\n "check": {\n  "port": 1\n }\n}', "jobs.json")
    assert document.place("check.port") == "jobs.json, line 3"
    (document,) = parse('{\n\t"check": {}\n}', "jobs.json")
    assert document.place("check").startswith("jobs.json")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1,}', "jobs.json, line 1: is no JSON: "),
        ('{\n"a": yes}', "jobs.json, line 2: is no JSON: Expecting value"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "jobs.json, c: is given twice"),
        ('{"a": NaN}', "jobs.json: NaN is not JSON"),
        ("[" * 200_000, "jobs.json: is nested too deeply"),
    ],
)
def test_what_is_no_json_says_so(text: str, says: str) -> None:
    assert refused(text, "jobs.json").startswith(says)


def test_yaml_in_braces_is_yaml() -> None:
    assert read("{job_id: a, check: {kind: tcp}}") == {"job_id": "a", "check": {"kind": "tcp"}}
