"""Commands under virtual time: pause, resume, extend, edit, complete; and what overtaken turns may still say."""

from typing import Any

import pytest

from support.virtual import Answer, Target, VirtualEngine, request, run


def always(**answer: Any) -> Target:
    return lambda *_: Answer(**answer)


def command(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "id": f"{name}-{fields}"[:64], **fields}


def outcomes(engine: Any) -> list[tuple[str, bool]]:
    seen: dict[str, tuple[str, bool]] = {}
    for status in engine.statuses:
        for outcome in status["commands"]:
            seen[outcome["id"]] = (outcome["name"], outcome["accepted"])
    return list(seen.values())


POLLING = {"interval_seconds": 10}


def test_a_pause_makes_no_check_and_the_deadline_runs() -> None:
    result, engine = run(always(), (12, command("pause")), polling=POLLING, timeout_seconds=60)
    assert engine.checked_at == [0, 10]
    assert (result["final_status"], result["monitoring_duration_seconds"]) == ("Timeout", 60)
    assert "paused" in result["reason"]
    assert engine.statuses[-2]["paused"]


def test_resume_checks_at_once_and_the_deadline_has_not_moved() -> None:
    result, engine = run(
        always(), (12, command("pause")), (33, command("resume")), polling=POLLING, timeout_seconds=60
    )
    assert engine.checked_at == [0, 10, 33, 43, 53, 60]
    assert result["revision"] == 1


def test_a_pause_that_stops_the_deadline_moves_it_by_its_length() -> None:
    result, engine = run(
        always(),
        (12, command("pause", deadline="stops")),
        (112, command("resume")),
        polling=POLLING,
        timeout_seconds=30,
    )
    assert engine.checked_at == [0, 10, 112, 122, 130]
    assert result["final_status"] == "Timeout"


def test_a_result_that_comes_while_paused_counts_and_never_decides() -> None:
    def slow_success(number: int, _: float) -> Answer:
        return Answer("Succeeded" if number == 2 else "Running", takes=3 if number == 2 else 0)

    result, engine = run(slow_success, (11, command("pause")), polling=POLLING, timeout_seconds=30)
    assert (result["final_status"], result["checks_performed"]) == ("Timeout", 2)
    assert engine.checked_at == [0, 10]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (None, command("resume")),
        (command("pause"), command("pause", deadline="stops")),
        (command("pause"), command("check_now")),
        (None, command("edit", interval_seconds=3, if_revision=7)),
        (None, command("edit", interval_seconds=0.01)),
        (None, command("edit")),
        (None, command("extend", seconds=-1)),
        (None, command("complete", outcome="Timeout")),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_and_changes_nothing(first: Any, second: Any) -> None:
    commands = [(5.0, first)] if first else []
    result, engine = run(always(), *commands, (6.0, second), polling=POLLING, timeout_seconds=30)
    assert outcomes(engine)[-1] == (second["name"], False)
    assert result["final_status"] == "Timeout"
    assert result["revision"] == 0


def test_extend_moves_the_deadline_and_the_last_check_with_it() -> None:
    result, engine = run(always(), (25, command("extend", seconds=20)), polling=POLLING, timeout_seconds=30)
    assert engine.checked_at == [0, 10, 20, 30, 40, 50]
    assert (result["final_status"], result["monitoring_duration_seconds"]) == ("Timeout", 50)


def test_extend_during_the_last_check_takes_its_verdict_away() -> None:
    result, engine = run(always(takes=2), (31, command("extend", seconds=20)), polling=POLLING, timeout_seconds=30)
    assert result["monitoring_duration_seconds"] == 52
    assert result["checks_performed"] == len(engine.checked_at)


def test_edit_changes_interval_timeout_and_conditions_on_record() -> None:
    result, engine = run(
        always(),
        (12, command("edit", interval_seconds=4, timeout_seconds=20, success_when="check == 99", if_revision=0)),
        polling=POLLING,
        timeout_seconds=300,
    )
    assert engine.checked_at == [0, 10, 12, 16, 20]
    assert engine.turns[-1].success_when == "check == 99"
    assert (result["final_status"], result["revision"]) == ("Timeout", 1)


def test_an_edited_monitor_is_still_the_one_that_was_started() -> None:
    commands = [(float(at), command("edit", interval_seconds=5 + at % 2)) for at in range(10, 1000, 13)]
    result, engine = run(always(), *commands, polling=POLLING, timeout_seconds=1000)
    assert engine.generations > 3
    assert result["revision"] == 2, "a command with an id that came before is applied once"


def test_a_shorter_timeout_that_has_passed_already_makes_the_last_check_now() -> None:
    result, engine = run(always(), (25, command("edit", timeout_seconds=15)), polling=POLLING, timeout_seconds=300)
    assert engine.checked_at == [0, 10, 20, 25]
    assert result["final_status"] == "Timeout"


@pytest.mark.parametrize("outcome", ["Completed", "Failed"])
def test_complete_ends_by_what_the_outside_tells(outcome: str) -> None:
    result, engine = run(
        always(), (7, command("complete", outcome=outcome, reason="pipeline 42")), polling=POLLING
    )
    assert (result["final_status"], result["decided_by"]) == (outcome, "push")
    assert "pipeline 42" in result["reason"]
    assert engine.checked_at == [0]


@pytest.mark.parametrize("interval", [3, 1])
def test_a_worker_without_room_to_wait_in_gets_timers_instead_of_long_turns(interval: int) -> None:
    engine = VirtualEngine(request(polling={"interval_seconds": interval}, timeout_seconds=60), always())
    engine.room = False
    result = engine.run()
    assert engine.checked_at == [float(at) for at in range(0, 61, interval)], "none is early or missed"
    assert engine.timers_created >= 60 / interval - 2
    assert result["checks_performed"] == 60 / interval + 1
