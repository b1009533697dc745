"""A process that makes the turns of a worker; it prints the CPU seconds of each check.

python -m benchmarks.observed_turns observed|unobserved URL

For each line that it reads, which is a kind of check and how many turns to make.
"""

import sys
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, Final

from opentelemetry import trace

from monitor_core import telemetry
from monitor_core.contract import Turn
from monitor_core.settings import worker_settings
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.registry import Registry
from monitor_worker.clock import SystemClock
from monitor_worker.equipment import resources_of
from monitor_worker.evaluator import Evaluator
from monitor_worker.looking import looker
from monitor_worker.loop import LoopThread, ask
from monitor_worker.observer import Observer
from monitor_worker.turns import TurnRun, unobserved
from support.looks import turn_of

INTERVAL_SECONDS: Final = 0.1
TURN_SECONDS: Final = 15


class HurriedClock(SystemClock):
    """Does not wait, and says that it has."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0

    def now(self) -> datetime:
        """The time that it would be."""
        return super().now() + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        """Likewise."""
        return super().monotonic() + self._ahead

    async def wait(self, seconds: float) -> bool:
        """Be there at once."""
        self._ahead += max(seconds, 0)
        return True


class Turns:
    """Makes turns, with an observer or without."""

    def __init__(self, url: str, loop: LoopThread, *, observed: bool) -> None:
        masker, settings = Masker(), worker_settings({"MONITOR_ALLOWED_TARGETS": url.removeprefix("http://")})
        self._registry = Registry(settings.kinds, resources_of(settings, masker))
        self._url, self._loop, self._mask = url, loop, masker
        self._evaluate = Evaluator().holds
        self._observer = Observer(settings.kinds, masker) if observed else None

    def make(self, kind: str) -> int:
        """A turn; how many checks it made."""
        clock, turn = HurriedClock(), self._turn(kind)
        if self._observer is None:
            look = looker(turn, "key", self._registry, ask, clock, evaluate=self._evaluate, mask=self._mask)
            return self._loop.run(TurnRun(turn, "key", look, clock, checked=unobserved).run()).checks
        with self._observer.turn(turn) as observing:
            look = looker(turn, "key", self._registry, ask, clock, evaluate=self._evaluate, mask=self._mask)
            report = self._loop.run(TurnRun(turn, "key", look, clock, checked=observing).run())
            observing.ended(report)
        return report.checks

    def close(self) -> None:
        """Let go of what the drivers hold."""
        self._loop.run(self._registry.close())

    def _turn(self, kind: str) -> Turn:
        fields: dict[str, dict[str, Any]] = {"http": {"url": f"{self._url}/long"}, "simulated": {"checks": 1000}}
        asked = {"check": {"kind": kind, **fields[kind]}, "polling": {"interval_seconds": INTERVAL_SECONDS}}
        turn = turn_of(asked)
        return turn.model_copy(update={"turn_seconds": TURN_SECONDS, "last_status": "Running"})


def main(arguments: list[str]) -> None:
    """Make turns as long as somebody asks for them."""
    how, url = arguments
    with ExitStack() as ends:
        ends.enter_context(telemetry.started(worker_settings().telemetry, telemetry.WORKER, 5))
        loop = LoopThread()
        loop.start()
        ends.callback(loop.stop)
        turns = Turns(url, loop, observed=how == "observed")
        ends.callback(turns.close)
        for line in sys.stdin:
            kind, number = line.split()
            began, checks = time.process_time(), 0
            for _ in range(int(number)):
                checks += turns.make(kind)
            flush()
            print((time.process_time() - began) / checks, flush=True)


def flush() -> None:
    """What is yet to be sent counts as well."""
    provider: Any = trace.get_tracer_provider()
    if hasattr(provider, "force_flush"):
        provider.force_flush()


if __name__ == "__main__":
    main(sys.argv[1:])
