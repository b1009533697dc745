"""What is told of a monitor, when and to whom: the whole orchestrator under virtual time."""

from datetime import timedelta
from typing import Any

import pytest

from monitor_core.contract import Delivery, Occasion, Verdict, delivery_prefix, instance_id
from support.executor import LARGEST_DISPATCH, ExecutorEngine
from support.virtual import START, Answer, Target, VirtualEngine, request, run

HOOK = {"kind": "webhook", "url": "https://hooks.example/a"}
OTHER = {"kind": "webhook", "url": "https://hooks.example/b"}


def to(channel: dict[str, str] = HOOK, **rules: Any) -> dict[str, Any]:
    return {"to": channel, **rules}


def told(engine: VirtualEngine, occasion: Occasion) -> list[Delivery]:
    return [delivery for delivery in engine.told.values() if delivery.notice.occasion is occasion]


def times(engine: VirtualEngine) -> list[float]:
    """When reminders were told, in whole seconds since the start."""
    return [round((delivery.notice.at - START).total_seconds(), 1) for delivery in told(engine, Occasion.REMINDER)]


def ending(verdict: Verdict) -> Target:
    return lambda number, _: Answer({"Completed": "Succeeded"}.get(verdict, verdict) if number == 3 else "Running")


@pytest.mark.parametrize("verdict", [Verdict.COMPLETED, Verdict.FAILED, Verdict.TIMEOUT])
def test_a_verdict_is_told_once_to_who_asked_for_it(verdict: Verdict) -> None:
    rules = [to(verdicts=[verdict]), to(OTHER, verdicts=[one for one in Verdict if one != verdict]), to(OTHER)]
    result, engine = run(ending(verdict), on_verdict=rules, timeout_seconds=60)
    assert result["final_status"] == verdict
    first, last = told(engine, Occasion.VERDICT)
    assert (first.to, last.to) == (HOOK, OTHER)
    assert first.notice == last.notice
    assert first.notice.id == f"{instance_id('job-1')}:run-1:{verdict}:0"
    assert (first.notice.status, first.notice.reason) == (verdict, result["reason"])
    assert first.notice.checks_performed == result["checks_performed"]


def test_who_asked_for_nothing_is_told_nothing_and_it_costs_nothing() -> None:
    _, engine = run(ending(Verdict.COMPLETED), on_verdict=[to(verdicts=[])])
    _, plain = run(ending(Verdict.COMPLETED))
    assert not engine.told
    assert engine.timers_created == plain.timers_created


def test_an_operators_verdict_is_told_with_its_revision() -> None:
    commands = [(7.0, {"name": "extend", "id": "e", "seconds": 60}), (9.0, {"name": "cancel", "id": "c"})]
    _, engine = run(lambda *_: Answer(), *commands, on_verdict=[to()])
    (delivery,) = told(engine, Occasion.VERDICT)
    assert delivery.notice.id == f"{instance_id('job-1')}:run-1:Cancelled:1"
    assert delivery.notice.decided_by == "operator"


def test_a_timeout_while_paused_is_told() -> None:
    _, engine = run(lambda *_: Answer(), (7.0, {"name": "pause", "id": "p"}), on_verdict=[to()])
    (delivery,) = told(engine, Occasion.VERDICT)
    assert delivery.notice.status == Verdict.TIMEOUT


def test_each_change_of_the_observed_status_is_told_once() -> None:
    def changing(number: int, _: float) -> Answer:
        return Answer("Succeeded" if number == 200 else f"step {number // 4}")

    _, engine = run(changing, on_verdict=[to(transitions=True), to(OTHER)], timeout_seconds=2000)
    assert engine.generations > 1
    seen = [delivery.notice.observed for delivery in told(engine, Occasion.TRANSITION)]
    assert seen == [*(f"step {number}" for number in range(50)), "Succeeded"]
    assert {delivery.to["url"] for delivery in told(engine, Occasion.TRANSITION)} == {HOOK["url"]}


