"""The orchestrator under virtual time: schedules, verdicts, deadlines, commands, generations."""

import json
import time
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from monitor_core import pace
from monitor_core.contract import ErrorClass
from support.virtual import START, Answer, VirtualEngine, request, run

DAY = 24 * 3600


def succeeds_at(seconds: float) -> Any:
    return lambda _, now: Answer("Succeeded" if now >= seconds else "Running")


def always(**answer: Any) -> Any:
    return lambda *_: Answer(**answer)


def command(name: str, id: str = "c1", **fields: Any) -> dict[str, Any]:  # noqa: A002 # the contract's word
    return {"name": name, "id": id, **fields}


def test_completes_when_the_condition_is_met() -> None:
    result, engine = run(succeeds_at(12), polling={"interval_seconds": 5})
    assert result["final_status"] == "Completed"
    assert result["decided_by"] == "poll"
    assert engine.checked_at == [0, 5, 10, 15]
    assert result["checks_performed"] == 4
    assert result["monitoring_duration_seconds"] == 15
    assert [t["status"] for t in result["transitions"]] == ["Running", "Succeeded"]


def test_fails_when_it_can_no_longer_succeed() -> None:
    result, _ = run(lambda n, _: Answer("Failed" if n == 3 else "Running"))
    assert (result["final_status"], result["checks_performed"]) == ("Failed", 3)


@pytest.mark.parametrize("interval", [1, 4, 7, 10, 40])
def test_times_out_with_one_last_check_at_the_deadline(interval: float) -> None:
    result, engine = run(always(), polling={"interval_seconds": interval}, timeout_seconds=30)
    assert (result["final_status"], result["decided_by"]) == ("Timeout", "deadline")
    assert engine.checked_at[-1] == 30
    assert engine.checked_at.count(30) == 1
    assert result["monitoring_duration_seconds"] == 30


def test_the_last_check_can_still_complete() -> None:
    result, _ = run(succeeds_at(30), polling={"interval_seconds": 7}, timeout_seconds=30)
    assert result["final_status"] == "Completed"


def test_a_timeout_of_zero_checks_once() -> None:
    result, engine = run(always(), timeout_seconds=0)
    assert (result["final_status"], engine.checked_at) == ("Timeout", [0])


def test_a_check_is_cut_at_the_deadline_and_the_last_one_starts_there() -> None:
    result, engine = run(
        lambda n, _: Answer("Running", takes=8 if n == 2 else 0),
        polling={"interval_seconds": 8},
        timeout_seconds=10,
        check_timeout_seconds=5,
    )
    assert engine.checked_at == [0, 8, 10]
    assert result["final_status"] == "Timeout"
    assert result["last_error"] is None, "a check cut off by the deadline is no error of the target"


def test_the_verdict_falls_by_deadline_plus_check_timeout() -> None:
    result, _ = run(always(takes=99), polling={"interval_seconds": 6}, timeout_seconds=20, check_timeout_seconds=5)
    assert result["final_status"] == "Timeout" or result["final_status"] == "Error"
    assert result["monitoring_duration_seconds"] <= 25


def test_late_checks_do_not_drift_and_missed_ticks_are_skipped() -> None:
    _, engine = run(
        lambda n, _: Answer(takes=7 if n == 2 else 1), polling={"interval_seconds": 5}, timeout_seconds=30
    )
    assert engine.checked_at == [0, 5, 15, 20, 25, 30]


def test_backoff_is_geometric_and_capped() -> None:
    _, engine = run(
        always(), polling={"interval_seconds": 1, "backoff": 2, "max_interval_seconds": 8}, timeout_seconds=40
    )
    assert engine.checked_at == [0, 1, 3, 7, 15, 23, 31, 39, 40]


def test_jitter_is_the_same_every_time_and_keeps_the_order() -> None:
    polling = {"interval_seconds": 10, "jitter": 0.9}
    _, one = run(always(), polling=polling, timeout_seconds=200)
    _, other = run(always(), polling=polling, timeout_seconds=200)
    assert one.checked_at == other.checked_at
    assert all(later > earlier for earlier, later in pairwise(one.checked_at))
    assert any(at % 10 for at in one.checked_at)


@pytest.mark.parametrize(("honor", "expected"), [(True, [0, 7, 14]), (False, [0, 2, 4, 6, 8, 10, 12, 14])])
def test_retry_after_is_honoured(honor: bool, expected: list[float]) -> None:
    polling = {"interval_seconds": 2, "honor_retry_after": honor}
    _, engine = run(always(retry_after=7), polling=polling, timeout_seconds=14)
    assert engine.checked_at == expected


def test_retry_after_never_moves_a_check_forward() -> None:
    _, engine = run(always(retry_after=1), polling={"interval_seconds": 5}, timeout_seconds=10)
    assert engine.checked_at == [0, 5, 10]


