"""Has a worker make one check, and takes what it says of it; nothing of that stays in the scheduler."""

import logging
from typing import Final
from uuid import uuid4

from durabletask.client import OrchestrationState, OrchestrationStatus

from monitor_client.errors import NotAnswered, NotExplained, NotTaken, SchedulerUnreachable, ServiceError
from monitor_client.gateway import Gateway
from monitor_client.removal import last_state, remove
from monitor_client.view import ENDED, parsed
from monitor_core.contract import EXPLAIN, EXPLAIN_PREFIX, VERSION, Explanation, MonitorInput, MonitorRequest

_PATIENCE_SECONDS: Final = 20.0
_log = logging.getLogger(__name__)


async def explained(gateway: Gateway, request: MonitorRequest, wait_seconds: float | None) -> Explanation:
    """As `MonitorService.explain`, of a request whose conditions compile."""
    wait = _PATIENCE_SECONDS + request.check_timeout_seconds if wait_seconds is None else wait_seconds
    instance = f"{EXPLAIN_PREFIX}{uuid4().hex}"
    given = MonitorInput(request=request, run=uuid4().hex).model_dump(mode="json", exclude_defaults=True)
    try:
        await gateway.create(instance, given, orchestrator=EXPLAIN)
        state = await last_state(gateway, instance, wait)
    except SchedulerUnreachable:
        raise  # whoever would remove it is not there
    except BaseException:
        await _remove(gateway, instance, ended=False)
        raise
    await _remove(gateway, instance, ended=state is None or state.runtime_status in ENDED)
    return _explanation(state, request.job_id, wait)


def _explanation(state: OrchestrationState | None, job_id: str, waited: float) -> Explanation:
    if state is None:
        raise NotExplained(job_id, "its instance was removed meanwhile")
    match state.runtime_status:
        case OrchestrationStatus.COMPLETED:
            said = parsed(Explanation, state.serialized_output, state, "output")
            if said is None:
                raise NotExplained(job_id, "the worker has said nothing")
            return said
        case OrchestrationStatus.FAILED:
            details = state.failure_details
            why = details.message if details else "for no known reason"
            raise NotExplained(job_id, f"the worker's orchestration failed, which is a defect: {why}")
        case OrchestrationStatus.TERMINATED:
            raise NotExplained(job_id, "its instance was terminated from outside")
        case OrchestrationStatus.PENDING:
            raise NotTaken(job_id, _no_worker(waited))
        case _:
            raise NotAnswered(job_id, f"a worker has taken it, but has not answered within {waited:g} s")


def _no_worker(waited: float) -> str:
    return (
        f"no worker has taken it within {waited:g} s "
        f"(does one that knows version {VERSION} run on this ENDPOINT and TASKHUB?)"
    )


async def _remove(gateway: Gateway, instance: str, *, ended: bool) -> None:
    """Best effort: what cannot be removed says why in the log, and does no harm."""
    try:
        await remove(gateway, instance, ended=ended)
    except ServiceError as error:
        _log.info("The instance '%s' may have stayed in the scheduler: %s", instance, error)
