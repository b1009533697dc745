"""An engine under virtual time: drives the real orchestrator and the real turns, with no thread and no sleep.

Events happen in the order of their times: timers, reports of turns, commands. The target is a function from the
check's number and its time to an observation, an error, or how long it takes to answer.
"""

import heapq
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from durabletask.task import CancellableTask, CompletableTask, ReplaySafeLogger, TimerTask

from monitor_core.contract import (
    ACTIVITY,
    TELL,
    CheckError,
    Delivery,
    ErrorClass,
    MonitorInput,
    MonitorRequest,
    ObservationSummary,
    Turn,
    TurnReport,
    instance_id,
    parse_request,
    telling_id,
)
from monitor_core.kinds import BUILT_IN
from monitor_worker.turns import Checkpoint, Look, Looker, TurnRun
from monitor_worker.versions import monitor_orchestrator

START = datetime(2026, 1, 1, tzinfo=UTC)
T = TypeVar("T")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that awaits nothing real."""
    try:
        coroutine.send(None)
    except StopIteration as returned:
        value: T = returned.value
        return value
    coroutine.close()
    raise AssertionError("it waits for something real")


@dataclass
class Answer:
    """What the target answers to one check."""

    status: str = "Running"
    takes: float = 0.0
    error: ErrorClass | None = None
    retry_after: float | None = None


Target = Callable[[int, float], Answer]
"""From the check's number (from 1) and the seconds since the start to its answer."""


class VirtualClock:
    """A turn's clock: waiting moves it on."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def wait(self, seconds: float) -> bool:
        self.time += timedelta(seconds=max(seconds, 0))
        return True


class World:
    """What the turns see: the target, and when it was checked."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.turns: list[Turn] = []
        self.checked_at: list[float] = []
        self.checkpoints: list[Checkpoint] = []
        self.room = True
        self.held_back: Callable[[], float] = lambda: 0.0
        self.clocks_ahead = 0.0

    def play(self, turn: Turn, now: datetime) -> tuple[TurnReport, datetime]:
        """Run the real turn from `now` on: its report, and when it came back."""
        self.turns.append(turn)
        skew = timedelta(seconds=self.clocks_ahead)
        clock = VirtualClock(now + skew)
        key, look = instance_id(turn.job_id), self._looker(clock)
        playing = TurnRun(turn, key, look, clock, lambda: self.room, held_back=self.held_back)
        return at_once(playing.run()), clock.time - skew

    def _looker(self, clock: VirtualClock) -> Looker:
        async def look(number: int, allowed: float, checkpoint: Checkpoint) -> Look:
            started = clock.now()
            since = (started - START).total_seconds() - self.clocks_ahead
            self.checked_at.append(since)
            self.checkpoints.append(checkpoint)
            answer = self.target(number, since)
            await clock.wait(min(answer.takes, allowed))
            if answer.takes > allowed:
                return Look(error=CheckError(error_class=ErrorClass.TRANSIENT, message="no answer", at=started))
            if answer.error is not None:
                error = CheckError(error_class=answer.error, message="the target's error", at=started)
                return Look(error=error, retry_after_seconds=answer.retry_after)
            seen = ObservationSummary(
                at=started,
                status=answer.status,
                latency_seconds=answer.takes,
                success=answer.status == "Succeeded",
                failure=answer.status == "Failed",
            )
            return Look(observation=seen, retry_after_seconds=answer.retry_after, checkpoint={"check": number})

        return look


@dataclass
class Context:
    """The part of the SDK's orchestration context that the orchestrator uses."""

    engine: "VirtualEngine"
    received: list[Any]
    instance_id: str
    version: str = "1.0"
    is_replaying: bool = False
    waiting: list[CancellableTask[Any]] = field(default_factory=list)
    continued: Any = None

    @property
    def current_utc_datetime(self) -> datetime:
        return self.engine.now.replace(tzinfo=None)

    def create_replay_safe_logger(self, logger: Any) -> ReplaySafeLogger:
        return ReplaySafeLogger(logger, lambda: self.is_replaying)

    def set_custom_status(self, status: Any) -> None:
        self.engine.statuses.append(status)

    def create_timer(self, fire_at: datetime) -> TimerTask:
        timer = TimerTask()
        self.engine.timers_created += 1
        self.engine.at(fire_at.astimezone(UTC), lambda: timer.complete(None))
        return timer

    def call_activity(self, name: str, *, input: Any) -> CompletableTask[Any]:  # noqa: A002 # the SDK's name
        assert name == ACTIVITY
        task: CompletableTask[Any] = CompletableTask()
        self.engine.run_turn(task, Turn.model_validate(input))
        return task

    def call_sub_orchestrator(self, name: str, *, input: Any, instance_id: str) -> CompletableTask[Any]:  # noqa: A002 # the SDK's name
        assert name == TELL
        task: CompletableTask[Any] = CompletableTask()
        self.engine.tell(task, instance_id, input)
        return task

    def wait_for_external_event(self, name: str) -> CancellableTask[Any]:
        assert name == "control"
        task: CancellableTask[Any] = CancellableTask()
        if self.received:
            task.complete(self.received.pop(0))
        else:
            self.waiting.append(task)
        return task

    def continue_as_new(self, new_input: Any, *, save_events: bool, new_version: str) -> None:
        assert save_events
        assert not self.engine.turns_out, "an activity is in flight"
        assert not self.engine.tellings_out, "a sub-orchestration is in flight"
        self.continued = (new_input, new_version)


