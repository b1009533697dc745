"""Recorded histories against today's orchestrator: what it schedules is what it scheduled then.

An orchestrator that schedules anything otherwise (another activity input, another fire time, one action more)
would break every instance that is under way when it is deployed. It fails here until it is a version of its own:
see monitor_worker.versions, and `make histories` for the histories of the new one.
"""

import json
from pathlib import Path

import pytest
from google.protobuf import json_format

from monitor_core.contract import VERSION
from monitor_worker.versions import LOOPS
from support.executor import execute
from support.record import HISTORIES, PATHS, Recorded, read

FILES = sorted(HISTORIES.glob("*/*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_recorded_history_replays_to_the_same_actions(file: Path) -> None:
    for recorded in read(file):
        for number, dispatch in enumerate(recorded.dispatches):
            actions = execute(recorded.instance, dispatch.past, dispatch.new)
            said = [json_format.MessageToDict(action) for action in actions]
            assert said == dispatch.actions, f"generation {recorded.generation}, dispatch {number}"


def test_every_version_that_runs_has_its_histories() -> None:
    assert {file.parent.name for file in FILES} == set(LOOPS)
    assert {file.stem for file in FILES if file.parent.name == VERSION} == set(PATHS)


def test_the_recorded_histories_take_every_path() -> None:
    ends: set[str] = set()
    for file in FILES:
        recorded: list[Recorded] = list(read(file))
        last = recorded[-1].dispatches[-1].actions[-1]["completeOrchestration"]
        result = json.loads(last["result"])
        ends.add(f"{result['final_status']} by {result['decided_by']}")
    assert ends >= {
        "Completed by poll",
        "Completed by push",
        "Failed by poll",
        "Failed by push",
        "Timeout by deadline",
        "Cancelled by operator",
        "Error by poll",
    }
