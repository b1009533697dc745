"""What is shown of an observation's variables: without secrets, whatever they are, and never too much."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.contract.explain import LONGEST_VARIABLES
from monitor_worker.checks.masking import HIDDEN, Masker
from monitor_worker.excerpts import LEFT_OUT, excerpt
from support.strategies import examples


def shown(value: Any) -> Any:
    made = excerpt({"x": value}, str)
    assert made.variables is not None
    return made.variables["x"]


def test_what_is_small_is_shown_whole() -> None:
    value: Any = {"a": [1, 2.5, True, None, "text", {}, []], "b": {"c": "d"}}
    assert excerpt({"x": value}, str) == ({"x": value}, False)


def test_where_nothing_was_seen_there_are_none() -> None:
    assert excerpt(None, str) == (None, False)


@pytest.mark.parametrize(
    ("value", "is_shown_as"),
    [
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (2**63 - 1, 2**63 - 1),
        (2**16609, "... (a whole number of 16610 bits)"),
        (b"bytes", "... (a bytes)"),
        (object(), "... (a object)"),
        ((1, 2), [1, 2]),
        ("\ud800", "?"),
        ({1: "one"}, {"1": "one"}),
    ],
    ids=range(9),
)
def test_what_is_not_json_is_said_in_words(value: Any, is_shown_as: Any) -> None:
    assert shown(value) == is_shown_as


@pytest.mark.parametrize(
    ("value", "end"),
    [
        ("x" * 5000, "xx... (3000 more characters)"),
        (list(range(5000)), "... (4900 more)"),
    ],
)
def test_what_is_long_is_shortened_visibly(value: Any, end: str) -> None:
    made = excerpt({"x": value}, str)
    assert made.shortened
    text = str(shown(value) if isinstance(value, str) else shown(value)[-1])
    assert text.endswith(end)


def test_an_object_of_many_members_says_how_many_are_left_out() -> None:
    assert shown({f"n{number}": number for number in range(150)})[LEFT_OUT] == "... (50 more)"


def test_an_object_that_is_deep_ends_in_a_mark_too() -> None:
    value: Any = "the bottom"
    for _ in range(500):
        value = {"deeper": value}
    text = json.dumps(shown(value))
    assert text.count("deeper") < 20
    assert "... (1 more)" in text


def test_what_is_deep_ends_in_a_mark_however_deep_it_is() -> None:
    value: Any = "the bottom"
    for _ in range(100_000):
        value = [value]
    assert "... (1 more)" in json.dumps(shown(value))
    while isinstance(value, list):  # taken apart by hand: so deep a list would break the garbage collector's stack
        value = value[0]


def test_a_secret_is_masked_in_values_and_names_before_anything_is_cut() -> None:
    masker = Masker()
    masker.add("s3cret-s3cret")
    said = json.dumps(excerpt({"x": {"s3cret-s3cret": "a" * 1995 + "s3cret-s3cret" + "b" * 2000}}, masker))
    assert "s3cr" not in said
    assert HIDDEN in said


def test_every_variable_keeps_its_name_when_room_is_short() -> None:
    made = excerpt({f"v{number}": ["x" * 5000] * 50 for number in range(30)}, str)
    assert list(made.variables or {}) == [f"v{number}" for number in range(30)]


wide = st.text(max_size=300)


@given(
    st.dictionaries(
        wide, st.recursive(wide | st.integers() | st.floats(), lambda x: st.lists(x) | st.dictionaries(wide, x))
    ),
    st.integers(1, 60),
)
@examples(30)
def test_the_excerpt_is_json_of_bounded_size(variables: dict[str, Any], times: int) -> None:
    many = {f"{name}{number}": [value] * times for name, value in variables.items() for number in range(times)}
    text = json.dumps(excerpt(many, str).variables, allow_nan=False)
    assert len(text) <= LONGEST_VARIABLES


def test_the_widest_excerpt_is_small_enough() -> None:
    emoji = "\U0001f600" * 5000
    many = {f"{emoji}{number}"[-60:]: {emoji: [emoji] * 200} for number in range(200)}
    assert len(json.dumps(excerpt(many, str).variables)) <= LONGEST_VARIABLES