def test_transient_errors_are_borne_up_to_the_tolerance() -> None:
    def flapping(number: int, _: float) -> Answer:
        return Answer("Succeeded") if number == 5 else Answer(error=ErrorClass.TRANSIENT if number > 1 else None)

    result, _ = run(flapping, tolerance={"consecutive_errors": 3})
    assert result["final_status"] == "Completed"
    result, _ = run(flapping, tolerance={"consecutive_errors": 2})
    assert (result["final_status"], result["checks_performed"]) == ("Error", 4)
    assert "3 errors in a row" in result["reason"]


def test_an_answer_between_two_errors_starts_the_count_anew() -> None:
    def every_other(number: int, _: float) -> Answer:
        return Answer(error=ErrorClass.TRANSIENT) if number % 2 else Answer()

    for interval in (1, 5):
        result, _ = run(
            every_other,
            polling={"interval_seconds": interval},
            tolerance={"consecutive_errors": 1},
            timeout_seconds=60,
        )
        assert result["final_status"] == "Timeout"


@pytest.mark.parametrize("error", [ErrorClass.PERMANENT, ErrorClass.MISCONFIGURED])
def test_an_error_that_will_stay_ends_at_once(error: ErrorClass) -> None:
    result, _ = run(always(error=error))
    assert (result["final_status"], result["checks_performed"]) == ("Error", 1)
    assert result["reason"] == "the target's error"


def test_consecutive_successes_are_counted_across_turns() -> None:
    def unsure(number: int, _: float) -> Answer:
        return Answer("Running" if number in {1, 3} else "Succeeded")

    for interval in (1, 5):
        result, _ = run(
            unsure,
            polling={"interval_seconds": interval},
            tolerance={"consecutive_successes": 3},
            timeout_seconds=60,
        )
        assert (result["final_status"], result["checks_performed"]) == ("Completed", 6)


def test_the_first_turn_comes_back_after_its_first_check_and_later_ones_hold_many() -> None:
    result, engine = run(always(), polling={"interval_seconds": 1}, timeout_seconds=60)
    assert result["checks_performed"] == 61
    assert engine.turns[0].turn_seconds == 0
    assert {turn.turn_seconds for turn in engine.turns[1:]} == {15}
    assert len(engine.turns) <= 1 + 60 / 15 + 1


def test_a_change_of_status_ends_the_turn_so_that_it_is_seen() -> None:
    _, engine = run(
        lambda n, _: Answer(["A", "A", "B", "C"][min(n, 4) - 1]),
        polling={"interval_seconds": 1},
        timeout_seconds=20,
    )
    seen = [status["observed"] for status in engine.statuses]
    assert seen.index("A") < seen.index("B") < seen.index("C")


def test_cancel_ends_at_once_even_in_a_turn() -> None:
    result, _ = run(always(), (7.5, command("cancel", reason="not needed")), polling={"interval_seconds": 1})
    assert (result["final_status"], result["decided_by"]) == ("Cancelled", "operator")
    assert result["monitoring_duration_seconds"] == 7.5
    assert "not needed" in result["reason"]


def test_check_now_checks_at_once_and_counts_from_there() -> None:
    _, engine = run(always(), (12, command("check_now")), polling={"interval_seconds": 10}, timeout_seconds=40)
    assert engine.checked_at == [0, 10, 12, 22, 32, 40]


def test_check_now_overtakes_a_turn_that_waits() -> None:
    result, engine = run(
        always(),
        (22, command("check_now")),
        polling={"interval_seconds": 9, "turn_seconds": 30},
        timeout_seconds=40,
    )
    assert 22 in engine.checked_at
    assert result["checks_performed"] == len(engine.checked_at), "the overtaken turn's checks count"
    assert result["final_status"] == "Timeout"


def test_a_command_sent_twice_is_applied_once() -> None:
    same = command("check_now")
    _, engine = run(always(), (12, same), (13, same), polling={"interval_seconds": 10}, timeout_seconds=20)
    assert engine.checked_at == [0, 10, 12, 20]


def test_an_event_that_is_no_command_changes_nothing_and_is_on_record() -> None:
    result, engine = run(
        always(),
        (2, {"name": "explode", "id": "x"}),
        (3, "garbage"),
        (4, {}),
        timeout_seconds=10,
    )
    assert result["final_status"] == "Timeout"
    outcomes = engine.statuses[-1]["commands"]
    assert {outcome["accepted"] for outcome in outcomes} == {False}
    assert outcomes[0]["id"] == "x"


def test_commands_survive_continue_as_new() -> None:
    times = [float(second) + 0.5 for second in range(0, 400, 7)]
    commands = [(at, command("check_now", f"c{at}")) for at in times]
    _, engine = run(always(), *commands, polling={"interval_seconds": 5}, timeout_seconds=400)
    assert engine.generations > 2
    assert set(times) <= set(engine.checked_at)


def test_thirty_days_run_in_well_under_a_second_of_bounded_history() -> None:
    began = time.process_time()
    result, engine = run(always(), polling={"interval_seconds": 3600}, timeout_seconds=30 * DAY)
    spent = time.process_time() - began
    assert result["checks_performed"] == 721
    assert engine.largest_generation <= pace.WAKES_PER_GENERATION + 1
    assert spent < 5, "virtual time does not sleep"


