"""The orchestration `explain` with its activity: the verdict that a monitor's first check would bring."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from durabletask.task import CompletableTask, TimerTask

from monitor_core.contract import (
    LOOK,
    ErrorClass,
    Evidence,
    Explanation,
    MonitorInput,
    RequestError,
    Turn,
    TurnEnd,
    parse_request,
)
from monitor_core.kinds import BUILT_IN
from monitor_worker.activities import Means, look_activity
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.registry import Registry
from monitor_worker.checks.simulated import SimulatedDriver
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.explaining import explain_orchestrator
from monitor_worker.observer import Observer
from monitor_worker.orchestrator import Wait
from monitor_worker.quarantine import Quarantine
from monitor_worker.slots import Slots
from support.looks import here
from support.virtual import START, VirtualClock, at_once

SECRET = "s3cret-s3cret"
explain = explain_orchestrator()
Answer = Callable[[CheckContext], Observation]


@dataclass
class Engine:
    """The part of the orchestration context that is used; activities wait for the test."""

    instance_id: str = "explain-1"
    now: datetime = START
    out: list[tuple[CompletableTask[Any], Turn]] = field(default_factory=list)
    timers: list[datetime] = field(default_factory=list)

    @property
    def current_utc_datetime(self) -> datetime:
        return self.now.replace(tzinfo=None)

    def new_uuid(self) -> str:
        return "run-of-its-own"

    def create_timer(self, fire_at: datetime) -> TimerTask:
        self.timers.append(fire_at)
        return TimerTask()

    def call_activity(self, name: str, *, input: Any) -> CompletableTask[Any]:  # noqa: A002 # the SDK's name
        assert name == LOOK
        task: CompletableTask[Any] = CompletableTask()
        self.out.append((task, Turn.model_validate(input)))
        return task


def begin(running: Wait, engine: Engine) -> None:
    next(running)
    assert engine.out == [], "one that is terminated now makes no check"
    assert engine.timers == [engine.now], "it costs no time"
    running.send(None)


def given(**fields: Any) -> dict[str, Any]:
    request = parse_request({"job_id": "job-1", "check": {"kind": "simulated"}, **fields}, BUILT_IN)
    return MonitorInput(request=request, run="run-1").model_dump(mode="json", exclude_defaults=True)


def looked(turn: Turn, answer: Answer, clock: Any = None) -> Any:
    masker = Masker()
    masker.add(SECRET)
    registry = Registry(BUILT_IN, Resources(guard=TargetGuard()), lambda *_: SimulatedDriver())

    async def ask(_: Any, __: Any, context: CheckContext) -> Observation:
        return answer(context)

    means = Means(
        registry=registry,
        ask=ask,
        evaluate=here,
        run=lambda playing, _: at_once(playing),
        clock=clock or VirtualClock(START),
        slots=Slots(10),
        mask=masker,
        observer=Observer(BUILT_IN, masker),
        quarantine=Quarantine(None, VirtualClock(START)),
    )
    activity = look_activity(means)
    return activity(SimpleNamespace(orchestration_id="explain-1"), turn.model_dump(mode="json"))  # type: ignore[arg-type]


def explained(answer: Answer, asked: Any = None, **fields: Any) -> Explanation:
    engine = Engine()
    running = explain(engine, given(**fields) if asked is None else asked)  # type: ignore[arg-type]
    begin(running, engine)
    task, turn = engine.out.pop()
    task.complete(looked(turn, answer))
    with pytest.raises(StopIteration) as ended:
        running.send(None)
    assert engine.out == []
    return Explanation.model_validate(ended.value.value)


def seeing(status: str, **more: Any) -> Answer:
    return lambda _: Observation(status, {"status": status, "check": 1}, **more)


def failing(error_class: ErrorClass) -> Answer:
    def fail(_: CheckContext) -> Observation:
        raise CheckFailed(error_class, f"it says {SECRET}", retry_after_seconds=20)

    return fail


@pytest.mark.parametrize(
    ("status", "fields", "verdict", "reason"),
    [
        ("Succeeded", {}, "Completed", "the success condition holds: observed Succeeded"),
        ("Failed", {}, "Failed", "the failure condition holds: observed Failed"),
        ("Running", {}, None, "the wait would go on: no condition holds: observed Running"),
        (
            "Running",
            {"timeout_seconds": 0},
            "Timeout",
            "the deadline passed; the last check: observed Running",
        ),
        (
            "Succeeded",
            {"tolerance": {"consecutive_successes": 3}},
            None,
            "the wait would go on: the success condition holds, in 1 of 3 checks in a row",
        ),
    ],
)
def test_the_verdict_is_that_of_a_monitor_s_first_check(
    status: str, fields: dict[str, Any], verdict: str | None, reason: str
) -> None:
    said = explained(seeing(status), **fields)
    assert (said.verdict, said.reason) == (verdict, reason)
    assert (said.job_id, said.kind, said.error) == ("job-1", "simulated", None)
    assert said.observation is not None
    assert said.observation.status == status
    assert said.variables == {"status": status, "check": 1}
    assert said.next_check_at == (None if verdict else START + timedelta(seconds=5))


def test_each_condition_is_told_with_its_value_and_whose_it_is() -> None:
    natural = explained(seeing("Succeeded")).conditions
    assert [(one.field, one.holds, one.natural) for one in natural] == [
        ("success_when", True, True),
        ("failure_when", False, True),
    ]
    assert natural[0].condition == "status == 'Succeeded'"
    unfit = explained(lambda _: Observation("Odd", {"check": 1})).conditions[0].problem
    assert str(unfit).endswith("; it is the kind's own condition: give a success_when that fits what is seen")
    (own,) = explained(seeing("Running"), success_when="check > 7").conditions
    assert (own.condition, own.holds, own.natural, own.problem) == ("check > 7", False, False, None)
    (own,) = explained(seeing("Running"), failure_when="check == 1").conditions
    assert (own.field, own.holds, own.natural) == ("failure_when", True, False)


def test_a_condition_that_cannot_be_judged_says_why_beside_what_the_other_says() -> None:
    said = explained(
        lambda _: Observation("Odd", {"check": 1}), success_when="status == 'x'", failure_when="check == 2"
    )
    success, failure = said.conditions
    assert (success.holds, failure.holds) == (None, False)
    assert "has no `status`" in str(success.problem)
    assert "the kind's own" not in str(success.problem)
    assert said.error is not None
    assert said.error.message == success.problem
    assert (said.verdict, said.reason) == (None, "the wait would go on: 1 of 3 errors in a row that are borne")
    assert said.observation is not None


@pytest.mark.parametrize(
    ("error_class", "tolerated", "verdict"),
    [
        (ErrorClass.TRANSIENT, 3, None),
        (ErrorClass.TRANSIENT, 0, "Error"),
        (ErrorClass.PERMANENT, 3, "Error"),
        (ErrorClass.MISCONFIGURED, 3, "Error"),
    ],
)
def test_an_error_of_the_check_is_told_with_its_class_and_what_it_leads_to(
    error_class: ErrorClass, tolerated: int, verdict: str | None
) -> None:
    said = explained(failing(error_class), tolerance={"consecutive_errors": tolerated})
    assert said.error is not None
    assert (said.error.error_class, said.error.message) == (error_class, "it says ***")
    assert (said.verdict, said.observation, said.variables) == (verdict, None, None)
    assert {one.problem for one in said.conditions} == {"the check saw nothing to judge"}
    assert said.retry_after_seconds == 20
    assert said.next_check_at == (None if verdict else START + timedelta(seconds=20))


def test_what_was_seen_is_told_where_the_answer_s_own_error_is_all_that_counts() -> None:
    said = explained(seeing("HTTP 503", error=CheckFailed(ErrorClass.TRANSIENT, "503 is not expected")))
    assert said.observation is not None
    assert said.observation.status == "HTTP 503"
    assert said.variables == {"status": "HTTP 503", "check": 1}
    assert said.error is not None


def test_secrets_are_masked_in_all_that_is_told() -> None:
    said = explained(
        lambda _: Observation(SECRET, {"status": SECRET, "check": 1}, summary=SECRET),
        success_when="status.matches('(')",
    )
    assert SECRET not in said.model_dump_json()
    assert said.variables == {"status": "***", "check": 1}


def test_a_check_that_the_deadline_cuts_off_is_made_again_and_only_that_one_is_told() -> None:
    clock = VirtualClock(START)
    numbers = []

    def answer(context: CheckContext) -> Observation:
        numbers.append((context.number, context.timeout_seconds))
        clock.time += timedelta(seconds=context.timeout_seconds)
        if context.number == 1:
            raise TimeoutError
        return Observation("Running", {"status": "Running", "check": 2})

    engine = Engine()
    running = explain(engine, given(timeout_seconds=2))  # type: ignore[arg-type]
    begin(running, engine)
    task, turn = engine.out.pop()
    task.complete(looked(turn, answer, clock))
    engine.now = clock.now()
    with pytest.raises(StopIteration) as ended:
        running.send(None)
    assert numbers == [(1, 2), (2, 10)]
    said = Explanation.model_validate(ended.value.value)
    assert (said.verdict, said.error, said.variables) == ("Timeout", None, {"status": "Running", "check": 2})


def given_back(**changes: Any) -> tuple[Engine, Wait]:
    """One whose look has come back without a check."""
    engine = Engine()
    running = explain(engine, given())  # type: ignore[arg-type]
    begin(running, engine)
    task, turn = engine.out.pop()
    report = Evidence.model_validate(looked(turn, seeing("Running"))).report
    untouched = Evidence(report=report.model_copy(update={"checks": 0, **changes}))
    task.complete(untouched.model_dump(mode="json"))
    running.send(None)
    return engine, running


def require_asked_again(engine: Engine, running: Wait) -> None:
    again, turn = engine.out.pop()
    again.complete(looked(turn, seeing("Succeeded")))
    with pytest.raises(StopIteration) as ended:
        running.send(None)
    assert ended.value.value["verdict"] == "Completed"


def test_what_a_draining_worker_gives_back_is_asked_of_another() -> None:
    engine, running = given_back(ended_by=TurnEnd.DRAIN)
    require_asked_again(engine, running)


def test_what_a_worker_leaves_for_later_is_asked_for_later() -> None:
    engine, running = given_back(put_off_seconds=7.5)
    assert (engine.out, engine.timers[-1]) == ([], START + timedelta(seconds=7.5))
    running.send(None)
    require_asked_again(engine, running)


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_look_that_is_lost_or_cannot_be_read_is_a_passing_error(is_lost: bool) -> None:
    engine = Engine()
    running = explain(engine, given())  # type: ignore[arg-type]
    begin(running, engine)
    task, _ = engine.out.pop()
    if is_lost:
        task.fail("the worker crashed", RuntimeError("crashed"))
    else:
        task.complete({"evidence": "none"})
    with pytest.raises(StopIteration) as ended:
        running.send(None)
    said = Explanation.model_validate(ended.value.value)
    assert said.error is not None
    assert said.error.error_class is ErrorClass.TRANSIENT
    assert said.error.message.startswith("the turn failed" if is_lost else "the turn's report cannot be read")


def test_a_bare_request_of_a_user_s_own_workflow_is_taken_too() -> None:
    said = explained(seeing("Succeeded"), {"job_id": "bare", "check": {"kind": "simulated"}})
    assert (said.job_id, said.verdict) == ("bare", "Completed")


def test_what_is_no_request_fails() -> None:
    engine = Engine()
    with pytest.raises(RequestError, match="run: is required"):
        begin(explain(engine, {"request": given()["request"]}), engine)  # type: ignore[arg-type]