@pytest.mark.parametrize("interval", [0.5, 5, 400])
def test_reminders_come_when_they_are_due_however_often_it_checks(interval: float) -> None:
    rules = [to(every_seconds=100, at_percent=[80], verdicts=[])]
    polling = {"interval_seconds": interval}
    _, engine = run(lambda *_: Answer(), on_verdict=rules, polling=polling, timeout_seconds=500)
    assert times(engine) == pytest.approx([100, 200, 300, 400], abs=0.2)
    assert [round(one.notice.elapsed_percent) for one in told(engine, Occasion.REMINDER)] == [20, 40, 60, 80]


def test_a_reminder_takes_one_timer_and_one_that_was_missed_is_told_once() -> None:
    _, plain = run(lambda *_: Answer(), polling={"interval_seconds": 10}, timeout_seconds=1000)
    engine = VirtualEngine(
        request(polling={"interval_seconds": 10}, timeout_seconds=1000, on_verdict=[to(every_seconds=300)]),
        lambda *_: Answer(),
    )
    engine.run()
    assert times(engine) == pytest.approx([300, 600, 900], abs=0.2)
    # One a generation: a timer is not carried over.
    assert engine.timers_created <= plain.timers_created + 2 * engine.generations + len(times(engine))


def test_at_percent_counts_by_the_deadline_as_it_is_now() -> None:
    extend = (10.0, {"name": "extend", "id": "e", "seconds": 100})
    _, engine = run(lambda *_: Answer(), extend, on_verdict=[to(at_percent=[50])], timeout_seconds=100)
    assert times(engine) == pytest.approx([100], abs=0.2)


def test_a_paused_monitor_still_waits() -> None:
    pause = (10.0, {"name": "pause", "id": "p", "deadline": "stops"})
    cancel = (1000.0, {"name": "cancel", "id": "c"})
    _, engine = run(lambda *_: Answer(), pause, cancel, on_verdict=[to(every_seconds=60)], timeout_seconds=900)
    assert len(times(engine)) == 14


def test_a_command_that_comes_while_something_is_told_is_heard() -> None:
    rules = [to(transitions=True)]

    def restless(number: int, _: float) -> Answer:
        return Answer(str(number))

    engine = VirtualEngine(
        request(on_verdict=rules, timeout_seconds=900, polling={"interval_seconds": 1, "turn_seconds": 0}),
        restless,
    )
    engine.telling_seconds = 0.9
    for number in range(200):
        engine.send(number * 1.7, {"name": "check_now", "id": f"c{number}"})
    engine.send(500, {"name": "cancel", "id": "last"})
    result = engine.run()
    assert result["final_status"] == Verdict.CANCELLED
    heard = [outcome["id"] for status in engine.statuses for outcome in status["commands"]]
    assert set(heard) == {*(f"c{number}" for number in range(200)), "last"}


def test_it_replays_the_same_way_and_its_history_stays_bounded() -> None:
    def changing(number: int, _: float) -> Answer:
        return Answer(f"step {number // 3}")

    rules = [to(transitions=True, every_seconds=60, at_percent=[10, 90]), to(OTHER)]
    fields: dict[str, Any] = {"on_verdict": rules, "timeout_seconds": 500}
    engine = ExecutorEngine(request(**fields), changing)
    assert engine.run()["final_status"] == Verdict.TIMEOUT
    _, plain = run(changing, **fields)
    assert engine.told.keys() == plain.told.keys()
    assert max(dispatch.size for dispatch in engine.dispatches) <= LARGEST_DISPATCH
    assert all(name.startswith(delivery_prefix(instance_id("job-1"))) for name in engine.told)


def test_ids_tell_runs_occasions_and_receivers_apart() -> None:
    _, engine = run(ending(Verdict.COMPLETED), on_verdict=[to(transitions=True), to(transitions=True)])
    assert len(engine.told) == 2 * (2 + 1)
    assert len({delivery.notice.id for delivery in engine.told.values()}) == 3
    assert START + timedelta(seconds=10) == told(engine, Occasion.VERDICT)[0].notice.at
