"""The deterministic loop: wait for a report, a command or the time, ask the policy, do as it says.

Everything in it is a function of the history. A fired timer only means "look at the clock".
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from durabletask.task import CancellableTask, CompletableTask, OrchestrationContext, Task, TimerTask, when_any
from pydantic import ValidationError

from monitor_core.contract import (
    ACTIVITY,
    CONTROL_EVENT,
    TELL,
    VERSION,
    Decision,
    Model,
    MonitorInput,
    Problem,
    RequestError,
    Turn,
    TurnReport,
    parse_command,
    parse_request,
    telling_id,
)
from monitor_core.contract.wording import problems_of
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import Kinds
from monitor_core.notices import Deliveries
from monitor_worker import commands, notices, policy, reports, views
from monitor_worker.events import Commanded, Ended, Tell, tell_nobody
from monitor_worker.policy import Finish, Generation, Monitor, Renew, SleepUntil, StartTurn

_FRESH = Generation()
LONGEST_KIND = 64
Wait = Generator[Task[Any], Any, Any]
Orchestrator = Callable[[OrchestrationContext, Any], Wait]
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is the same for all monitors of a worker. It is code, as the loop is: a replay has the same.

    Args:
        newest: the version to continue as new with.
        kinds: what a bare request may ask for.
        tell: is told of commands and of the verdict as they happen.
    """

    newest: str = VERSION
    kinds: Kinds = field(default_factory=lambda: BUILT_IN)
    tell: Tell = tell_nobody


def loop_1_0(ctx: OrchestrationContext, given: Any, deployment: Deployment, fresh: Generation = _FRESH) -> Wait:
    """One monitor, from its start (or continue-as-new) to its verdict (or the next continue-as-new).

    Args:
        ctx: the engine.
        given: a `MonitorInput`, or from a user's own workflow a bare request, as JSON data.
        deployment: what is the same for all monitors.
        fresh: how much history an execution may gather.

    Returns:
        A `MonitorResult` as JSON data.

    Raises:
        RequestError: `given` is neither; the orchestration fails with its message.
    """
    state = policy.begin(read_input(ctx, given, deployment.kinds), ctx.instance_id, clock_of(ctx))
    inbox, flights, alarm, reminder = _Inbox(ctx), _Flights(ctx), _Alarm(ctx), _Alarm(ctx)
    teller, generation = _Teller(ctx, deployment.tell), fresh
    while True:
        now, before = clock_of(ctx), state
        state = inbox.deliver(flights.land(state, now), now)
        teller.commands(before, state)
        step = policy.next_step(state, now, generation, flights.out)
        ctx.set_custom_status(views.status_of(state, step, now))
        deliveries = notices.due(before, state, step, now)
        if deliveries:
            yield _told(ctx, deliveries)
        match step:
            case Finish(decision):
                teller.ended(state, decision, now)
                return views.result_of(state, decision, now)
            case _ if deliveries:
                # Something may have come meanwhile: look again, with the inbox empty.
                state, generation = notices.reminded(state, now), generation.with_wake()
                continue
            case Renew():
                ctx.continue_as_new(_carried(state), save_events=True, new_version=deployment.newest)
                return None
            case StartTurn(turn):
                flights.start(turn)
                state = policy.started(state, turn)
                generation = generation.with_turn()
            case SleepUntil(at):
                alarm.set(at)
        reminder.set(notices.next_reminder(state))
        yield when_any([inbox.listener, *flights.tasks, *alarm.tasks, *reminder.tasks])
        generation = generation.with_wake()


def read_input(ctx: OrchestrationContext, given: Any, kinds: Kinds) -> MonitorInput:
    """What an orchestration was started with.

    Raises:
        RequestError: it is neither a `MonitorInput` nor a request.
    """
    if isinstance(given, Mapping) and "request" not in given:
        return MonitorInput(request=parse_request(given, kinds), run=ctx.new_uuid())
    try:
        started = MonitorInput.model_validate(given)
    except ValidationError as error:
        raise RequestError(problems_of(error, whole="input")) from error
    kind = started.request.check.get("kind")
    if not isinstance(kind, str) or not 0 < len(kind) <= LONGEST_KIND:
        raise RequestError([Problem("request.check.kind", "is required, as a text")])
    return started


def clock_of(ctx: OrchestrationContext) -> datetime:
    """The orchestration's time (UTC)."""
    # The engine's clock is naive; it becomes UTC here and nowhere else.
    return ctx.current_utc_datetime.replace(tzinfo=UTC)


def _carried(state: Monitor) -> dict[str, Any]:
    carried = MonitorInput(
        request=state.started_as, run=state.run, progress=state.progress, callback_digest=state.callback_digest
    )
    return carried.model_dump(mode="json", exclude_defaults=True)


