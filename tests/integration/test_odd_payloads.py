"""What others send straight to the scheduler, with a real worker: a monitor goes on, a bad start says why."""

from collections.abc import Iterator
from typing import Any

import pytest
from durabletask.client import OrchestrationStatus
from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf.wrappers_pb2 import StringValue

from monitor_core.contract import CONTROL_EVENT, NOTIFY, TELL, VERSION
from support.hub import PATIENCE, Hub, hub
from support.notices import notice


@pytest.fixture(scope="module")
def engine() -> Iterator[Hub]:
    with hub() as running:
        running.worker()
        yield running


def test_an_event_as_a_dashboard_sends_it_ends_no_monitor(engine: Hub) -> None:
    given = {"request": {"job_id": "odd", "check": {"kind": "simulated"}, "timeout_seconds": 2}, "run": "r"}
    instance = engine.client.schedule_new_orchestration("monitor", input=given, version=VERSION)
    for payload in ("cancel", "{", "[" * 10_000, '{"id": "\\ud800", "name": "pause"}'):
        event = pb.RaiseEventRequest(instanceId=instance, name=CONTROL_EVENT, input=StringValue(value=payload))
        engine.client._stub.RaiseEvent(event)  # the SDK's own method makes JSON of it
    state = engine.client.wait_for_orchestration_completion(instance, timeout=PATIENCE)
    assert state is not None
    assert state.runtime_status == OrchestrationStatus.COMPLETED, state.failure_details
    assert state.serialized_output is not None
    assert '"decided_by": "deadline"' in state.serialized_output


@pytest.mark.parametrize(
    ("orchestrator", "given", "says"),
    [
        (NOTIFY, {"to": {"kind": "slack"}}, "notice: is required"),
        (NOTIFY, "nothing", "delivery: should be an object"),
        (NOTIFY, {"to": {}, "notice": notice().model_dump(mode="json")}, "to.kind: is required"),
        (TELL, ["nothing"], "deliveries: should be an object"),
        (
            "monitor",
            {"request": {"job_id": "x" * 129, "check": {"kind": "simulated"}}, "run": "r"},
            "request.job_id:",
        ),
        ("monitor", {"request": {"job_id": "x", "check": {}}, "run": "r"}, "request.check.kind: is required"),
        ("monitor", 7, "input: should be an object"),
    ],
)
def test_a_start_of_something_else_fails_in_words(engine: Hub, orchestrator: str, given: Any, says: str) -> None:
    version = VERSION if orchestrator == "monitor" else None
    instance = engine.client.schedule_new_orchestration(orchestrator, input=given, version=version)
    state = engine.client.wait_for_orchestration_completion(instance, timeout=PATIENCE)
    assert state is not None
    assert state.failure_details is not None
    assert says in state.failure_details.message
    assert "\n" not in state.failure_details.message
