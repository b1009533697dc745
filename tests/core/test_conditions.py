"""Conditions: what compiles, what holds, and that everything else says where and why."""

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor_core.conditions import Condition, ConditionError, check_conditions, conditions
from monitor_core.contract import RequestError, parse_request
from monitor_core.kinds import BUILT_IN, CheckSpec, HttpCheck, SimulatedCheck, Variable
from support.strategies import examples


class Unnatural(CheckSpec):
    """A kind with a variable of each type, and no answer of its own."""

    variables = MappingProxyType(
        {
            "flag": Variable("bool", "A flag."),
            "number": Variable("int", "A number."),
            "share": Variable("double", "A share."),
            "word": Variable("string", "A word."),
            "words": Variable("map(string, string)", "Words."),
            "anything": Variable("dyn", "Anything."),
        }
    )


def condition(text: str, spec: type[CheckSpec] = HttpCheck) -> Condition:
    return Condition("success_when", text, spec.variables)


def holds(text: str, /, **values: Any) -> bool:
    return condition(text).holds(values)


def refused(text: str) -> str:
    with pytest.raises(RequestError) as caught:
        condition(text)
    ((field, reason),) = caught.value.problems
    assert field == "success_when"
    return reason


def unjudged(text: str, /, **values: Any) -> str:
    with pytest.raises(ConditionError) as caught:
        holds(text, **values)
    message = str(caught.value)
    assert message.startswith(f"success_when '{text}' cannot be judged: ")
    return message.partition("cannot be judged: ")[2]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("foo == 1", "column 1: undeclared reference to 'foo'"),
        ("code == 200 || bar.baz == 1", "column 19: undeclared reference to 'bar.baz'"),
        ("nofn(1)", "column 5: undeclared reference to 'nofn'"),
        ("'\u4e16\U0001f600' == foo", "column 9: undeclared reference to 'foo'"),
        ("code == 1 &&\n foo", "line 2, column 2: undeclared reference to 'foo'"),
        ("code == 'x'", "column 6: found no matching overload for '_==_' applied to '(int, string)'"),
        ("code.startsWith('a')", "column 16: found no matching overload for 'startsWith'"),
        ("headers[1] == ''", "column 8: found no matching overload for '_[_]'"),
        ("latency_ms > 1", "column 12: found no matching overload for '_>_' applied to '(double, int)'"),
        ("status == null", "column 8: found no matching overload"),
        ("code == 200 ? true : 1", "column 13: found no matching overload for '_?_:_'"),
        ("status.foo == 1", "column 7: expression of type 'string' cannot be the operand of a select"),
        ("code == 99999999999999999999", "column 9: invalid int literal"),
        ("has(code)", "column 5: has() argument must be a field selection"),
        ("code = 200", "column 6: Syntax error"),
        ("code ==", "column 8: Syntax error: mismatched input '<EOF>'"),
        ("(", "column 2: Syntax error: mismatched input '<EOF>'"),
        ("'a", "column 1: Syntax error"),
        ("  ", "column 3: Syntax error"),
        ("true\x00 && false", "column 5: Syntax error"),
    ],
)
def test_what_does_not_compile_is_refused_by_its_column(text: str, reason: str) -> None:
    assert refused(text).startswith(reason)
    assert "\n" not in refused(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("1", "INT"), ("code + 1", "INT"), ("status", "STRING"), ("null", "NULL"), ("[true]", "LIST")],
)
def test_what_can_never_be_true_or_false_is_refused(text: str, kind: str) -> None:
    assert refused(text).startswith(f"should be true or false, but {text!r} is of type {kind}")


@pytest.mark.parametrize(
    "text", ["(" * 500 + "true" + ")" * 500, "[" * 500 + "]" * 500 + " == []", "1" + "+1" * 500 + " == 1"]
)
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    assert "recursion" in refused(text)


