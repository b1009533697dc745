"""Which loop runs an instance: its version says, so that a rolling upgrade never replays one by the other's rules.

A loop that schedules anything otherwise than before is a new version with a function of its own; the one before it
stays until no instance of it is left. tests/worker/test_histories.py fails until that is done. A bound of the
contract that is tightened, or a default that is changed, is a new version too: what runs began under the old one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from durabletask.task import OrchestrationContext

from monitor_core.contract import VERSION
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import Kinds
from monitor_worker.orchestrator import Orchestrator, Wait, loop_1_0

Loop = Callable[[OrchestrationContext, Any, str, Kinds], Wait]
"""One version of the orchestrator; it also takes the version to continue as new with, and the kinds there are."""

LOOPS: Final[Mapping[str, Loop]] = {VERSION: loop_1_0}
"""Every version that this release runs, the newest last."""
UNVERSIONED: Final = "1.0"
"""What runs an instance that a user's workflow started without a version. It never changes."""


def monitor_orchestrator(loops: Mapping[str, Loop] = LOOPS, kinds: Kinds = BUILT_IN) -> Orchestrator:
    """The orchestrator `monitor`.

    Args:
        loops: version to loop, the newest last. Continue-as-new migrates to the newest, so that a worker needs to
            keep only the one before.
        kinds: what a bare request of a user's workflow may ask for.
    """
    newest = list(loops)[-1]

    def monitor(ctx: OrchestrationContext, given: Any) -> Wait:
        return loops[ctx.version or UNVERSIONED](ctx, given, newest, kinds)

    return monitor
