"""A condition that does not compile says what to write instead."""

import pytest

from monitor_core.conditions import Condition
from monitor_core.contract import RequestError
from monitor_core.kinds import BUILT_IN


def refused(text: str, kind: str = "http") -> str:
    with pytest.raises(RequestError) as caught:
        Condition("success_when", text, BUILT_IN[kind].variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "code == 200 and changed",
            "column 13: Syntax error: mismatched input 'and' expecting <EOF> (write && for and)",
        ),
        ("code == 200 or changed", "(write || for or)"),
        ("not changed", "(write ! for not)"),
        ("code = 200", "(write == for =)"),
        ("code === 200", "(write == for ===)"),
        ("code <> 200", "(write != for <>)"),
        ("code is 200", "(write == for is)"),
        ("status =~ 'x'", "(write x.matches('...') for =~)"),
        ("changed == True", "(write true)"),
        ("len(text) > 3", "(write x.size())"),
        ("now() > 1", "(a condition has no clock)"),
        ("lowercase(text) == 'x'", "(there is no such function: docs/conditions.md has those that there are)"),
        ("cod == 200", "undeclared reference to 'cod' (did you mean code?)"),
        ("latency_ms < 100", "(30.0 goes with a double, 30 with an int; or convert by double(x), int(x))"),
        (
            "code == '200'",
            "(a text in quotes is no number: leave the quotes out, or convert by string(x), int(x))",
        ),
    ],
)
def test_what_to_write_instead_stands_behind_what_is_wrong(text: str, says: str) -> None:
    assert refused(text).endswith(says)


def test_a_name_like_none_is_told_those_that_there_are() -> None:
    assert refused("count > 1", "sql").endswith(
        "'count' (there are changed, found, latency_ms, row, value; a text stands in quotes)"
    )


@pytest.mark.parametrize("text", ["code == 200;", 'text.contains("a', "size(3) > 1"])
def test_where_nothing_is_known_to_help_nothing_is_added(text: str) -> None:
    assert not refused(text).endswith(")") or "applied to" in refused(text)