class VirtualEngine(World):
    """One monitor, run to its end, its orchestrator driven as a plain generator."""

    def __init__(self, request: MonitorRequest, target: Target) -> None:
        super().__init__(target)
        self.request = request
        self.now = START
        self.statuses: list[dict[str, Any]] = []
        self.turns_out = 0
        self.tellings_out = 0
        self.told: dict[str, Delivery] = {}
        self.telling_seconds = 0.01
        self.timers_created = 0
        self.generations = 0
        self.largest_generation = 0
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._context: Context | None = None
        self._pending: list[Any] = []

    def at(self, moment: datetime, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), happen))

    def send(self, seconds: float, command: Any) -> None:
        """Raise a control event that many seconds after the start."""
        self.at(START + timedelta(seconds=seconds), lambda: self._raise(command))

    def run(self) -> dict[str, Any]:
        """The monitor's result."""
        given: Any = MonitorInput(request=self.request, run="run-1").model_dump(mode="json", exclude_defaults=True)
        while True:
            self.generations += 1
            outcome = self._generation(given)
            if not isinstance(outcome, tuple):
                assert isinstance(outcome, dict)
                return outcome
            given, _ = outcome

    def _generation(self, given: Any) -> Any:
        context = self._context = Context(self, self._pending, instance_id(self.request.job_id))
        generator = monitor_orchestrator()(context, given)  # type: ignore[arg-type]
        wakes = 0
        task = next(generator, None)
        while task is not None:
            while not task.is_complete:
                self._next_event()
            wakes += 1
            assert wakes < 1000, "the loop spins"
            try:
                task = generator.send(task.get_result())
            except StopIteration as stop:
                self.largest_generation = max(self.largest_generation, wakes)
                return context.continued or stop.value
        return context.continued

    def _next_event(self) -> None:
        moment, _, happen = heapq.heappop(self._events)
        self.now = max(self.now, moment)
        happen()

    def _raise(self, command: Any) -> None:
        assert self._context is not None
        if self._context.waiting:
            self._context.waiting.pop(0).complete(command)
        else:
            self._pending.append(command)

    def run_turn(self, task: CompletableTask[Any], turn: Turn) -> None:
        self.turns_out += 1
        report, back_at = self.play(turn, self.now)

        def land() -> None:
            self.turns_out -= 1
            task.complete(report.model_dump(mode="json"))

        self.at(back_at, land)

    def tell(self, task: CompletableTask[Any], instance: str, given: Any) -> None:
        """Start deliveries; nothing comes of them here."""
        deliveries = {name: Delivery.model_validate(delivery) for name, delivery in given.items()}
        assert instance == telling_id(deliveries)
        assert not deliveries.keys() & self.told.keys(), "told twice"
        self.told.update(deliveries)
        self.tellings_out += 1

        def land() -> None:
            self.tellings_out -= 1
            task.complete(None)

        self.at(self.now + timedelta(seconds=self.telling_seconds), land)


def request(**fields: Any) -> MonitorRequest:
    """A request for the simulated kind."""
    return parse_request({"job_id": "job-1", "check": {"kind": "simulated"}, **fields}, BUILT_IN)


def run(target: Target, *commands: tuple[float, Any], **fields: Any) -> tuple[dict[str, Any], VirtualEngine]:
    """Run a monitor to its end: its result, and the engine to look into."""
    engine = VirtualEngine(request(**fields), target)
    for seconds, command in commands:
        engine.send(seconds, command)
    return engine.run(), engine
