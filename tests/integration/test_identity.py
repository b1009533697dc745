"""Late results of earlier runs and revisions, on an engine that keeps runs apart and on one that does not."""

import json
import time
import urllib.request
from collections.abc import Iterator

import pytest
from durabletask.client import OrchestrationStatus
from durabletask.internal import orchestrator_service_pb2 as pb

from job_simulator import JobSimulator
from local_scheduler import Mends
from monitor_core.contract import ORCHESTRATOR, VERSION, MonitorInput, instance_id, parse_request
from monitor_core.kinds import BUILT_IN
from support.hub import Hub, hub

ENDED = pb.OrchestrationIdReusePolicy(
    replaceableStatus=[pb.ORCHESTRATION_STATUS_COMPLETED, pb.ORCHESTRATION_STATUS_TERMINATED]
)


@pytest.fixture(params=[Mends(), Mends(generations=False)], ids=["kept apart", "not kept apart"])
def engine(request: pytest.FixtureRequest) -> Iterator[Hub]:
    with hub(request.param) as running:
        yield running


@pytest.fixture
def simulator() -> Iterator[JobSimulator]:
    with JobSimulator(auto_create=True) as running:
        yield running


def request_of(simulator: JobSimulator, job: str, query: str, **fields: object) -> dict[str, object]:
    check = {"kind": "http", "url": f"{simulator.url}/jobs/{job}?{query}"}
    return {"job_id": "the-job", "check": check, "polling": {"interval_seconds": 20}, **fields}


def start(engine: Hub, asked: dict[str, object], run: str) -> str:
    given = MonitorInput(request=parse_request(asked, BUILT_IN), run=run)
    return engine.client.schedule_new_orchestration(
        ORCHESTRATOR,
        input=given.model_dump(mode="json", exclude_defaults=True),
        instance_id=instance_id("the-job"),
        version=VERSION,
        reuse_id_policy=ENDED,
    )


def ledger(simulator: JobSimulator, job: str) -> list[object]:
    with urllib.request.urlopen(f"{simulator.url}/ledger?job_id={job}", timeout=10) as answer:
        seen: list[object] = json.load(answer)
        return seen


def wait_for_a_check(simulator: JobSimulator, job: str) -> None:
    deadline = time.monotonic() + 30
    while not ledger(simulator, job):
        assert time.monotonic() < deadline, "no check was made"
        time.sleep(0.02)


def test_a_result_that_an_earlier_run_left_behind_is_discarded(engine: Hub, simulator: JobSimulator) -> None:
    engine.worker(allowed=(simulator.url.removeprefix("http://"),))
    slow_failure = request_of(simulator, "old", "duration_seconds=0&outcome=Failed&delay_seconds=2")
    instance = start(engine, slow_failure, "run-1")
    wait_for_a_check(simulator, "old")
    engine.send(instance, {"name": "cancel", "id": "c1"})
    assert engine.result(instance)["final_status"] == "Cancelled"
    slow_success = request_of(simulator, "new", "duration_seconds=0&delay_seconds=4")
    start(engine, slow_success, "run-2")
    result = engine.result(instance)
    assert (result["run"], result["final_status"]) == ("run-2", "Completed")
    assert result["checks_performed"] == 1
    kept_apart = engine.scheduler.mends.generations
    made = len(ledger(simulator, "new"))
    assert made == (1 if kept_apart else 2), "where the late result took the turn's place, the turn was made again"
    assert [t["status"] for t in result["transitions"]] == ["Succeeded"], "what the earlier run saw is not there"


def test_a_result_of_an_earlier_revision_counts_and_does_not_decide(engine: Hub, simulator: JobSimulator) -> None:
    engine.worker(allowed=(simulator.url.removeprefix("http://"),))
    asked = request_of(
        simulator, "revised", "duration_seconds=0&delay_seconds=1.5", success_when="status == 'Succeeded'"
    )
    instance = start(engine, asked, "run-1")
    wait_for_a_check(simulator, "revised")
    engine.send(
        instance, {"name": "edit", "id": "c1", "success_when": "status == 'Archived'", "timeout_seconds": 5}
    )
    state = engine.client.get_orchestration_state(instance)
    assert state is not None
    assert state.runtime_status == OrchestrationStatus.RUNNING
    result = engine.result(instance)
    assert result["final_status"] == "Timeout", "the condition that was replaced has not decided"
    assert result["checks_performed"] == 3, "the overtaken check, the one of the edit, the last one"
    assert result["revisions"][0]["changes"]["success_when"] == "status == 'Succeeded' -> status == 'Archived'"
