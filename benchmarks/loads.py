"""What benchmarks have waited for, and the ways to do it: ours, and the plain loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from monitor_core.contract import ORCHESTRATOR, VERSION


@dataclass(frozen=True)
class Load:
    """What is to be waited for.

    Args:
        monitors: how many.
        checks: how many each makes until it is so.
        interval_seconds: between checks.
        polling: more of it, for ours alone.
        urls: the pages to look at, in turn; nothing is looked at without.
        changes_every: that many checks the status that is seen changes; never, where it is 0.
        timeout_seconds: of each monitor.
        spread_seconds: over which they are started, evenly.
    """

    monitors: int
    checks: int
    interval_seconds: float
    polling: Mapping[str, Any] = field(default_factory=dict)
    urls: Sequence[str] = ()
    changes_every: int = 0
    timeout_seconds: float = 3600
    spread_seconds: float = 0

    def ours(self, number: int) -> dict[str, Any]:
        """What our orchestrator is started with."""
        check = {"kind": "http", "url": self._page(number)} if self.urls else self._nothing
        request = {
            "job_id": f"job-{number}",
            "check": check,
            "polling": {"interval_seconds": self.interval_seconds, **self.polling},
            "timeout_seconds": self.timeout_seconds,
        }
        return {"request": request, "run": f"run-{number}"}

    def plain(self, number: int) -> dict[str, Any]:
        """What the plain loop is started with."""
        page = {"url": self._page(number)} if self.urls else {}
        return {
            "checks": self.checks,
            "interval": self.interval_seconds,
            "timeout": self.timeout_seconds,
            "changes_every": self.changes_every,
            **page,
        }

    @property
    def _nothing(self) -> dict[str, Any]:
        return {"kind": "nothing", "checks": self.checks, "changes_every": self.changes_every}

    def _page(self, number: int) -> str:
        return self.urls[number % len(self.urls)]


@dataclass(frozen=True)
class Way:
    """A way to wait: a worker's command, and the orchestrator with its input for each monitor."""

    name: str
    command: Sequence[str]
    orchestrator: str
    version: str | None
    settings: Mapping[str, str] = field(default_factory=dict)

    def given(self, load: Load, number: int) -> dict[str, Any]:
        """The input of a monitor."""
        return load.plain(number) if self.command == PLAIN.command else load.ours(number)


OURS: Final = Way("Durable Monitor", ("services/worker/worker.py",), ORCHESTRATOR, VERSION)
PLAIN: Final = Way("plain loop", ("-m", "benchmarks.plain_worker"), "plain_loop", None)
