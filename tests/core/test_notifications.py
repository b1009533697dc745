"""`on_verdict` in a request: what it takes, what it refuses, and what the page says of it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor_core.contract import RequestError, Verdict, fingerprint, parse_request, request_schema
from monitor_core.kinds import BUILT_IN

PAGE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
HOOK = {"kind": "webhook", "url": "https://hooks.example/a"}


def asked(*notifications: Any) -> dict[str, Any]:
    return {"job_id": "job-1", "check": {"kind": "simulated"}, "on_verdict": list(notifications)}


def test_the_request_of_the_page_is_accepted() -> None:
    block = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block
    request = parse_request(yaml.safe_load(block[1]), BUILT_IN)
    everything, some = request.on_verdict
    assert everything.verdicts == tuple(Verdict)
    assert (some.verdicts, some.every_seconds, some.at_percent) == (("Failed", "Timeout", "Error"), 3600, (80,))


def test_every_field_is_on_the_page() -> None:
    properties = request_schema(BUILT_IN)["$defs"]["Notification"]["properties"]
    assert set(re.findall(r"^\| `(\w+)` \| ", PAGE.partition("## What is promised")[0], re.MULTILINE)) == set(
        properties
    )


@pytest.mark.parametrize(
    ("notification", "problem"),
    [
        ({}, "on_verdict.0.to: is required"),
        ({"to": "https://hooks.example"}, "on_verdict.0.to: "),
        ({"to": {}}, "on_verdict.0.to.kind: is required"),
        ({"to": {"kind": "pigeon"}}, "on_verdict.0.to.kind: should be one of "),
        ({"to": {**HOOK, "wings": 2}}, "on_verdict.0.to.wings: is not a known field"),
        ({"to": HOOK, "when": "now"}, "on_verdict.0.when: is not a known field"),
        ({"to": HOOK, "verdicts": ["Done"]}, "on_verdict.0.verdicts.0: "),
        ({"to": HOOK, "every_seconds": 5}, "on_verdict.0.every_seconds: should be greater than or equal to 60"),
        ({"to": HOOK, "at_percent": [100]}, "on_verdict.0.at_percent.0: should be less than or equal to 99"),
        ({"to": HOOK, "at_percent": [1, 2, 3, 4, 5, 6]}, "on_verdict.0.at_percent: "),
    ],
)
def test_what_is_wrong_is_named(notification: Any, problem: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(asked(notification), BUILT_IN)
    assert problem in str(refused.value)


def test_eleven_are_too_many() -> None:
    parse_request(asked(*[{"to": HOOK}] * 10), BUILT_IN)
    with pytest.raises(RequestError, match="on_verdict: "):
        parse_request(asked(*[{"to": HOOK}] * 11), BUILT_IN)


def test_two_ways_to_ask_the_same_are_the_same() -> None:
    plain = parse_request(asked({"to": HOOK}), BUILT_IN)
    spelt = parse_request(
        asked({"to": {**HOOK, "content_mode": "structured"}, "verdicts": list(Verdict), "transitions": False}),
        BUILT_IN,
    )
    assert plain == spelt
    assert fingerprint(plain) == fingerprint(spelt)
    assert fingerprint(plain) != fingerprint(parse_request(asked(), BUILT_IN))
