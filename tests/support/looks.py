"""One check made as a worker makes it, conditions judged and all, by a driver of the test's choice."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor_core.conditions import Condition
from monitor_core.contract import Schedule, Turn, parse_request
from monitor_core.kinds import BUILT_IN
from monitor_worker.checks.base import Driver, Resources
from monitor_worker.checks.masking import Mask
from monitor_worker.checks.registry import Registry
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.clock import SystemClock
from monitor_worker.looking import looker
from monitor_worker.loop import ask
from monitor_worker.turns import Checkpoint, Look


async def here(condition: Condition, values: Mapping[str, Any]) -> bool:
    """Evaluates a condition in this process, whatever it takes."""
    return condition.holds(values)


async def look(
    request: Mapping[str, Any], driver: Driver, mask: Mask = str, checkpoint: Checkpoint = None
) -> Look:
    """What the orchestrator is told of one check.

    Args:
        request: of a built-in kind, without its job_id.
        driver: makes the check, on the caller's loop.
        mask: takes secrets out of what is reported.
        checkpoint: what the check before left.
    """
    registry = Registry(BUILT_IN, Resources(guard=TargetGuard()), lambda *_: driver)
    check = looker(turn_of(request), "monitor-job-1", registry, ask, SystemClock(), evaluate=here, mask=mask)
    return await check(1, 30.0, checkpoint)


def turn_of(asked: Mapping[str, Any]) -> Turn:
    """The first turn of a monitor.

    Args:
        asked: a request of a built-in kind; its job_id is `job-1` unless given.
    """
    request = parse_request({"job_id": "job-1", **asked}, BUILT_IN)
    now = datetime.now(UTC)
    return Turn(
        run="run-1",
        revision=0,
        turn=1,
        job_id=request.job_id,
        check=request.check,
        success_when=request.success_when,
        failure_when=request.failure_when,
        polling=request.polling,
        check_timeout_seconds=request.check_timeout_seconds,
        required_successes=request.tolerance.consecutive_successes,
        deadline=now + timedelta(days=1),
        schedule=Schedule(anchor=now),
        turn_seconds=0,
        checks_performed=0,
        last_status=None,
        consecutive_successes=0,
    )
