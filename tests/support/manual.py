"""The orchestrator under a test's own hand: nothing happens until the test lets it.

Turns that are out, timers and commands are delivered in any order, late, twice or never; see
tests/worker/test_model.py.
"""

from datetime import timedelta
from typing import Any

from durabletask.task import CompletableTask, Task

from monitor_core.contract import MonitorInput, MonitorRequest, Turn, TurnReport, instance_id
from monitor_worker.versions import monitor_orchestrator
from support.virtual import START, Answer, Context, VirtualEngine


class ManualEngine(VirtualEngine):
    """One monitor; the test decides what happens next."""

    def __init__(self, request: MonitorRequest) -> None:
        super().__init__(request, lambda *_: Answer())
        self.flights: list[tuple[CompletableTask[Any], Turn]] = []
        self.result: dict[str, Any] | None = None
        self.wakes = 0
        given = MonitorInput(request=request, run="run-1").model_dump(mode="json", exclude_defaults=True)
        self._begin(given)

    def run_turn(self, task: CompletableTask[Any], turn: Turn) -> None:
        """Keep the turn until the test lets it land."""
        assert self.result is None, "a turn starts after the verdict"
        self.turns.append(turn)
        self.turns_here += 1
        self.flights.append((task, turn))
        self.turns_out += 1

    def land(self, index: int, report: TurnReport) -> None:
        """Deliver a report as the result of one of the turns that are out."""
        task, _ = self.flights.pop(index)
        self.turns_out -= 1
        task.complete(report.model_dump(mode="json"))
        self._go_on()

    def lose(self, index: int) -> None:
        """Let the activity of one of the turns that are out fail."""
        task, _ = self.flights.pop(index)
        self.turns_out -= 1
        task.fail("the worker crashed", RuntimeError("crashed"))
        self._go_on()

    def command(self, payload: Any) -> None:
        """Raise a control event now."""
        self._raise(payload)
        self._go_on()

    def batch(self, payloads: list[Any]) -> None:
        """Raise several control events that come in one batch."""
        for payload in payloads:
            self._raise(payload)
        self._go_on()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and what timers are due fire in their order."""
        until = self.now + timedelta(seconds=seconds)
        while self.result is None and self._events and self._events[0][0] <= until:
            self._next_event()
            self._go_on()
        self.now = max(self.now, until)

    def _begin(self, given: Any) -> None:
        self.generations += 1
        self.wakes = self.turns_here = 0
        self._context = Context(self, self._pending, instance_id(self.request.job_id))
        self._generator = monitor_orchestrator()(self._context, given)  # type: ignore[arg-type]
        self._task: Task[Any] | None = next(self._generator, None)
        self._settle(None)

    def _go_on(self) -> None:
        while self.result is None and self._task is not None and self._task.is_complete:
            self.wakes += 1
            self.largest_generation = max(self.largest_generation, self.wakes)
            try:
                self._task = self._generator.send(self._task.get_result())
            except StopIteration as stop:
                self._task = None
                self._settle(stop.value)

    def _settle(self, value: Any) -> None:
        assert self._context is not None
        if self._task is not None:
            return
        if self._context.continued:
            # What an earlier execution left behind does not reach the next one.
            self._events.clear()
            self._begin(self._context.continued[0])
        else:
            self.result = value

    @property
    def seconds(self) -> float:
        """Since the start."""
        return (self.now - START).total_seconds()