def _told(ctx: OrchestrationContext, deliveries: Deliveries) -> Task[Any]:
    """Have deliveries started: it takes one dispatch and is waited for, so no result of it is ever late."""
    given = {instance: delivery.model_dump(mode="json") for instance, delivery in deliveries.items()}
    task: Task[Any] = ctx.call_sub_orchestrator(TELL, input=given, instance_id=telling_id(deliveries))
    return when_any([task])


class _Teller:
    """Tells of what happens, once: not again when it is replayed."""

    def __init__(self, ctx: OrchestrationContext, tell: Tell) -> None:
        self._ctx, self._tell = ctx, tell

    def commands(self, before: Monitor, after: Monitor) -> None:
        """Tell of the commands that `after` has on record, and `before` had not."""
        if self._ctx.is_replaying or before is after:
            return
        known = {outcome.id for outcome in before.progress.commands}
        for outcome in after.progress.commands:
            if outcome.id not in known:
                self._tell(self._ctx, Commanded(after.request, after.run, outcome))

    def ended(self, state: Monitor, decision: Decision, now: datetime) -> None:
        """Tell of the verdict."""
        if not self._ctx.is_replaying:
            seconds = (now - state.progress.started_at).total_seconds()
            checks = state.progress.checks_performed
            self._tell(self._ctx, Ended(state.request, state.run, decision, checks, seconds))


class _Inbox:
    """The one listener for `control`: an event that came to a listener given up would be lost."""

    def __init__(self, ctx: OrchestrationContext) -> None:
        self._ctx = ctx
        self.listener: CancellableTask[Any] = ctx.wait_for_external_event(CONTROL_EVENT)

    def deliver(self, state: Monitor, now: datetime) -> Monitor:
        """Apply every command that has come, so that none waits when the monitor ends or continues as new."""
        while self.listener.is_complete:
            state = _obey(state, self.listener.get_result(), now)
            self.listener = self._ctx.wait_for_external_event(CONTROL_EVENT)
        return state


def _obey(state: Monitor, payload: Any, now: datetime) -> Monitor:
    try:
        return commands.apply(state, parse_command(payload), now)
    except RequestError as error:
        fields = payload if isinstance(payload, Mapping) else {}
        sent_as, name, why = (_storable(text) for text in (fields.get("id"), fields.get("name"), error))
        return commands.reject(state, sent_as[:64], name[:64], why, now)


def _storable(said: object) -> str:
    """A stranger's text without lone surrogates: JSON carries them, and nobody could read the status any more."""
    return str(said or "").encode("utf-8", "replace").decode()


class _Flights:
    """The turns that are out: the current one, and earlier ones that a command has overtaken."""

    def __init__(self, ctx: OrchestrationContext) -> None:
        self._ctx = ctx
        self._flights: list[tuple[CompletableTask[Any], Turn]] = []

    @property
    def tasks(self) -> list[CompletableTask[Any]]:
        return [task for task, _ in self._flights]

    @property
    def out(self) -> frozenset[int]:
        return frozenset(turn.turn for _, turn in self._flights)

    def start(self, turn: Turn) -> None:
        task: CompletableTask[Any] = self._ctx.call_activity(ACTIVITY, input=turn.model_dump(mode="json"))
        self._flights.append((task, turn))

    def land(self, state: Monitor, now: datetime) -> Monitor:
        """Take in the reports that have come."""
        back = [flight for flight in self._flights if flight[0].is_complete]
        self._flights = [flight for flight in self._flights if not flight[0].is_complete]
        for task, turn in back:
            report = landed(task, TurnReport, partial(reports.lost_turn, state, turn, now=now))
            state = reports.absorb(state, report, now)
        return state


def landed(task: CompletableTask[Any], model: type[M], lost: Callable[[str], M], what: str = "turn") -> M:
    """What an activity that has ended reports.

    Args:
        task: the activity.
        model: what it should report.
        lost: what it means that it failed, or that its report cannot be read; it is given why.
        what: it is called in that.
    """
    if task.is_failed:
        return lost(f"the {what} failed: {task.get_exception()}")
    try:
        return model.model_validate(task.get_result())
    except ValidationError as error:
        return lost(f"the {what}'s report cannot be read ({error.error_count()} errors in it)")


class _Alarm:
    """The timer under way. One that is no longer wanted stays, and wakes nobody."""

    def __init__(self, ctx: OrchestrationContext) -> None:
        self._ctx = ctx
        self._at: datetime | None = None
        self._timer: TimerTask | None = None

    @property
    def tasks(self) -> list[TimerTask]:
        return [] if self._timer is None or self._timer.is_complete else [self._timer]

    def set(self, at: datetime | None) -> None:
        """Wake at `at`, if at all; asked again for the same time, it keeps the timer it has."""
        if at is not None and (at != self._at or not self.tasks):
            self._at, self._timer = at, self._ctx.create_timer(at)
