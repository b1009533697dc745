"""A worker of this release or of the next one, for the upgrade test: `-m support.versioned_worker old|new`.

The next release's loop marks its results, and each keeps generations short, so that monitors migrate soon.
"""

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from durabletask.task import OrchestrationContext

from monitor_core.settings import worker_settings
from monitor_core.telemetry import configure_logging
from monitor_worker.bootstrap import Worker
from monitor_worker.host import listen_for_signals
from monitor_worker.orchestrator import Deployment, Wait, loop_1_0
from monitor_worker.policy import Generation
from monitor_worker.versions import Loop

SHORT = Generation(most_turns=3)


def loop_1_1(ctx: OrchestrationContext, given: Any, deployment: Deployment) -> Wait:
    """The next release's loop."""
    result = yield from loop_1_0(ctx, given, deployment, SHORT)
    return {**result, "labels": {"loop": "1.1"}} if result else result


OLD: Mapping[str, Loop] = {"1.0": partial(loop_1_0, fresh=SHORT)}
NEW: Mapping[str, Loop] = {**OLD, "1.1": loop_1_1}


def main() -> None:
    """Run until told to stop."""
    asked_to_stop = listen_for_signals()
    configure_logging("INFO")
    worker = Worker(worker_settings(), loops={"old": OLD, "new": NEW}[sys.argv[1]])
    worker.start()
    asked_to_stop.wait()
    worker.stop()


if __name__ == "__main__":
    main()
