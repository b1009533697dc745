"""The rehearsal's judgement: what is as it has to be passes, and each thing that can be lost is seen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from up_smoke.evidence import Faults, Plan, Ran, Window, broken_off, complaints

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
KILLED, LIVED = "172.19.0.5", "172.19.0.6"
PLAN = Plan("job", 2, 60, "duration_seconds=3600", 3, "Timeout", "NotStarted")
Entries = list[dict[str, Any]]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def entry(number: int, seconds: float, client: str = LIVED, **more: Any) -> dict[str, Any]:
    seen = {"response_code": 200, "status": "NotStarted"}
    return {
        "client_request_id": f"run.0.1.{number}",
        "time": at(seconds).isoformat(),
        "client": client,
        **seen,
        **more,
    }


def honest() -> Entries:
    """Every 2 s until the deadline at 60 s; at 20 s a check is broken off; a pause from 30 s to 50 s."""
    lost = entry(10, 20, KILLED, response_code=None, status=None)
    before = [entry(number, number * 2, KILLED) for number in range(10)]
    between = [entry(10 + number, 23 + number * 2) for number in range(4)]
    after = [entry(14 + number, 52 + number * 2) for number in range(5)]
    return [*before, lost, *between, *after]


def verdict(entries: Entries, **changed: Any) -> list[str]:
    result = {"final_status": "Timeout", "checks_performed": 19, "deadline": at(60).isoformat()}
    code = changed.pop("code", 3)
    faults = Faults(KILLED, [Window(at(20), at(25)), Window(at(30), at(50))])
    return list(complaints(PLAN, Ran(code, {**result, **changed}), entries, faults))


def without(*numbers: int) -> Callable[[Entries], Entries]:
    return lambda entries: [
        one for one in entries if one["client_request_id"] not in {f"run.0.1.{n}" for n in numbers}
    ]


def test_what_was_killed_and_paused_is_no_complaint() -> None:
    assert verdict(honest()) == []


@pytest.mark.parametrize(
    ("lose", "changed", "complaint"),
    [
        (without(), {"code": 0}, "exit code 0, not 3"),
        (without(), {"final_status": "Completed"}, "final_status Completed, not Timeout"),
        (without(4, 5), {"checks_performed": 17}, "no check from 12:00:06 to 12:00:12"),
        (without(15, 16), {"checks_performed": 17}, "no check from 12:00:52 to 12:00:58"),
        (without(10, 11, 12, 13), {"checks_performed": 15}, "no check from 12:00:18 to 12:00:52"),
        (without(), {"checks_performed": 8}, "8 checks are recorded; 19 were made, 9 by workers that lived"),
        (without(), {"checks_performed": 20}, "20 checks are recorded; 19 were made, 9 by workers that lived"),
        (without(), {"checks_performed": None}, "None checks are recorded"),
        (without(17, 18), {"checks_performed": 17}, "the last check was -4.0 s from the deadline"),
        (lambda entries: [*entries, entry(19, 65)], {"checks_performed": 20}, "the last check was +5.0 s from"),
        (lambda entries: [*entries[:-1], entry(18, 60, status="Running")], {}, "the last answer said Running"),
        (lambda _: [], {}, "the job was never asked"),
    ],
)
def test_a_loss_is_seen(lose: Callable[[Entries], Entries], changed: dict[str, Any], complaint: str) -> None:
    assert any(one.startswith(complaint) for one in verdict(lose(honest()), **changed))


def test_a_deadline_in_the_pause_is_kept_after_it() -> None:
    entries = [one for one in honest() if datetime.fromisoformat(one["time"]) < at(30)]
    late = [*entries, entry(14, 51)]
    recorded = {"checks_performed": 15, "deadline": at(40).isoformat()}
    assert verdict(late, **recorded) == []
    assert verdict([*entries, entry(14, 54)], **recorded) == ["the last check was +14.0 s from the deadline"]


def test_only_what_the_killed_worker_left_unanswered_was_broken_off() -> None:
    entries = [
        entry(1, 1, KILLED),
        entry(2, 2, LIVED, response_code=None),
        entry(3, 3, KILLED, response_code=None),
    ]
    assert broken_off(entries, KILLED) == [entries[2]]
