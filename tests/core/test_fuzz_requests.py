"""The door against whatever a stranger writes: a request, or its fields named in a few words."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from monitor_core import channels
from monitor_core.contract import MonitorInput, fingerprint, parse_request
from monitor_core.contract.bounds import LARGEST_REQUEST
from monitor_core.contract.wording import MOST_PROBLEMS
from monitor_core.kinds import BUILT_IN
from support.strategies import examples, json_values, refusal

LONGEST_MESSAGE = 20_000
_EXAMPLES = [
    {"job_id": "job-1", **json.loads(json.dumps(spec.example, default=dict))} for spec in BUILT_IN.values()
]
_TOLD = [json.loads(json.dumps(channel.example, default=dict)) for channel in channels.BUILT_IN.values()]
_NESTED = json.loads("[" * 300 + "]" * 300)
HOSTILE: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(
            "\ud800",
            "\0",
            "a\nb",
            "x" * 3000,
            "{{ a",
            "${jndi:ldap://a}",
            "http://[",
            "http://a:99999/",
            "//",
            "\u202e",
        ),
        *(float("nan"), float("inf"), -1, 0, 1e308, 10**400, -(2**63) - 1, True, None, "", [], {}, "NaN", "1e5"),
        *(_NESTED, ["x"] * 200, {f"n{number}": "x" for number in range(200)}, {"\ud800": 1}, {"": ""}, [[]], [{}]),
        *({"kind": []}, {"a" * 3000: 1}),
    ]
).map(deepcopy)
"""What has broken one thing or another."""


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each object and list of JSON data, with each name or position in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield value, name
        yield from places(part)


@st.composite
def mutilated(draw: st.DrawFn) -> Any:
    """A good request of any kind and channel, with up to three parts of it replaced, added or taken away."""
    request = deepcopy(draw(st.sampled_from(_EXAMPLES)))
    request.setdefault("on_verdict", [deepcopy(draw(st.sampled_from(_TOLD)))])
    request |= {"polling": {"interval_seconds": 5}, "tolerance": {}, "labels": {"team": "a"}}
    for _ in range(draw(st.integers(1, 3))):
        where, name = draw(st.sampled_from(list(places(request))))
        match draw(st.sampled_from(["replace", "add", "remove"])):
            case "remove":
                del where[name]
            case "add" if isinstance(where, dict):
                where[draw(st.sampled_from(["\ud800", "x.y", "", "kind", "a" * 500]) | st.text(max_size=9))] = 1
            case _:
                where[name] = draw(HOSTILE | json_values)
    return request


def asking_with(body: Any) -> dict[str, Any]:
    check = {"kind": "http", "url": "http://a.example/", "method": "POST", "allow_repeat": True, "body": body}
    return {"job_id": "job-1", "check": check}


@example(data=asking_with("\ud800"))
@examples(150)
@given(data=mutilated() | HOSTILE)
def test_a_request_is_let_in_whole_or_its_fields_are_named(data: Any) -> None:
    refused = refusal(lambda: parse_request(data, BUILT_IN))
    if refused is not None:
        assert 0 < len(refused.problems) <= 2 * MOST_PROBLEMS + 2
        assert all(problem.field and problem.reason for problem in refused.problems)
        assert len(str(refused)) <= LONGEST_MESSAGE
        assert str(refused).isprintable(), "one line, that can be stored and shown"
        return
    request = parse_request(data, BUILT_IN)
    given = MonitorInput(request=request, run="r").model_dump(mode="json", exclude_defaults=True)
    kept = json.dumps(given, allow_nan=False, ensure_ascii=False).encode()
    assert len(kept) <= LARGEST_REQUEST + 200
    assert fingerprint(MonitorInput.model_validate(given).request) == fingerprint(request)


def test_what_is_nested_without_end_is_refused_and_not_followed() -> None:
    refused = refusal(lambda: parse_request(asking_with(json.loads("[" * 900 + "]" * 900)), BUILT_IN))
    assert refused is not None
    assert str(refused) == "check: should be nested at most 50 levels deep"


def test_a_hundred_thousand_mistakes_are_told_by_the_first_few() -> None:
    check = {"kind": "http", "url": "http://a.example/", **{f"field{number}": 1 for number in range(100_000)}}
    refused = refusal(lambda: parse_request({"job_id": "j", "check": check}, BUILT_IN))
    assert refused is not None
    assert len(refused.problems) == MOST_PROBLEMS + 1
    assert str(refused).endswith("check: 99,980 more are wrong: mend these first")
