"""How two requests differ, as a conflict tells it: in bounds, and without secrets."""

from typing import Any

from monitor_client.differing import differing
from monitor_client.errors import Conflict
from monitor_core.contract import parse_request
from monitor_core.kinds import BUILT_IN

URL = "https://a.example/jobs?sig=s3cr3t"

WEBHOOK = {"kind": "webhook", "url": "https://a.example/s3cr3t", "secret": "env:MONITOR_SECRET_A"}


def told(runs: dict[str, Any], asked: dict[str, Any]) -> dict[str, str]:
    check = {"kind": "http", "url": "https://a.example/"}
    one, other = (
        parse_request({"job_id": "j", **more, "check": {**check, **more.get("check", {})}}, BUILT_IN)
        for more in (runs, asked)
    )
    return differing(one, other)


def test_both_values_are_told() -> None:
    found = told({"timeout_seconds": 60, "success_when": "code == 201"}, {"success_when": "code == 202"})
    assert found == {
        "success_when": '"code == 201" runs, "code == 202" is asked for',
        "timeout_seconds": "60.0 runs, the default is asked for",
    }
    assert 'with another success_when ("code == 201" runs, ' in str(Conflict("j", found))


def test_a_long_value_is_cut() -> None:
    (how,) = told(
        {"success_when": f"code == {'1' * 15} || {'x' * 0}changed && " + "true && " * 20 + "true"}, {}
    ).values()
    assert how.endswith("... runs, the default is asked for")
    assert len(how) < 110


def test_what_may_hold_a_secret_is_named_and_not_shown() -> None:
    found = told(
        {
            "check": {
                "url": URL,
                "headers": {"X-Custom": "s3cr3t"},
                "body": {"key": "s3cr3t"},
                "allow_repeat": True,
            }
        },
        {"check": {"headers": {"X-Custom": "0ther"}, "body": "s3cr3t"}, "on_verdict": [{"to": WEBHOOK}]},
    )
    assert found["on_verdict"] == ""
    assert found["check.headers.X-Custom"] == ""
    assert {name for name in found if name.startswith("check.body")} >= {"check.body"}
    assert found["check.url"] == '"https://a.example/jobs?..." runs, "https://a.example/" is asked for'
    assert "s3cr3t" not in str(Conflict("j", found))


def test_of_many_fields_all_are_named_and_a_few_shown() -> None:
    labels = {f"l{number}": "a" for number in range(9)}
    found = told({"labels": labels}, {"labels": dict.fromkeys(labels, "b")})
    assert len(found) == 9
    assert sum(1 for how in found.values() if how) == 5
