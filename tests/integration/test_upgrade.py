"""A rolling upgrade under load: old and new workers side by side, then the old one gone."""

import time
from collections import Counter

from durabletask.azuremanaged.client import DurableTaskSchedulerClient
from durabletask.client import OrchestrationStatus

from integration.conftest import World
from monitor_core.contract import ORCHESTRATOR, VERSION, MonitorInput, instance_id, parse_request
from monitor_core.kinds import BUILT_IN
from monitor_core.settings import SchedulerSettings
from stack import stack

MONITORS = 25


def start(client: DurableTaskSchedulerClient, world: World, job_id: str) -> str:
    """Start a monitor of a job that takes 9 s, checked every half second, one check a turn."""
    url = world.job_url(duration_seconds=9).replace("{job_id}", job_id)
    asked = {
        "job_id": job_id,
        "check": {"kind": "http", "url": url},
        "polling": {"interval_seconds": 0.5, "turn_seconds": 0, "honor_retry_after": False},
        "timeout_seconds": 60,
    }
    given = MonitorInput(request=parse_request(asked, BUILT_IN), run="run-1")
    return client.schedule_new_orchestration(
        ORCHESTRATOR,
        input=given.model_dump(mode="json", exclude_defaults=True),
        instance_id=instance_id(job_id),
        version=VERSION,
    )


def test_a_rolling_upgrade_loses_and_duplicates_nothing() -> None:
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        world = World(parts)
        old = parts.start_worker(command=["-m", "support.versioned_worker", "old"])
        client = DurableTaskSchedulerClient(
            host_address=SchedulerSettings(endpoint=parts.scheduler_url).address,
            taskhub="default",
            token_credential=None,
            secure_channel=False,
        )
        jobs = {f"job-{n}": start(client, world, f"job-{n}") for n in range(MONITORS)}
        time.sleep(2)
        parts.start_worker(command=["-m", "support.versioned_worker", "new"])
        time.sleep(2)
        assert old.stop() == 0
        for job, instance in jobs.items():
            state = client.wait_for_orchestration_completion(instance, timeout=60)
            assert state is not None
            assert state.runtime_status == OrchestrationStatus.COMPLETED, state.failure_details
            result = state.get_output()
            assert (result["final_status"], result["labels"]) == ("Completed", {"loop": "1.1"})
            asked = Counter(entry["client_request_id"] for entry in world.ledger(job))
            numbers = sorted(int(str(request).rsplit(".", 1)[1]) for request in asked)
            assert max(asked.values()) == 1, "no check is made twice"
            assert numbers == list(range(1, result["checks_performed"] + 1)), "every check made is counted, once"
        client.close()
