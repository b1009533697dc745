"""A scheduler, a worker and a client in this process: for tests that need the real engine, and their own loops."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from durabletask.azuremanaged.client import DurableTaskSchedulerClient
from durabletask.client import OrchestrationStatus

from local_scheduler import LocalScheduler, Mends
from monitor_core.contract import CONTROL_EVENT, ORCHESTRATOR, VERSION, MonitorInput, instance_id, parse_request
from monitor_core.kinds import BUILT_IN, CheckSpec
from monitor_core.scheduler import channel_options, sdk_logger
from monitor_core.settings import SchedulerSettings, WorkerSettings
from monitor_worker.bootstrap import Worker
from monitor_worker.versions import LOOPS, Loop

PATIENCE = 60


class Hub:
    """What a test does with them."""

    def __init__(self, scheduler: LocalScheduler) -> None:
        self.scheduler = scheduler
        self.settings = SchedulerSettings(endpoint=f"http://{scheduler.start()}")
        self.client = DurableTaskSchedulerClient(
            host_address=self.settings.address,
            taskhub="default",
            token_credential=None,
            secure_channel=False,
            channel_options=channel_options(),
            logger=sdk_logger(),
        )
        self.workers: list[Worker] = []

    def worker(
        self,
        loops: Mapping[str, Loop] = LOOPS,
        *,
        allowed: tuple[str, ...] = (),
        kinds: Mapping[str, type[CheckSpec]] = BUILT_IN,
        **settings: Any,
    ) -> Worker:
        """A worker, started."""
        asked = WorkerSettings(scheduler=self.settings, health_port=0, allowed_targets=allowed, **settings)
        worker = Worker(asked.model_copy(update={"kinds": kinds}), loops=loops)
        worker.start()
        self.workers.append(worker)
        return worker

    def start(self, job_id: str, *, run: str = "run-1", **fields: Any) -> str:
        """Start a monitor (of the kind `simulated`, unless told otherwise); its instance id."""
        request = parse_request({"job_id": job_id, "check": {"kind": "simulated"}, **fields}, BUILT_IN)
        given = MonitorInput(request=request, run=run).model_dump(mode="json", exclude_defaults=True)
        return self.client.schedule_new_orchestration(
            ORCHESTRATOR, input=given, instance_id=instance_id(job_id), version=VERSION
        )

    def send(self, instance: str, command: Mapping[str, Any]) -> None:
        """Raise a control event."""
        self.client.raise_orchestration_event(instance, CONTROL_EVENT, data=dict(command))

    def status(self, instance: str) -> dict[str, Any]:
        """The custom status; empty where there is none."""
        state = self.client.get_orchestration_state(instance)
        assert state is not None
        return state.get_custom_status() or {}

    def result(self, instance: str) -> dict[str, Any]:
        """Wait for the end: the result."""
        state = self.client.wait_for_orchestration_completion(instance, timeout=PATIENCE)
        assert state is not None
        assert state.runtime_status == OrchestrationStatus.COMPLETED, state.failure_details
        result: dict[str, Any] = state.get_output()
        return result


@contextmanager
def hub(mends: Mends | None = None) -> Iterator[Hub]:
    """A hub with no worker yet; all is stopped at the end."""
    scheduler = LocalScheduler(mends=mends) if mends else LocalScheduler()
    running = Hub(scheduler)
    try:
        yield running
    finally:
        for worker in running.workers:
            worker.stop()
        running.client.close()
        scheduler.stop()
