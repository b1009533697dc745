"""What a monitor tells to whom it concerns, besides the scheduler: that it took a command, and that it ended.

Nothing depends on who listens. It is told once, when it happens, and not when the history is replayed; where the
engine loses an answer of the worker's it happens again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from durabletask.task import OrchestrationContext

from monitor_core.contract import CommandOutcome, Decision, MonitorRequest


@dataclass(frozen=True, slots=True)
class Ended:
    """A monitor has its verdict; `seconds` is how long it took, in which `checks` were recorded."""

    request: MonitorRequest
    run: str
    decision: Decision
    checks: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Commanded:
    """A monitor has applied or refused a command."""

    request: MonitorRequest
    run: str
    outcome: CommandOutcome


Event = Ended | Commanded
Tell = Callable[[OrchestrationContext, Event], None]


def tell_nobody(_: OrchestrationContext, __: Event) -> None:
    """Nobody listens."""
