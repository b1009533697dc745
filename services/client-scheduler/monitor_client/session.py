"""Runs a command's calls on the service, and lets go of a watched monitor when the user interrupts."""

import asyncio
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from typing import Final

from opentelemetry import trace

from monitor_client.connect import open_monitors
from monitor_client.display import Display
from monitor_client.face import Monitors
from monitor_client.usage import EXIT_INTERRUPTED, EXIT_TERMINATED
from monitor_client.view import MonitorView, Phase
from monitor_core import telemetry
from monitor_core.settings import ClientSettings
from monitor_core.telemetry import metrics
from monitor_core.words import clean

_PENDING_SECONDS: Final = 5.0

Errand = Callable[[Monitors], Awaitable[int]]
"""What a command does with the service; gives the exit code."""


def run(settings: ClientSettings, errand: Errand) -> int:
    """Do the errand on an open service; the exit code, that of an interrupt or SIGTERM too: neither is a verdict.

    Raises:
        ServiceError, RequestError: as the service's methods.
    """

    async def inside() -> int:
        _end_on_sigterm()
        async with open_monitors(settings) as service:
            return await errand(service)

    try:
        with telemetry.started(settings.telemetry, telemetry.CLIENT, telemetry.BRIEF_FLUSH_SECONDS), _traced():
            return asyncio.run(inside())
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except asyncio.CancelledError:
        return EXIT_TERMINATED


def _traced() -> AbstractContextManager[object]:
    """A span around a command; never its arguments, in which a header may be."""
    tracer = trace.get_tracer(metrics.SCOPE)
    return tracer.start_as_current_span("client.py", attributes={"process.executable.name": "client.py"})


def _end_on_sigterm() -> None:
    """End as Ctrl-C does: the terminal is given back, the channel closed."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError):  # Windows has no such handler
            loop.add_signal_handler(signal.SIGTERM, task.cancel)


class Watched:
    """A monitor that is watched from a terminal: ending the watch ends nothing else."""

    def __init__(self, job_id: str, program: str, *, is_known: bool, server: str | None = None) -> None:
        """Name the job, the program and its --server for hints; `is_known`: its monitor is surely there."""
        self.job_id = job_id
        self.is_known = is_known
        self._program = program
        self._server = server

    def run(self, settings: ClientSettings, errand: Errand) -> int:
        """Do the errand; interrupted, say how to come back."""
        code = run(settings, errand)
        if code in {EXIT_INTERRUPTED, EXIT_TERMINATED}:
            self._say_how_to_come_back()
        return code

    async def follow(self, service: Monitors, run: str | None, display: Display) -> MonitorView:
        """Show the monitor's progress until it ends; its last view.

        Raises:
            ServiceError: as `MonitorService.watch`.
        """
        loop = asyncio.get_running_loop()
        hint = loop.call_later(_PENDING_SECONDS, display.warn, self._pending_hint())
        views = service.watch(self.job_id, run, on_unreachable=lambda why: display.warn(f"Still trying: {why}"))
        last: MonitorView | None = None
        try:
            with display.open():
                async for last in views:
                    display.show(last)
                    if last.state is not Phase.PENDING:
                        hint.cancel()
        finally:
            hint.cancel()
        if last is None:
            raise AssertionError("a watch shows something, or raises")
        return last

    def _pending_hint(self) -> str:
        return f"{clean(self.job_id)}: no worker has taken it yet. Is one running on this ENDPOINT and TASKHUB?"

    def _say_how_to_come_back(self) -> None:
        job = operand(self.job_id, self._server)
        if self.is_known:
            first = f"Detached: the monitor of {clean(self.job_id)} goes on."
        else:
            first = f"Interrupted while starting: the monitor of {clean(self.job_id)} may be running."
        lines = (first, f"  come back: {self._program} watch {job}", f"  cancel it: {self._program} cancel {job}")
        print("\n".join(lines), file=sys.stderr)  # noqa: T201 # the user's terminal


def operand(job_id: str, server: str | None) -> str:
    """What follows a command's name in a hint: the job, and the server where one was named."""
    return shlex.quote(job_id) if server is None else f"{shlex.quote(job_id)} --server {shlex.quote(server)}"
