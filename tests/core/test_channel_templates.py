"""Templates: what they may say is found out at the door, and costs no time and no memory whatever they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monitor_core.channels import BUILT_IN
from monitor_core.channels.template_values import SAMPLES, VARIABLES
from monitor_core.channels.templates import CUT, LONGEST_TEMPLATE, RenderError, Template, render
from monitor_core.contract.wording import problems_of

VALUES = SAMPLES[0]
ADAPTER: TypeAdapter[str] = TypeAdapter(Template)


def checked(template: str) -> str:
    return ADAPTER.validate_python(template)


def rendered(template: str, **changed: object) -> str:
    return render(checked(template), {**VALUES, **changed}, longest=1000)


def refusal(template: str) -> str:
    with pytest.raises(ValidationError) as refused:
        checked(template)
    (problem,) = problems_of(refused.value, whole="text")
    return str(problem)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("Nothing to fill in.", "Nothing to fill in."),
        ("{{ headline }} ({{ checks_performed }})", "Failed: load-orders (42)"),
        ("{{ labels.team }}, {{ labels['team'] }}, {{ labels.other }}.", "shop, shop, ."),
        ("{{ labels.items }}{{ labels.other|default('nobody') }}", "nobody"),
        ("{{ labels.other or 'nobody' }}", "nobody"),
        ("{% if elapsed_percent >= 80 %}hurry{% elif status == 'Failed' %}late{% else %}wait{% endif %}", "late"),
        ("{{ 'bad' if status in ['Failed', 'Error'] else 'good' }}", "bad"),
        ("{{ status|upper }} {{ job_id|truncate(5) }} {{ elapsed_seconds|round }} {{ elapsed_percent|round(1) }}",
         "FAILED lo... 7200 50.0"),
        ("{{ 'over 80 %' if not elapsed_percent < 80 and status != 'x' }}", ""),
        ("{{ job_id ~ '!' }}{# a remark #}{% raw %} {{ x }}{% endraw %}", "load-orders! {{ x }}"),
    ],
)  # fmt: skip
def test_it_says_what_it_names(template: str, text: str) -> None:
    assert rendered(template) == text


def test_a_loop_goes_over_labels() -> None:
    template = (
        "{% for name, value in labels|items %}\n{{ name }}={{ value }}\n"
        "{% if not loop.last %}\n,\n{% endif %}\n{% endfor %}"
    )
    assert rendered(template, labels={"a": "1", "b": "2"}) == "a=1\n,\nb=2"
    assert rendered("{% for name in labels %}{{ loop.index }}{{ name }}{% endfor %}") == "1team"
    assert rendered("{% for name, value in labels|dictsort %}{{ value }}{% endfor %}", labels={}) == ""


def test_a_label_is_found_whatever_it_is_called() -> None:
    labels = {"items": "1", "keys": "2", "app/team": "3", "__class__": "4"}
    said = rendered(
        "{{ labels.items }}{{ labels.keys }}{{ labels['app/team'] }}{{ labels.__class__ }}", labels=labels
    )
    assert said == "1234"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ job_id", "is no template: line 1: unexpected end of template"),
        ("a\n{% if %}", "is no template: line 2: Expected an expression"),
        ("{% endif %}", "is no template: line 1"),
        ("{{ jobid }}", "names jobid: it may name headline, why"),
        ("{{ a }}{{ b }}", "names a, b: it may"),
        ("{{ loop.last }}", "names loop"),
        ("{{ self }}", "line 1: it may not name itself"),
        ("{{ job_id is defined }}", "no Test in it"),
        ("{{ reason > 5 }}", "cannot be rendered: '>' not supported"),
        ("{{ labels.team > 'a' }}", "cannot be rendered: 'dict object' has no attribute 'team'"),
        ("{{ job_id|round }}", "cannot be rendered"),
        ("{{ job_id|truncate(2) }}", "cannot be rendered: expected length >= 3"),
        ("{% for a, b in labels %}{% endfor %}", "cannot be rendered: too many values"),
        ("\x00", "should have no control character"),
        ("a\u2028b", "should have no control character"),
        ("\u202eb", "should have no control character"),
        ("\ud800", ""),
        ("x" * (LONGEST_TEMPLATE + 1), f"at most {LONGEST_TEMPLATE} characters"),
    ],
)
def test_what_is_no_template_is_refused(template: str, reason: str) -> None:
    assert reason in refusal(template)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ 'a' * 1000000000 }}", "no Mul"),
        ("{{ 9 ** 9 ** 9 ** 9 }}", "no Pow"),
        ("{{ '%1000000000d' % 1 }}", "no Mod"),
        ("{{ 1 + 1 }}", "no Add"),
        ("{{ range(1000000000) }}", "no Call"),
        ("{{ labels.items() }}", "no Call"),
        ("{{ cycler('a') }}", "no Call"),
        ("{{ job_id.format(1) }}", "no Call"),
        ("{{ {'a': 1} }}", "no Dict"),
        ("{{ job_id[0:3] }}", "it may look into nothing but labels.NAME"),
        ("{{ ''.__class__ }}", "it may look into nothing but"),
        ("{{ job_id.__class__.__mro__ }}", "it may look into nothing but"),
        ("{{ labels[job_id] }}", "it may look into nothing but"),
        ("{{ labels.team.upper }}", "it may look into nothing but"),
        ("{% for x in labels %}{{ loop.nextitem }}{% endfor %}", "it may look into nothing but"),
        ("{% for x in labels %}{% for y in labels %}{% endfor %}{% endfor %}", "a loop may hold no other loop"),
        ("{% for x in labels %}a{% else %}{% for y in labels %}{% endfor %}{% endfor %}", "hold no other loop"),
        ("{% for x in labels recursive %}{% endfor %}", "a loop may hold no other loop"),
        ("{% for x in reason %}{% endfor %}", "a loop may go over nothing but labels"),
        ("{% for x in labels|items|items %}{% endfor %}", "a loop may go over nothing but labels"),
        ("{{ reason|replace('e', 'ee') }}", "there is no filter replace"),
        ("{{ reason|center(1000000000) }}", "there is no filter center"),
        ("{{ '%9d'|format(1) }}", "there is no filter format"),
        ("{{ reason|safe }}", "there is no filter safe"),
        ("{{ labels|map('upper') }}", "there is no filter map"),
        ("{{ reason|truncate(checks_performed) }}", "what truncate is given should be plain values"),
        ("{{ reason|truncate(*labels) }}", "what truncate is given should be plain values"),
        ("{{ reason|truncate(**labels) }}", "what truncate is given should be plain values"),
        ("{{ elapsed_seconds|round(10 ** 10) }}", "what round is given should be plain values"),
        ("{% set x = 1 %}", "no Assign"),
        ("{% set x %}a{% endset %}", "no AssignBlock"),
        ("{% with x = 1 %}{% endwith %}", "no With"),
        ("{% include 'x' %}", "no Include"),
        ("{% import 'x' as y %}", "no Import"),
        ("{% from 'x' import y %}", "no FromImport"),
        ("{% extends 'x' %}", "no Extends"),
        ("{% macro f() %}{% endmacro %}", "no Macro"),
        ("{% call f() %}{% endcall %}", "no CallBlock"),
        ("{% block b %}{% endblock %}", "no Block"),
        ("{% filter upper %}{% endfilter %}", "no FilterBlock"),
        ("{% autoescape true %}{% endautoescape %}", "it may have no Scope"),
        ("{{ " + "(" * 900 + "1" + ")" * 900 + " }}", "is nested too deeply"),
        ("{{ " + "not " * 450 + "1 }}", "is nested too deeply"),
        ("{{ job_id" + "|upper" * 300 + " }}", "is nested too deeply"),
        ("{% if job_id %}" * 60 + "{% endif %}" * 60, "is nested too deeply"),
    ],
)  # fmt: skip
def test_what_could_cost_time_or_memory_is_refused(template: str, reason: str) -> None:
    assert reason in refusal(template)


def test_what_is_just_not_too_deep_is_rendered() -> None:
    assert rendered("{% if job_id %}" * 38 + "x" + "{% endif %}" * 38) == "x"
    assert rendered("{{ job_id" + "|upper" * 36 + " }}") == "LOAD-ORDERS"


def test_what_is_long_is_cut_and_the_rest_is_not_made() -> None:
    template = checked("{% for name in labels %}" + "{{ reason }}" * 100 + "{% endfor %}")
    values = {**VALUES, "reason": "r" * 1200, "labels": {f"l{n}": "" for n in range(32)}}
    made = []

    def counting(value: str) -> str:
        made.append(value)
        return value

    text = render(template, values, longest=3000, escape=counting)
    assert text == "r" * 2999 + CUT
    assert len(made) < 10


def test_a_title_is_one_line() -> None:
    assert render("a\n\tb  {{ reason }}", {**VALUES, "reason": " c\r\nd "}, longest=99, one_line=True) == "a b c d"


def test_values_are_escaped_and_what_the_template_says_is_not() -> None:
    escape = {"<": "(", "{": "["}
    said = render(
        "<{{ reason }}{{ '<' }}{{ reason ~ '<' }}>{{ labels.x }}",
        {**VALUES, "reason": "<{{ job_id }}"},
        longest=99,
        escape=lambda value: "".join(escape.get(character, character) for character in value),
    )
    assert said == "<([[ job_id }}(([[ job_id }}(>"


def test_absent_values_are_empty() -> None:
    assert rendered("a{{ reason }}b", reason=None) == "ab"


def test_what_goes_wrong_with_other_values_is_one_error() -> None:
    with pytest.raises(RenderError, match="not supported"):
        rendered("{{ elapsed_seconds > 5 }}", elapsed_seconds="x")


@given(st.text(st.sampled_from("{}%#()[]|~'\"\n abif.labels_*+1"), max_size=60))
def test_whatever_is_written_is_taken_or_refused(text: str) -> None:
    try:
        template = checked(text)
    except ValidationError:
        return
    assert len(render(template, VALUES, longest=100)) <= 100


def test_every_variable_is_described_and_is_of_its_type_in_both_samples() -> None:
    assert all(variable.description.endswith(".") for variable in VARIABLES.values())
    assert all(sample.keys() == VARIABLES.keys() for sample in SAMPLES)
    assert all(type(SAMPLES[0][name]) is type(SAMPLES[1][name]) for name in VARIABLES)


@pytest.mark.parametrize(
    ("kind", "field"), [("teams", "title"), ("teams", "text"), ("slack", "title"), ("slack", "text"),
                        ("smtp", "subject"), ("smtp", "text")]
)  # fmt: skip
def test_a_channel_names_the_field_whose_template_is_wrong(kind: str, field: str) -> None:
    spec = BUILT_IN[kind]
    with pytest.raises(ValidationError) as refused:
        spec.model_validate({**spec.example["to"], field: "{{ nothing }}"})
    (problem,) = problems_of(refused.value, "on_verdict.0.to")
    assert problem.field == f"on_verdict.0.to.{field}"
    assert problem.reason.startswith("names nothing: it may name headline")
