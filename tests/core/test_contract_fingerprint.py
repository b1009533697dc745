"""When two requests ask for the same: what lets a retried start attach, and what a conflict names."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.contract import MonitorRequest, differing_fields, fingerprint, parse_request
from monitor_core.kinds import BUILT_IN
from support.strategies import examples, requests

URL = "http://a.example/"
BASE: dict[str, Any] = {"job_id": "job-1", "check": {"kind": "http", "url": URL}}


def parsed(**fields: Any) -> MonitorRequest:
    return parse_request({**BASE, **fields}, BUILT_IN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"timeout_seconds": 30}),
        ({"timeout_seconds": 60}, {"timeout_seconds": 60.0}),
        ({}, {"polling": {}}),
        ({}, {"polling": {"interval_seconds": 5, "backoff": 1, "max_interval_seconds": None}}),
        ({"polling": {"turn_seconds": 0}}, {"polling": {"turn_seconds": 0.0, "jitter": 0}}),
        ({}, {"tolerance": {"consecutive_errors": 3}, "labels": {}, "success_when": None}),
        ({"labels": {"a": "1", "b": "2"}}, {"labels": {"b": "2", "a": "1"}}),
        ({}, {"check": {"url": URL, "method": "GET", "kind": "http", "headers": {}, "expected_codes": ["2xx"]}}),
        (
            {"check": {"kind": "http", "url": URL, "expected_codes": [200]}},
            {"check": {"kind": "http", "url": URL, "expected_codes": ["200"]}},
        ),
    ],
)
def test_the_same_asked_in_two_ways_is_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert fingerprint(parsed(**one)) == fingerprint(parsed(**other))
    assert differing_fields(parsed(**one), parsed(**other)) == []


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({"job_id": "job-2"}, ["job_id"]),
        ({"timeout_seconds": 31}, ["timeout_seconds"]),
        ({"check_timeout_seconds": 9}, ["check_timeout_seconds"]),
        ({"success_when": "true"}, ["success_when"]),
        ({"failure_when": "true"}, ["failure_when"]),
        ({"polling": {"backoff": 2, "jitter": 0.1}}, ["polling.backoff", "polling.jitter"]),
        ({"tolerance": {"consecutive_successes": 2}}, ["tolerance.consecutive_successes"]),
        ({"labels": {"team": "a"}}, ["labels.team"]),
        ({"check": {"kind": "http", "url": URL + "2"}}, ["check.url"]),
        ({"check": {"kind": "http", "url": URL, "headers": {"X-A": "1"}}}, ["check.headers.X-A"]),
        ({"check": {"kind": "http", "url": URL, "expected_codes": ["200"]}}, ["check.expected_codes"]),
        ({"check": {"kind": "simulated"}}, ["check.kind", "check.url"]),
    ],
)
def test_what_differs_is_named_and_changes_the_fingerprint(fields: dict[str, Any], paths: list[str]) -> None:
    base, changed = parsed(), parsed(**fields)
    assert differing_fields(base, changed) == differing_fields(changed, base) == paths
    assert fingerprint(base) != fingerprint(changed)


@given(requests(), requests(), st.data())
@examples(100)
def test_a_difference_is_named_where_there_is_one(
    one: MonitorRequest, other: MonitorRequest, data: st.DataObject
) -> None:
    # Drawn apart they differ everywhere; alike but for some fields is what a conflict looks like.
    fields = data.draw(st.sets(st.sampled_from(sorted(MonitorRequest.model_fields))))
    mixed = one.model_copy(update={name: getattr(other, name) for name in fields})
    found = differing_fields(one, mixed)
    assert bool(found) == (fingerprint(one) != fingerprint(mixed)) == (one != mixed)
    assert {path.partition(".")[0] for path in found} <= fields


@given(requests(), st.randoms(use_true_random=False))
@examples(100)
def test_the_order_of_the_fields_does_not_count(request: MonitorRequest, random: Any) -> None:
    items = list(request.model_dump(mode="json").items())
    random.shuffle(items)
    again = parse_request(json.loads(json.dumps(dict(items))), BUILT_IN)
    assert fingerprint(again) == fingerprint(request)


def test_a_fingerprint_is_the_same_in_every_process_and_release() -> None:
    canonical = b'{"check":{"kind":"http","url":"http://a.example/"},"job_id":"job-1"}'
    assert fingerprint(parsed()) == hashlib.sha256(canonical).hexdigest()[:16]
