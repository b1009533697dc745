"""A monitor as part of a user's own workflow: the worked example of the documentation, run in both ways."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from durabletask.azuremanaged.worker import DurableTaskSchedulerWorker
from durabletask.client import OrchestrationState, OrchestrationStatus
from durabletask.task import OrchestrationContext
from durabletask.worker import TaskHubGrpcWorker

from job_simulator import JobSimulator
from monitor_core.scheduler import channel_options, sdk_logger
from monitor_core.settings import WorkerSettings
from monitor_worker.bootstrap import Worker
from support.hub import PATIENCE, Hub, hub

EXAMPLE = Path(__file__).parent.parent.parent / "docs" / "examples" / "start_and_wait.py"


@pytest.fixture
def engine() -> Iterator[Hub]:
    with hub() as running:
        yield running


@pytest.fixture
def simulator() -> Iterator[JobSimulator]:
    with JobSimulator() as running:
        yield running


@pytest.fixture
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("start_and_wait", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def badly_asking(ctx: OrchestrationContext, _: Any) -> Any:
    """A workflow whose request is wrong."""
    request = {"job_id": "j", "check": {"kind": "http", "url": "ftp://x"}, "timeout_seconds": -1}
    return (yield ctx.call_sub_orchestrator("monitor", input=request))


def register(worker: TaskHubGrpcWorker, example: ModuleType) -> None:
    worker.add_orchestrator(example.start_and_wait)
    worker.add_orchestrator(badly_asking)
    worker.add_activity(example.start_job)
    worker.add_activity(example.report)


def users_worker(engine: Hub) -> DurableTaskSchedulerWorker:
    """A worker as a user builds one, that takes only what is registered with it."""
    worker = DurableTaskSchedulerWorker(
        host_address=engine.settings.address,
        taskhub="default",
        token_credential=None,
        secure_channel=False,
        channel_options=channel_options(),
        logger=sdk_logger(),
    )
    worker.use_work_item_filters()
    return worker


def ended(engine: Hub, instance: str) -> OrchestrationState:
    state = engine.client.wait_for_orchestration_completion(instance, timeout=PATIENCE)
    assert state is not None
    return state


def test_the_example_as_it_stands_beside_a_worker_of_ours(
    engine: Hub, simulator: JobSimulator, example: ModuleType
) -> None:
    engine.worker(allowed=(simulator.url.removeprefix("http://"),))
    said = json.loads(example.main(f"{simulator.url}/jobs", engine.settings.address))
    assert said["status"] == "Completed"


def test_on_the_same_worker(engine: Hub, simulator: JobSimulator, example: ModuleType) -> None:
    settings = WorkerSettings(
        scheduler=engine.settings, health_port=0, allowed_targets=(simulator.url.removeprefix("http://"),)
    )
    worker = Worker(settings, register=lambda engine: register(engine, example))
    worker.start()
    try:
        instance = engine.client.schedule_new_orchestration("start_and_wait", input=f"{simulator.url}/jobs")
        assert ended(engine, instance).runtime_status == OrchestrationStatus.COMPLETED
    finally:
        worker.stop()


def test_a_wrong_request_fails_the_workflow_and_names_the_field(engine: Hub, example: ModuleType) -> None:
    worker = users_worker(engine)
    register(worker, example)
    worker.start()  # type: ignore[no-untyped-call]
    engine.worker()
    try:
        state = ended(engine, engine.client.schedule_new_orchestration("badly_asking"))
        assert state.runtime_status == OrchestrationStatus.FAILED
        assert state.failure_details is not None
        assert "check.url" in state.failure_details.message
        assert "timeout_seconds" in state.failure_details.message
    finally:
        worker.stop()  # type: ignore[no-untyped-call]
