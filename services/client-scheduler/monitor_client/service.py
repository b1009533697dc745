"""Starts, reads, watches and controls monitors: what every face of the client-scheduler stands on.

It keeps no state of its own. Every method may raise a `ServiceError`; see monitor_client.errors.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import Final
from uuid import uuid4

from durabletask.client import OrchestrationState, OrchestrationStatus

from monitor_client.bulk import Outcome, start_each
from monitor_client.callback import NOT_KNOWN, callback_of, digest_of, is_of, new_token
from monitor_client.deliveries import purge_deliveries, with_deliveries
from monitor_client.errors import (
    AlreadyEnded,
    Contested,
    NotFound,
    SchedulerRefused,
    StillRunning,
    Unreadable,
    WrongToken,
)
from monitor_client.explain import explained
from monitor_client.gateway import Gateway
from monitor_client.identity import How, Started, joined
from monitor_client.listing import MonitorPage, Selection, listed, query_of
from monitor_client.reconciler import Reconciler
from monitor_client.untold import Untold
from monitor_client.view import ENDED, MonitorView, parsed, view_of
from monitor_client.watch import Watch
from monitor_core.conditions import check_conditions
from monitor_core.contract import (
    Command,
    CommandOutcome,
    Complete,
    Edit,
    Explanation,
    MonitorInput,
    MonitorRequest,
    Problem,
    RequestError,
    instance_id,
)
from monitor_core.kinds import BUILT_IN, CheckSpec

_START_ATTEMPTS: Final = 5
_OUTCOME_POLL_SECONDS: Final = 0.2


class MonitorService:
    """Monitors in one task hub."""

    def __init__(self, gateway: Gateway, *, kinds: Mapping[str, type[CheckSpec]] = BUILT_IN) -> None:
        self._gateway = gateway
        self._kinds = kinds
        self._untold = Untold(gateway)

    def reconciler(self) -> Reconciler:
        """What tells the verdicts of monitors that are ended from outside."""
        return Reconciler(self._gateway, self._untold)

    async def start(self, request: MonitorRequest, *, run: str | None = None, restart: bool = False) -> Started:
        """Start a monitor, once: a start that is sent again finds itself, one of the same attaches.

        Args:
            request: what to wait for, as `parse_request` gives it.
            run: the run's id, where a retried start has to find itself; else a new one.
            restart: whether a job whose monitor has ended is started anew.

        Returns:
            The monitor. Its callback token is known to the very call that started it, and to no other.

        Raises:
            RequestError: a condition does not compile.
            Conflict: the job is being monitored, but otherwise.
            AlreadyEnded: its monitor has ended, and `restart` is not set.
            Contested: others keep starting and ending it.

        What it takes the place of is told of first, where that was ended from outside.
        """
        check_conditions(request, self._kinds)
        instance, run = instance_id(request.job_id), run or uuid4().hex
        token = new_token() if request.callback else None
        asked = MonitorInput(request=request, run=run, callback_digest=digest_of(token) if token else None)
        given = asked.model_dump(mode="json", exclude_defaults=True)
        replacing: OrchestrationStatus | None = None
        for _ in range(_START_ATTEMPTS):
            # Never replace at the first attempt: a late duplicate of it would start an ended job again.
            # Later only one that ended as the one seen did: another's verdict may have to be told first.
            if await self._gateway.create(instance, given, replacing=replacing):
                how = How.STARTED if replacing is None else How.RESTARTED
                started = Started(job_id=request.job_id, instance_id=instance, run=run, how=how)
                return _with_callback(started, token, is_known=True)
            state = await self._read(request.job_id, payloads=True)
            if state is None:
                replacing = None
                continue
            existing = view_of(state)
            if found := joined(existing, request, run):
                # An attempt of this very call may have gone through, unheard.
                return _with_callback(found, token, is_known=token is not None and is_of(token, _given(state)))
            if not restart:
                raise AlreadyEnded(request.job_id, existing.state, "set restart (--restart) to start it anew")
            await self._untold.tell(state)
            replacing = state.runtime_status
        raise Contested(request.job_id)

    def start_many(self, requests: Iterable[MonitorRequest], *, restart: bool = False) -> AsyncIterator[Outcome]:
        """Start monitors side by side, each as `start` does; what came of each, with its position, as it comes.

        A request that cannot be started hinders no other.
        """
        return start_each(requests, partial(self.start, restart=restart))

    async def list(self, selection: Selection, *, token: str | None = None, limit: int = 50) -> MonitorPage:
        """A page of monitors, in the scheduler's order; it costs one call however many there are.

        Args:
            selection: which; what the scheduler cannot select by is left out of the page, which is then short.
            token: of the page before; None for the first page.
            limit: how many to look at, at most.

        Raises:
            RequestError: the token is of no page.
        """
        try:
            page = await self._gateway.page(query_of(selection, limit), token)
        except SchedulerRefused as error:
            if token is None or error.code != "INVALID_ARGUMENT":
                raise
            raise RequestError([Problem("token", "is of no page: begin with the first")]) from error
        return listed(page, selection)

    async def purge(self, job_id: str) -> None:
        """Delete an ended monitor, and its deliveries that are over. What is not told yet still is.

        Raises:
            NotFound: there is none.
            StillRunning: it has no verdict yet.
        """
        state = await self._read(job_id, payloads=False)
        if state is None:
            raise NotFound(job_id, self._gateway.taskhub)
        if view_of(state).verdict is None:
            raise StillRunning(job_id)
        await self._untold.tell(state)
        # Before the monitor: where this breaks off, it can be asked for again.
        await purge_deliveries(self._gateway, state.instance_id)
        if not await self._gateway.purge(state.instance_id):
            raise StillRunning(job_id)

    async def get(self, job_id: str, *, deliveries: bool = True) -> MonitorView:
        """A monitor as it is now, payloads included.

        Args:
            job_id: the job.
            deliveries: whether to look for what is told of it, where its request says that something is.

        Raises:
            NotFound: there is none.
        """
        view = await self._found(job_id, payloads=True)
        return await with_deliveries(self._gateway, view) if deliveries else view

    def watch(
        self,
        job_id: str,
        run: str | None = None,
        *,
        poll_seconds: float = 0.5,
        on_unreachable: Callable[[str], None] = lambda _: None,
    ) -> AsyncIterator[MonitorView]:
        """Look at a monitor until it ends: a view at first, on every change, and of the end.

        Args:
            job_id: the job.
            run: the run to watch; else the one that is found at first.
            poll_seconds: how often to look where a change is near; up to 2 s where it is not.
            on_unreachable: told once, in words, when the scheduler is gone; borne for about a minute.

        Raises:
            NotFound: there is no such monitor, or it was purged meanwhile.
            RunReplaced: the job was started anew.
            SchedulerUnreachable: at the first look, or for too long.
        """
        look = partial(self._found, job_id)
        return Watch(look, run=run, fastest_seconds=poll_seconds, on_unreachable=on_unreachable).views()

    async def send(self, job_id: str, command: Command, *, wait_seconds: float = 5) -> CommandOutcome | None:
        """Tell a running monitor something, and wait for what became of it.

        Returns:
            The outcome; None where there was none within `wait_seconds`: the command stays in the monitor's
            inbox, and is applied once a worker runs it.

        Raises:
            RequestError: an edit's condition does not compile.
            NotFound: there is no such monitor.
            AlreadyEnded: it had ended before it could hear the command.
        """
        # Looked for first: of a command that has ended the monitor, a second one has to find the outcome.
        view = await self._found(job_id, payloads=True)
        if (known := _outcome_in(view, command.id)) is not None:
            return known
        _expect_running(view)
        if isinstance(command, Edit) and view.request is not None:
            check_conditions(view.request.model_copy(update=command.conditions()), self._kinds)
        try:
            await self._gateway.tell(view.instance_id, command.model_dump(mode="json", exclude_none=True))
        except SchedulerRefused as error:
            if error.code != "NOT_FOUND":
                raise
            raise NotFound(job_id, self._gateway.taskhub) from error
        return await self._outcome(job_id, command.id, wait_seconds)

    async def push(
        self, job_id: str, token: str, command: Complete, *, wait_seconds: float = 5
    ) -> CommandOutcome | None:
        """Have who holds a callback token tell the outcome.

        Returns:
            As `send`; where it was told before by the same command, what became of that.

        Raises:
            WrongToken: it is not that of the monitor's current run, or there is no such monitor.
            AlreadyEnded: the monitor had ended before, and not by this command.
        """
        given = _given(await self._read(job_id, payloads=True))
        if not is_of(token, given) or given is None:
            raise WrongToken
        # The job may be started anew in between: the token is of this run.
        told = command.model_copy(update={"if_run": given.run})
        return await self.send(job_id, told, wait_seconds=wait_seconds)

    async def explain(self, request: MonitorRequest, *, wait_seconds: float | None = None) -> Explanation:
        """What a monitor of this request would see and come to at its first check. Nothing is started.

        Args:
            request: as for `start`; its `job_id` may be that of a monitor, which is left alone.
            wait_seconds: how long to wait for a worker's answer; else 20 more than the check may take.

        Raises:
            RequestError: a condition does not compile.
            NotExplained: there was no answer in that time; the message says whether a worker had taken it.
        """
        check_conditions(request, self._kinds)
        return await explained(self._gateway, request, wait_seconds)

    async def _outcome(self, job_id: str, command_id: str, wait_seconds: float) -> CommandOutcome | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_seconds
        while True:
            view = await self._found(job_id, payloads=False)
            if (outcome := _outcome_in(view, command_id)) is not None:
                return outcome
            _expect_running(view)
            if loop.time() >= until:
                return None
            await asyncio.sleep(_OUTCOME_POLL_SECONDS)

    async def _found(self, job_id: str, *, payloads: bool) -> MonitorView:
        view = await self._look(job_id, payloads=payloads)
        if view is None:
            raise NotFound(job_id, self._gateway.taskhub)
        return view

    async def _look(self, job_id: str, *, payloads: bool) -> MonitorView | None:
        state = await self._read(job_id, payloads=payloads)
        return view_of(state) if state is not None else None

    async def _read(self, job_id: str, *, payloads: bool) -> OrchestrationState | None:
        """One look; the payloads of an ended monitor are always asked for, as its verdict is in them."""
        instance = instance_id(job_id)
        state = await self._gateway.read(instance, payloads=payloads)
        if state is not None and state.runtime_status in ENDED and not payloads:
            state = await self._gateway.read(instance, payloads=True)
        return state


def _expect_running(view: MonitorView) -> None:
    if view.verdict is not None:
        raise AlreadyEnded(view.job_id, view.verdict, "it takes no command any more")


def _given(state: OrchestrationState | None) -> MonitorInput | None:
    """What a monitor was started with; None where there is none that can be read."""
    try:
        return parsed(MonitorInput, state.serialized_input, state, "input") if state else None
    except Unreadable:
        return None


def _outcome_in(view: MonitorView, command_id: str) -> CommandOutcome | None:
    outcomes = view.status.commands if view.status else ()
    return next((outcome for outcome in outcomes if outcome.id == command_id), None)


def _with_callback(started: Started, token: str | None, *, is_known: bool) -> Started:
    if token is None:
        return started
    told = {"callback": callback_of(started.job_id, token)} if is_known else {"note": NOT_KNOWN}
    return started.model_copy(update=told)