@given(st.text(max_size=40) | st.text("code=!&|()[]{}<>'\"\\.,?: 1x\n", max_size=40))
@examples(100)
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        condition(text)
    except RequestError as error:
        reasons = [problem.reason for problem in error.problems]
    else:
        reasons = []
    assert all(reasons)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("code == 200", {"code": 200}, True),
        ("code == 200", {"code": 404}, False),
        ("headers['retry-after'] == '5'", {"headers": {"retry-after": "5"}}, True),
        (
            "body.items.exists(i, i.name == 'a' && i.ready)",
            {"body": {"items": [{"name": "a", "ready": True}]}},
            True,
        ),
        ("body.count > 3", {"body": {"count": 3.5}}, True),
        ("body.count > 3", {"body": {"count": 2**63 - 1}}, True),
        ("body.done", {"body": {"done": True}}, True),
        ("body", {"body": False}, False),
        ("has(body.a)", {"body": {}}, False),
        ("body.a == null", {"body": {"a": None}}, True),
        ("'x' in body", {"body": ["x"]}, True),
        ("text.matches('^a+$')", {"text": "aaa"}, True),
        ("text.split(',').size() == 2", {"text": "a,b"}, True),
        ("latency_ms < 10.0", {"latency_ms": float("nan")}, False),
        ("body.missing || true", {"body": {}}, True),
        ("timestamp(text) > timestamp('2020-01-01T00:00:00Z')", {"text": "2026-01-01T00:00:00Z"}, True),
    ],
)
def test_a_condition_holds_or_not(text: str, values: dict[str, Any], expected: bool) -> None:
    assert condition(text).holds(values) is expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("flag", True),
        ("number == 1", 1),
        ("share == 0.5", 0.5),
        ("word == 'a'", "a"),
        ("words.a == 'b'", {"a": "b"}),
    ],
)
def test_a_variable_of_each_type_can_be_used(text: str, value: Any) -> None:
    name = text.split(" ", maxsplit=1)[0].partition(".")[0]
    assert condition(text, Unnatural).holds({name: value})


@pytest.mark.parametrize(
    ("text", "values", "why"),
    [
        ("body.a == 1", {"body": {}}, 'Key not found in map : "a"'),
        ("headers['x'] == ''", {"headers": {}}, 'Key not found in map : "x"'),
        ("body.a.b == 1", {"body": {"a": {}}}, 'Key not found in map : "b"'),
        ("body[0] == 1", {"body": []}, "Index error"),
        ("body.a.b == 1", {"body": {"a": 1}}, "non-message type"),
        ("body['a'] == 1", {"body": None}, "Invalid container type"),
        ("body.a == 1", {}, "the observation has no `body` (The answer decoded as JSON; absent where it is not"),
        ("status == 'x'", {"code": 200}, "the observation has no `status`"),
        ("body", {"body": "true"}, "it is of type STRING"),
        ("body", {"body": 1}, "it is of type INT"),
        ("body", {"body": None}, "it is of type NULL"),
        ("body", {"body": {}}, "it is of type MAP"),
        ("body && true", {"body": 1}, "No matching overloads"),
        ("!body", {"body": "x"}, "No matching overloads"),
        ("code / (code - code) == 1", {"code": 1}, "divide by zero"),
        ("int(text) > 1", {"text": "x"}, "cannot convert string to int"),
        ("text.matches(status)", {"text": "a", "status": "("}, "invalid regular expression"),
        ("code == 1", {"code": 2**70}, "int too big"),
        ("code == 1", {"code": "1"}, "`code` is no int, as this kind declares it"),
        ("body.a > 1", {"body": {"a": 2**64}}, "out of range"),
        ("text == ''", {"text": None}, "`text` is no string, as this kind declares it"),
    ],
)
def test_a_condition_that_cannot_be_judged_says_why(text: str, values: dict[str, Any], why: str) -> None:
    assert why in unjudged(text, **values)


def test_a_missing_key_is_never_taken_for_true() -> None:
    # The evaluator's value for it is a text, which Python takes for true.
    assert "Key not found" in unjudged("body.done", body={})


def test_a_key_of_the_target_s_choice_costs_no_time_in_the_message() -> None:
    key = "a=" + "=".join(["111"] * 24) + "!"
    began = time.process_time()
    assert "Key not found" in unjudged("body[body.k] == 1", body={"k": key})
    assert time.process_time() - began < 1
    assert key not in unjudged("body[body.k] == 1", body={"k": key})


def test_a_condition_may_take_9_999_iterations_and_not_one_more() -> None:
    assert holds("body.all(x, x >= 0)", body=list(range(9_999))) is True
    assert "more than 9,999 iterations" in unjudged("body.all(x, x >= 0)", body=list(range(10_000)))


def test_one_macro_in_another_multiplies() -> None:
    nested = "body.all(x, body.all(y, x + y >= 0))"
    assert holds(nested, body=list(range(99))) is True
    assert "more than 9,999 iterations" in unjudged(nested, body=list(range(100)))


def test_what_needs_no_macro_costs_no_iterations() -> None:
    assert holds("199999 in body && body.size() == 200000", body=list(range(200_000))) is True


def test_a_long_condition_is_cut_in_messages() -> None:
    text = "body.a == '" + "x" * 500 + "'"
    with pytest.raises(ConditionError) as caught:
        holds(text, body={})
    assert "..." in str(caught.value)
    assert len(str(caught.value)) < 250


