"""Which loop runs an instance: its version says, so that a rolling upgrade never replays one by the other's rules.

A loop that schedules anything otherwise than before is a new version with a function of its own; the one before it
stays until no instance of it is left. tests/worker/test_histories.py fails until that is done. A bound of the
contract that is tightened, or a default that is changed, is a new version too: what runs began under the old one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from durabletask.task import OrchestrationContext

from monitor_core.contract import VERSION
from monitor_worker.orchestrator import Deployment, Orchestrator, Wait, loop_1_0

Loop = Callable[[OrchestrationContext, Any, Deployment], Wait]
"""One version of the orchestrator."""

LOOPS: Final[Mapping[str, Loop]] = {VERSION: loop_1_0}
"""Every version that this release runs, the newest last."""
UNVERSIONED: Final = "1.0"
"""What runs an instance that a user's workflow started without a version. It never changes."""


def monitor_orchestrator(loops: Mapping[str, Loop] = LOOPS, deployment: Deployment | None = None) -> Orchestrator:
    """The orchestrator `monitor`.

    Args:
        loops: version to loop, the newest last. Continue-as-new migrates to the newest, so that a worker needs to
            keep only the one before.
        deployment: what is the same for all monitors.
    """
    current = replace(deployment or Deployment(), newest=list(loops)[-1])

    def monitor(ctx: OrchestrationContext, given: Any) -> Wait:
        return loops[ctx.version or UNVERSIONED](ctx, given, current)

    return monitor
