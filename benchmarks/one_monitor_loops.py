"""A process that makes one monitor's checks in virtual time, through the SDK's own executor.

python -m benchmarks.one_monitor_loops ours|plain CHECKS

It prints a line when it is to be looked at from outside, and goes on when it reads one. Ours: five times the first
hundred checks of a fresh monitor, then a hundred of the old one's last five hundred. Plain: after each hundred.
"""

import heapq
import itertools
import json
import logging
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.serialization import JsonDataConverter
from durabletask.worker import _OrchestrationExecutor, _Registry  # the SDK has no public replayer

from benchmarks.plain_worker import check_status, plain_loop
from support.executor import ExecutorEngine
from support.virtual import START, Answer, request

INTERVAL_SECONDS = 5
HUNDRED = 100
PAIRS = 5
_FOR_EVER = 10**9


class Ours:
    """Our monitor: a turn a check, since five seconds are a turn's own default for none of several."""

    def __init__(self, checks: int, seen: Callable[[int], None]) -> None:
        self._checks, self._seen = checks, seen
        asked = request(polling={"interval_seconds": INTERVAL_SECONDS}, timeout_seconds=1_000_000)
        self._engine = ExecutorEngine(asked, self._check)

    def run(self) -> None:
        """Make them all."""
        self._engine.run()

    def _check(self, number: int, seconds: float) -> Answer:
        del seconds
        self._forget()
        self._seen(number)
        return Answer("Succeeded" if number >= self._checks else "Running")

    def _forget(self) -> None:
        """What tests ask this engine for is no part of a worker, and must not grow."""
        engine = self._engine
        for kept in (engine.dispatches, engine.turns, engine.checked_at, engine.checkpoints):
            kept.clear()


class Plain:
    """The plain loop, one history to its end."""

    def __init__(self, checks: int, seen: Callable[[int], None]) -> None:
        self._given = {"checks": checks, "changes_every": 0, "interval": INTERVAL_SECONDS, "timeout": _FOR_EVER}
        self._seen, self._now = seen, START
        self._registry = _Registry()  # type: ignore[no-untyped-call]
        self._registry.add_orchestrator(plain_loop)
        self._past: list[pb.HistoryEvent] = []
        self._coming: list[tuple[datetime, int, pb.HistoryEvent]] = []
        self._order = itertools.count()

    def run(self) -> None:
        """Make them all."""
        given = json.dumps(self._given)
        new = [helpers.new_execution_started_event(plain_loop.__name__, "plain", given)]
        while self._dispatch([helpers.new_orchestrator_started_event(self._now), *new]):
            self._now, _, event = heapq.heappop(self._coming)
            new = [event]

    def _dispatch(self, new: list[pb.HistoryEvent]) -> bool:
        """Whether it goes on."""
        log, converter = logging.getLogger(__name__), JsonDataConverter()
        executor = _OrchestrationExecutor(self._registry, log, converter, maximum_timer_interval=None)
        actions = list(executor.execute("plain", self._past, new).actions)
        self._past += new
        for action in actions:
            self._carry_out(action)
        self._past.append(helpers.new_orchestrator_completed_event())
        return bool(self._coming)

    def _carry_out(self, action: pb.OrchestratorAction) -> None:
        if action.HasField("scheduleTask"):
            self._check(action.id, action.scheduleTask.input.value)
        elif action.HasField("createTimer"):
            at = action.createTimer.fireAt.ToDatetime(START.tzinfo)
            self._past.append(helpers.new_timer_created_event(action.id, at))
            self._expect(at, helpers.new_timer_fired_event(action.id, at))

    def _check(self, task_id: int, given: str) -> None:
        job: dict[str, Any] = json.loads(given)
        self._seen(job["number"])
        status = "Succeeded" if job["number"] >= job["checks"] else "Running"
        self._past.append(helpers.new_task_scheduled_event(task_id, check_status.__name__, given))
        self._expect(self._now, helpers.new_task_completed_event(task_id, json.dumps(status)))

    def _expect(self, at: datetime, event: pb.HistoryEvent) -> None:
        heapq.heappush(self._coming, (at, next(self._order), event))


def ours(checks: int) -> None:
    """An old monitor's last hundreds, each beside the first hundred of a fresh one: both meet the same noise."""
    last = checks - PAIRS * HUNDRED

    def seen(number: int) -> None:
        if number > last and number % HUNDRED == 1:
            looked_at()
            Ours(HUNDRED, lambda _: None).run()
            looked_at()

    Ours(checks, seen).run()
    looked_at()


def plain(checks: int) -> None:
    """Hundred after hundred of one monitor."""
    Plain(checks, lambda number: looked_at() if number % HUNDRED == 1 else None).run()
    looked_at()


def looked_at() -> None:
    """Stand still until somebody has looked."""
    print("now", flush=True)
    sys.stdin.readline()


def main(arguments: list[str]) -> None:
    """Warm up, then make the checks."""
    if arguments[0] == "ours":
        Ours(HUNDRED, lambda _: None).run()
        ours(int(arguments[1]))
    else:
        Plain(HUNDRED, lambda _: None).run()
        plain(int(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
