"""A worker that kills itself (SIGKILL) at a step of its loop: `-m support.mortal STEP PASSAGE`.

It is the real worker, built by its composition root; around its parts stand wrappers which count passages. Its
executions are short, so that it continues as new often.
"""

import asyncio
import os
import signal
import sys
import threading
from functools import partial
from typing import Any, Final

from durabletask.internal import orchestrator_service_pb2 as pb

from monitor_core.contract import ACTIVITY, DELIVER, ORCHESTRATOR
from monitor_core.scheduler import DrainingWorker
from monitor_core.settings import worker_settings
from monitor_core.telemetry import configure_logging
from monitor_worker.bootstrap import Worker
from monitor_worker.checks.registry import Kind, Registry
from monitor_worker.host import listen_for_signals
from monitor_worker.orchestrator import loop_1_0
from monitor_worker.policy import Generation

STEPS: Final = (
    "turn: taken",
    "check: before",
    "check: under way",
    "check: after",
    "turn: before its report",
    "turn: after its report",
    "orchestration: taken",
    "start of a turn: before its report",
    "start of a turn: after its report",
    "sleep: before its report",
    "sleep: after its report",
    "renewal: before its report",
    "renewal: after its report",
    "telling: before its report",
    "telling: after its report",
    "delivery: taken",
    "delivery: before its report",
    "delivery: after its report",
    "verdict: before its report",
    "verdict: after its report",
)
"""Every step between the engine's hand and ours, in the order of a monitor's life."""
ACTIVITIES: Final = {ACTIVITY: "turn", DELIVER: "delivery"}
UNDER_WAY_SECONDS: Final = 0.05
SHORT: Final = Generation(most_turns=3)


class Fate:
    """Ends the process at the n-th passage of a step."""

    def __init__(self, step: str, passage: int) -> None:
        if step not in STEPS:
            raise ValueError(f"no such step: {step!r}")
        self._step, self._left = step, passage
        self._lock = threading.Lock()

    def passes(self, step: str) -> None:
        """Pass a step."""
        if step != self._step:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.write(1, f"Killed at: {step}\n".encode())  # at once, or another thread's line comes between
                os.kill(os.getpid(), signal.SIGKILL)


class MortalStub:
    """The engine's stub, with a step before and after each report."""

    def __init__(self, stub: Any, fate: Fate, what: str = "") -> None:
        self._stub, self._fate, self._what = stub, fate, what

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stub, name)

    def CompleteActivityTask(self, report: pb.ActivityResponse) -> Any:  # noqa: N802 # the protocol's name
        return self._around(self._what, lambda: self._stub.CompleteActivityTask(report))

    def CompleteOrchestratorTask(self, report: pb.OrchestratorResponse) -> Any:  # noqa: N802 # likewise
        return self._around(step_of(report), lambda: self._stub.CompleteOrchestratorTask(report))

    def _around(self, what: str, make: Any) -> Any:
        self._fate.passes(f"{what}: before its report")
        answer = make()
        self._fate.passes(f"{what}: after its report")
        return answer


def step_of(report: pb.OrchestratorResponse) -> str:
    """What an orchestration's report asks for. A delivery's own orchestration is no step of the monitor's."""
    if not report.instanceId.startswith("monitor-"):
        return "delivery's orchestration"
    for action in report.actions:
        match action.WhichOneof("orchestratorActionType"):
            case "completeOrchestration":
                renewed = pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
                return "renewal" if action.completeOrchestration.orchestrationStatus == renewed else "verdict"
            case "createSubOrchestration":
                return "telling"
            case "scheduleTask":
                return "start of a turn"
            case "createTimer":
                return "sleep"
    return "nothing"


class MortalDriver:
    """A driver with a step before, in and after its check."""

    def __init__(self, driver: Any, fate: Fate) -> None:
        self._driver, self._fate = driver, fate

    async def check(self, spec: Any, context: Any) -> Any:
        """The driver's check."""
        self._fate.passes("check: before")
        asyncio.get_running_loop().call_later(UNDER_WAY_SECONDS, self._fate.passes, "check: under way")
        seen = await self._driver.check(spec, context)
        self._fate.passes("check: after")
        return seen

    async def close(self) -> None:
        """Close it."""
        await self._driver.close()


def surround(fate: Fate, engine: DrainingWorker) -> None:
    """Put the steps around what the engine's work comes in by, and its reports go out."""
    run_activity, run_orchestrator = engine._execute_activity, engine._execute_orchestrator

    def activity(req: pb.ActivityRequest, stub: Any, completionToken: str) -> None:  # noqa: N803 # the SDK's name
        what = ACTIVITIES.get(req.name, "")
        fate.passes(f"{what}: taken")
        run_activity(req, MortalStub(stub, fate, what), completionToken)

    def orchestrator(req: pb.OrchestratorRequest, stub: Any, completionToken: str) -> None:  # noqa: N803
        if req.instanceId.startswith(ORCHESTRATOR):
            fate.passes("orchestration: taken")
        run_orchestrator(req, MortalStub(stub, fate), completionToken)

    vars(engine).update(_execute_activity=activity, _execute_orchestrator=orchestrator)


def surround_checks(fate: Fate, registry: Registry) -> None:
    """Put the steps around the checks of kind `http`."""
    kind = registry.find("http")
    registry._found["http"] = Kind(kind.spec, MortalDriver(kind.driver, fate))


def main() -> None:
    """Run until told to stop, or until it is time to die."""
    fate = Fate(sys.argv[1], int(sys.argv[2]))
    asked_to_stop = listen_for_signals()
    configure_logging("INFO")
    loops = {"1.0": partial(loop_1_0, fresh=SHORT)}
    worker = Worker(worker_settings(), loops=loops, register=partial(surround, fate))
    surround_checks(fate, worker._checks)
    worker.start()
    asked_to_stop.wait()
    worker.stop()


if __name__ == "__main__":
    main()
