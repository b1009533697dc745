"""A delivery from its first attempt to its end: the orchestration `notify` through the SDK's executor."""

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.serialization import JsonDataConverter
from durabletask.worker import _OrchestrationExecutor, _Registry  # the SDK has no public replayer

from monitor_core.contract import (
    DELIVER,
    NOTIFY,
    TELL,
    Attempt,
    AttemptReport,
    Delivery,
    DeliveryOutcome,
    DeliveryState,
)
from monitor_worker.delivering import DELAYS, notify_orchestrator, tell
from support.notices import notice
from support.virtual import START

NOTICE = notice()
DELIVERY = Delivery(to={"kind": "webhook", "url": "https://hooks.example/a"}, notice=NOTICE)
Receiver = Callable[[Attempt], AttemptReport | str]
"""What comes of an attempt; a text is why its activity failed."""
_log = logging.getLogger(__name__)


class Played:
    """A delivery, played to its end."""

    def __init__(self, receiver: Receiver) -> None:
        self.registry = _Registry()  # type: ignore[no-untyped-call]
        self.registry.add_orchestrator(notify_orchestrator())
        self.attempts: list[tuple[float, Attempt]] = []
        self.statuses: list[DeliveryState] = []
        self._receiver, self._now, self._past = receiver, START, list[pb.HistoryEvent]()
        given = DELIVERY.model_dump_json()
        started = helpers.new_execution_started_event(NOTIFY, "notify-1", given)
        new = [started]
        while True:
            actions = self._dispatch(new)
            end = next((one for one in actions if one.HasField("completeOrchestration")), None)
            if end is not None:
                assert end.completeOrchestration.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED
                self.state = DeliveryState.model_validate_json(end.completeOrchestration.result.value)
                return
            new = [self._carried_out(action) for action in actions]

    def _dispatch(self, new: list[pb.HistoryEvent]) -> list[pb.OrchestratorAction]:
        new = [helpers.new_orchestrator_started_event(self._now), *new]
        executor = _OrchestrationExecutor(self.registry, _log, JsonDataConverter(), maximum_timer_interval=None)
        done = executor.execute("notify-1", self._past, new)
        if done.encoded_custom_status:
            self.statuses.append(DeliveryState.model_validate_json(done.encoded_custom_status))
        self._past = [*self._past, *new]
        return list(done.actions)

    def _carried_out(self, action: pb.OrchestratorAction) -> pb.HistoryEvent:
        if action.HasField("createTimer"):
            self._now = action.createTimer.fireAt.ToDatetime(START.tzinfo)
            self._past.append(helpers.new_timer_created_event(action.id, self._now))
            return helpers.new_timer_fired_event(action.id, self._now)
        assert action.scheduleTask.name == DELIVER
        self._past.append(helpers.new_task_scheduled_event(action.id, DELIVER, action.scheduleTask.input.value))
        attempt = Attempt.model_validate_json(action.scheduleTask.input.value)
        self.attempts.append(((self._now - START).total_seconds(), attempt))
        report = self._receiver(attempt)
        if isinstance(report, str):
            return helpers.new_task_failed_event(action.id, RuntimeError(report))
        return helpers.new_task_completed_event(action.id, report.model_dump_json())


def pending(detail: str = "HTTP 503", retry_after: float | None = None) -> AttemptReport:
    return AttemptReport(outcome=DeliveryOutcome.PENDING, detail=detail, retry_after_seconds=retry_after)


TAKEN = AttemptReport(outcome=DeliveryOutcome.DELIVERED, detail="HTTP 204")
REFUSED = AttemptReport(outcome=DeliveryOutcome.FAILED, detail="HTTP 410")


def after(count: int, then: AttemptReport = TAKEN) -> Receiver:
    return lambda attempt: then if attempt.number > count else pending()


def sums(delays: tuple[int, ...]) -> list[float]:
    return [float(sum(delays[:count])) for count in range(len(delays) + 1)]


def test_what_is_taken_at_once_takes_one_attempt() -> None:
    played = Played(after(0))
    assert len(played.attempts) == 1
    assert played.attempts[0][1].delivery == DELIVERY
    assert played.state == DeliveryState(
        id=NOTICE.id,
        kind="webhook",
        occasion=NOTICE.occasion,
        run=NOTICE.run,
        outcome=DeliveryOutcome.DELIVERED,
        attempts=1,
        detail="HTTP 204",
        as_of=START,
    )


def test_it_is_tried_again_ever_later_and_shows_when() -> None:
    played = Played(after(3))
    assert [at for at, _ in played.attempts] == sums(DELAYS[:3])
    assert (played.state.outcome, played.state.attempts) == (DeliveryOutcome.DELIVERED, 4)
    shown = played.statuses[0]
    assert (shown.outcome, shown.attempts, shown.detail) == (DeliveryOutcome.PENDING, 1, "HTTP 503")
    assert shown.next_attempt_at == START + timedelta(seconds=DELAYS[0])


def test_it_is_given_up_after_three_days_and_the_last_attempt_knows() -> None:
    def receiver(attempt: Attempt) -> AttemptReport:
        return REFUSED if attempt.last else pending()

    played = Played(receiver)
    assert [at for at, _ in played.attempts] == sums(DELAYS)
    assert [attempt.number for _, attempt in played.attempts if attempt.last] == [len(DELAYS) + 1]
    assert played.state.outcome is DeliveryOutcome.FAILED


def test_what_is_refused_for_good_is_not_tried_again() -> None:
    played = Played(after(1, REFUSED))
    assert (len(played.attempts), played.state.outcome, played.state.detail) == (2, "failed", "HTTP 410")


@pytest.mark.parametrize(("asked", "waited"), [(7, 7), (0, 1), (10**9, 86_400)])
def test_the_receiver_may_say_when(asked: float, waited: float) -> None:
    played = Played(lambda attempt: TAKEN if attempt.number > 1 else pending(retry_after=asked))
    assert [at for at, _ in played.attempts] == [0, waited]


def test_an_activity_that_fails_is_an_attempt_that_failed() -> None:
    played = Played(lambda attempt: TAKEN if attempt.number > 1 else "the worker crashed")
    assert (played.state.outcome, played.state.attempts) == (DeliveryOutcome.DELIVERED, 2)
    assert played.statuses[0].detail.startswith("the attempt failed: ")
    assert "the worker crashed" in played.statuses[0].detail
    lost = Played(lambda _: "the worker crashed")
    assert (lost.state.outcome, lost.state.attempts) == (DeliveryOutcome.FAILED, len(DELAYS) + 1)


def test_tell_starts_each_delivery_under_its_id_and_waits_for_none() -> None:
    registry = _Registry()  # type: ignore[no-untyped-call]
    registry.add_orchestrator(tell)
    given = {"notify-a": DELIVERY.model_dump(mode="json"), "notify-b": DELIVERY.model_dump(mode="json")}
    new = [
        helpers.new_orchestrator_started_event(datetime(2026, 1, 1)),  # noqa: DTZ001 # the engine's is naive
        helpers.new_execution_started_event(TELL, "tell-1", json.dumps(given)),
    ]
    executor = _OrchestrationExecutor(registry, _log, JsonDataConverter(), maximum_timer_interval=None)
    actions: list[Any] = list(executor.execute("tell-1", [], new).actions)
    started = [one.createSubOrchestration for one in actions if one.HasField("createSubOrchestration")]
    assert [(one.name, one.instanceId) for one in started] == [(NOTIFY, "notify-a"), (NOTIFY, "notify-b")]
    assert Delivery.model_validate_json(started[0].input.value) == DELIVERY
    assert actions[-1].completeOrchestration.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED
