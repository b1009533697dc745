"""The soak finds what it is there for: each planted loss, repeat, delay and leak is a complaint."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from benchmarks.soak.evidence import complaints, lateness, missed_ticks
from benchmarks.soak.growth import Held, Samples
from benchmarks.soak.plans import Plan, Verdict
from benchmarks.soak.target import Account

from support.asked import Asked, unexplained_repeats
from up_smoke.evidence import Window

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MIB = 2**20


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def account(*seconds: float, verdict: Verdict = "Completed") -> Account:
    """A monitor of a job of a minute, checked every 10 s, asked at these times and told of its verdict."""
    made = Account(Plan("job-1", verdict, 60, 10))
    made.asked = [Asked(at(second), f"run.0.{number}.{number}") for number, second in enumerate(seconds, 1)]
    made.told = [{"id": "v", "status": verdict}]
    return made


def result(**fields: Any) -> dict[str, Any]:
    known = {"final_status": "Completed", "reason": "so", "checks_performed": 7}
    times = {"started_at": NOON.isoformat(), "ended_at": at(60.1).isoformat()}
    return {**known, **times, **fields}


EVERY_TICK = (0, 10, 20, 30, 40, 50, 60)


def test_nothing_is_said_where_all_is_well() -> None:
    assert list(complaints(account(*EVERY_TICK), result(), [], ["Completed"])) == []
    assert missed_ticks(account(*EVERY_TICK), []) == []


@pytest.mark.parametrize(
    ("fields", "told", "word"),
    [
        ({"final_status": "Failed"}, None, "ended as Failed"),
        ({"checks_performed": 6}, None, "6 checks are recorded, 7 were made"),
        ({"checks_performed": 8}, None, "8 checks are recorded, 7 were made"),
        ({"ended_at": at(140).isoformat()}, None, "s late"),
        ({}, [], "never told"),
        ({}, [{"id": "v", "status": "Completed"}, {"id": "w", "status": "Completed"}], "duplicate verdicts"),
        ({}, [{"id": "v", "status": "Failed"}], "it ended as Completed"),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, Any], told: list[dict[str, Any]] | None, word: str) -> None:
    seen = account(*EVERY_TICK)
    seen.told = seen.told if told is None else told
    assert any(word in each for each in complaints(seen, result(**fields), [], ["Completed"]))


def test_a_repeat_needs_a_fault() -> None:
    seen = account(*EVERY_TICK)
    seen.asked.append(Asked(at(55), seen.asked[-2].id))
    assert "repeated though nothing was killed" in "".join(complaints(seen, result(), [], ["Completed"]))
    assert list(complaints(seen, result(), [Window(at(51), at(56))], ["Completed"])) == []


def test_a_tick_may_be_missed_in_a_fault_and_not_without() -> None:
    seen = account(0, 10, 40, 50, 60)
    assert missed_ticks(seen, []) == [(at(10), at(40))]
    assert missed_ticks(seen, [Window(at(15), at(35))]) == []


def test_lateness_is_counted_from_the_first_check() -> None:
    assert list(lateness(account(0, 10, 21.5, 30, 60), [])) == [0, 1.5, 0]


def test_a_kill_may_repeat_one_turn_of_a_monitor_and_no_second() -> None:
    kill = [Window(at(25), at(25))]
    once = [Asked(at(20), "run.0.1.1"), Asked(at(26), "run.0.1.1")]
    assert list(unexplained_repeats(once, kill)) == []
    assert list(unexplained_repeats(once, [])) != []
    assert list(unexplained_repeats(once, [Window(at(30), at(30))])) != []
    twice = [*once, Asked(at(21), "run.0.2.2"), Asked(at(27), "run.0.2.2")]
    assert len(list(unexplained_repeats(twice, kill))) == 1


def held(memory: float, descriptors: float = 20) -> Held:
    return Held(memory * MIB, descriptors, 10)


def test_growth_counts_once_a_process_is_warm() -> None:
    warming = [held(20 + number) for number in range(40)]
    flat = [held(60 + number % 3) for number in range(80)]
    assert Samples({"worker": warming + flat}).complaints() == []
    leaking = [held(60 + number / 8) for number in range(80)]
    assert Samples({"worker": warming + leaking}).complaints() == [
        "the memory of the worker grew by 7.5 MiB once it was warm"
    ]
    open_files = [held(60, 20 + number / 4) for number in range(80)]
    assert Samples({"worker": warming + open_files}).complaints() == [
        "the worker holds 15 descriptors more than when warm"
    ]