def test_a_long_sleep_starts_from_a_fresh_history() -> None:
    _, engine = run(always(), polling={"interval_seconds": 7200}, timeout_seconds=4 * 7200)
    assert engine.generations == 5, "one continue-as-new before each sleep of two hours"


def test_what_a_check_leaves_for_the_next_one_outlives_turns_errors_and_generations() -> None:
    def target(number: int, _: float) -> Answer:
        return Answer(error=ErrorClass.TRANSIENT) if number % 7 == 0 else Answer()

    _, engine = run(target, polling={"interval_seconds": 0.5}, timeout_seconds=600)
    assert engine.generations > 2
    before = [number - 1 - (number % 7 == 1) for number in range(2, len(engine.checkpoints) + 1)]
    assert engine.checkpoints == [None, *({"check": number} for number in before)]


def test_the_status_stays_small_whatever_it_has_to_show() -> None:
    _, engine = run(
        lambda n, _: Answer(status="\u00e4\u4e16" * 40 + str(n)), job_id="\u4e16" * 128, timeout_seconds=100
    )
    assert max(len(json.dumps(status)) for status in engine.statuses) <= 2048
    assert engine.statuses[-1]["status"] == "Timeout"


@pytest.mark.parametrize("ahead", [0.2, 2, 10])
@pytest.mark.parametrize("backoff", [1, 2, 10])
def test_a_worker_s_clock_that_is_ahead_costs_a_check_or_two_at_the_deadline(ahead: float, backoff: float) -> None:
    engine = VirtualEngine(
        request(polling={"interval_seconds": 1, "backoff": backoff}, timeout_seconds=30), always(takes=0.01)
    )
    engine.clocks_ahead = ahead
    result = engine.run()
    assert result["final_status"] == "Timeout"
    at_the_end = [at for at in engine.checked_at if at >= 30 - 0.5]
    assert len(at_the_end) <= 3, at_the_end


@pytest.mark.parametrize("ahead", [-5, 0, 0.3, 5])
@pytest.mark.parametrize("interval", [1, 60])
def test_a_check_that_is_put_off_costs_a_turn_a_time_whatever_the_worker_s_clock(
    ahead: float, interval: float
) -> None:
    engine = VirtualEngine(request(polling={"interval_seconds": interval}, timeout_seconds=300), always())
    asked: list[datetime] = []

    def held_back() -> float:
        asked.append(engine.now)
        assert len(asked) < 1000, "it is asked again and again"
        return 0.5 if engine.now < START + timedelta(seconds=20) else 0.0

    engine.clocks_ahead, engine.held_back = ahead, held_back
    result = engine.run()
    assert (result["final_status"], result["checks_performed"]) == ("Timeout", len(engine.checked_at))
    assert 20 <= engine.checked_at[0] <= 22
    assert sum(at < START + timedelta(seconds=20) for at in asked) <= 20 / 0.5


def test_extending_again_and_again_doubles_no_check_and_bounds_the_history() -> None:
    commands = [(float(at), command("extend", f"e{at}", seconds=10)) for at in range(5, 600, 10)]
    result, engine = run(always(), *commands, polling={"interval_seconds": 2}, timeout_seconds=30)
    assert result["checks_performed"] == len(engine.checked_at)
    assert len(set(engine.checked_at)) == len(engine.checked_at), "no tick is checked twice"
    assert engine.largest_generation <= pace.WAKES_PER_GENERATION + 2
    assert result["monitoring_duration_seconds"] == 30 + 10 * len(commands)


def test_commands_faster_than_checks_still_bound_the_history() -> None:
    commands = [(at / 2, command("check_now", f"c{at}")) for at in range(1, 400)]
    _, engine = run(always(takes=3), *commands, polling={"interval_seconds": 50}, timeout_seconds=220)
    assert engine.largest_generation <= pace.WAKES_PER_GENERATION + 12


def test_a_success_in_flight_is_heard_though_the_deadline_moves() -> None:
    def slow_success(number: int, _: float) -> Answer:
        return Answer("Succeeded" if number == 2 else "Running", takes=3)

    result, _ = run(slow_success, (11, command("extend", seconds=60)), polling={"interval_seconds": 10})
    assert (result["final_status"], result["checks_performed"]) == ("Completed", 2)


def test_a_cut_check_starts_no_count_anew() -> None:
    def cut(number: int, _: float) -> Answer:
        return Answer("Succeeded", takes=8 if number == 4 else 0)

    result, engine = run(
        cut,
        polling={"interval_seconds": 8, "turn_seconds": 0},
        timeout_seconds=26,
        check_timeout_seconds=9,
        tolerance={"consecutive_successes": 4},
    )
    assert engine.checked_at == [0, 8, 16, 24, 26]
    assert result["final_status"] == "Completed"