def truth_or_reason(one: Condition, values: dict[str, Any]) -> bool | str:
    try:
        return one.holds(values)
    except ConditionError as error:
        return str(error)


EXPRESSIONS = (
    "body.a == 1",
    "body == 'x'",
    "body",
    "size(body) > 1",
    "body.exists(x, x == 1)",
    "body.all(k, body[k] != null)",
    "body[0] > 0 || body['a'] < 1.5",
    "'a' in body",
    "body + body == body",
    "string(body) == 'x'",
    "int(body) > 1 ? body : true",
    "body.matches('x')",
    "text.contains(status) && code > 0 && headers['a'] == text",
    "latency_ms > 1.0",
)
COMPILED = [condition(text) for text in EXPRESSIONS]
# Numbers beyond 64 bits, lone surrogates and NaN: a JSON parser lets all of them through.
odd_text = st.text(st.characters(), max_size=10)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | odd_text
    | st.sampled_from([2**63, -(2**63) - 1, "\ud800", "", b"bytes", dt.datetime(2026, 1, 1), (1, 2), object()])  # noqa: DTZ001
)
odd_json = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_text | st.just("a"), inner, max_size=4),
)


@given(
    body=odd_json,
    others=st.dictionaries(st.sampled_from(["text", "status", "code", "headers", "latency_ms"]), odd_json),
)
@example(body={"a": 2**70}, others={})
@example(body="\ud800", others={"text": "\ud800"})
@example(body={"\ud800": 1}, others={})
@examples(160)
def test_whatever_the_target_says_a_condition_is_true_or_false_or_cannot_be_judged(
    body: Any, others: dict[str, Any]
) -> None:
    for one in COMPILED:
        answer = truth_or_reason(one, {"body": body, **others})
        assert isinstance(answer, bool) or answer


def test_deep_data_is_judged() -> None:
    deep: Any = 1
    for _ in range(200):  # as deep as the http driver lets through
        deep = {"a": [deep]}
    assert holds("size(body) == 1", body=deep) is True


def test_a_condition_can_be_judged_on_many_threads_at_once() -> None:
    one = condition("body.n == 1 && text == 'yes'")
    with ThreadPoolExecutor(8) as threads:
        judged = list(threads.map(lambda n: one.holds({"body": {"n": n % 2}, "text": "yes"}), range(2000)))
        compiled = list(threads.map(lambda n: condition(f"code == {n}").holds({"code": n}), range(200)))
    assert judged == [bool(n % 2) for n in range(2000)]
    assert all(compiled)


def test_a_kind_s_natural_conditions_stand_in_where_a_request_has_none() -> None:
    success, failure = conditions(None, None, SimulatedCheck)
    assert success is not None
    assert failure is not None
    assert success.holds({"status": "Succeeded"})
    assert failure.holds({"status": "Canceled"})


def test_a_condition_of_the_request_replaces_both_natural_ones() -> None:
    success, failure = conditions("check > 3", None, SimulatedCheck)
    assert success is not None
    assert success.holds({"check": 4})
    assert failure is None
    success, failure = conditions(None, "check > 3", SimulatedCheck)
    assert success is None
    assert failure is not None


def test_a_kind_without_a_natural_answer_needs_a_condition() -> None:
    with pytest.raises(RequestError, match="success_when: is required: this kind has no natural condition"):
        conditions(None, None, Unnatural)
    assert conditions(None, "flag", Unnatural).failure is not None


def test_a_value_of_another_type_than_the_kind_declares_is_its_driver_s_defect() -> None:
    condition = Condition("success_when", "free > 0", {"free": Variable("int", "Megabytes.")})
    with pytest.raises(
        ConditionError, match=r"`free` is no int, as this kind declares it: a defect of its driver$"
    ):
        condition.holds({"free": "many"})


def test_a_condition_is_compiled_once() -> None:
    assert (
        conditions("check > 5", None, SimulatedCheck).success
        is conditions("check > 5", None, SimulatedCheck).success
    )


def test_a_request_of_a_kind_that_is_not_known_here_says_so() -> None:
    request = parse_request({"job_id": "a", "check": {"kind": "simulated"}}, BUILT_IN)
    with pytest.raises(RequestError, match=r"check.kind: simulated is not known here: .* MONITOR_PLUGINS"):
        check_conditions(request, {})


def test_the_conditions_of_a_request_are_checked_before_it_is_started() -> None:
    request = parse_request({"job_id": "a", "check": {"kind": "simulated"}, "failure_when": "nope"}, BUILT_IN)
    with pytest.raises(RequestError, match="failure_when: column 1: undeclared reference to 'nope'"):
        check_conditions(request, BUILT_IN)
    check_conditions(request.model_copy(update={"failure_when": None}), BUILT_IN)
