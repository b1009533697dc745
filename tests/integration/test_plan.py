"""What a plan counts, against the actions that a scheduler counts of real workers, in real time."""

import math
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from job_simulator import JobSimulator
from monitor_client.plan.life import NOTICE_ACTIONS, life
from monitor_core.contract import Polling
from support.hub import Hub, hub
from support.receiver import receiving

CLOSE = 0.1


@dataclass(frozen=True)
class Load:
    """Monitors of one hub, alike. With `steps` each waits for a job of so many that last equally long."""

    interval: float
    seconds: float
    polling: Mapping[str, Any] = field(default_factory=dict)
    monitors: int = 4
    steps: int = 0

    @property
    def fields(self) -> dict[str, Any]:
        # The job's own Retry-After would be a second.
        return {"interval_seconds": self.interval, "honor_retry_after": False, **self.polling}

    @property
    def change_every(self) -> float:
        return self.seconds / self.steps if self.steps else math.inf

    @property
    def reckoned(self) -> float:
        return self.monitors * life(Polling(**self.fields), self.seconds, self.change_every).actions

    def check(self, simulator: str, number: int) -> dict[str, Any]:
        if not self.steps:
            return {"kind": "simulated", "checks": round(self.seconds / self.interval) + 1}
        steps = ",".join(f"step{step}" for step in range(self.steps))
        query = f"duration_seconds={self.seconds}&steps={steps}"
        return {"kind": "http", "url": f"{simulator}/jobs/{number}?{query}"}

    def run(self, engine: Hub, simulator: str, **more: Any) -> int:
        """Start the monitors, and wait for their end: the actions that the scheduler has counted."""
        asked: dict[str, Any] = {"polling": self.fields, "timeout_seconds": 60.0, **more}
        numbers = range(self.monitors)
        started = [engine.start(f"job-{n}", check=self.check(simulator, n), **asked) for n in numbers]
        assert {engine.result(instance)["final_status"] for instance in started} == {"Completed"}
        return sum(engine.scheduler.actions.values())


LOADS = {
    "every second": Load(1, 12),
    "every second, in turns of 3 s": Load(1, 12, {"turn_seconds": 3}),
    "five times a second": Load(0.2, 10),
    "a turn for each check, waited for": Load(0.3, 12, {"turn_seconds": 0}),
    "a turn for each check, slept for": Load(5, 15),
    "long turns": Load(5, 15, {"turn_seconds": 30}),
    "changes": Load(0.5, 15, steps=5),
    "short lives": Load(1, 1, monitors=12),
}


def settled(engine: Hub) -> int:
    """The actions that the scheduler has counted once two seconds bring no more."""
    counts = [-1, 0]
    while counts[-1] != counts[-2]:
        time.sleep(2)
        counts.append(sum(engine.scheduler.actions.values()))
    return counts[-1]


def test_a_notice_takes_as_many_actions_as_a_plan_says() -> None:
    load = LOADS["short lives"]
    with receiving() as receiver, hub() as engine:
        engine.worker(allowed=(receiver.url("").removeprefix("http://"),))
        load.run(engine, "", on_verdict=[{"to": {"kind": "webhook", "url": receiver.url("/told")}}])
        receiver.wait("/told", load.monitors)
        counted = settled(engine)
    assert load.monitors * NOTICE_ACTIONS == pytest.approx(counted - load.reckoned, rel=CLOSE)


@pytest.fixture(scope="module")
def counted() -> Iterator[dict[str, int]]:
    """The actions of each load. All run at the same time, each on a hub of its own."""
    with ExitStack() as stack, JobSimulator(auto_create=True) as simulator, ThreadPoolExecutor() as threads:
        running = {}
        for name, load in LOADS.items():
            engine = stack.enter_context(hub())
            engine.worker(allowed=(simulator.url.removeprefix("http://"),), max_activities=32)
            running[name] = threads.submit(load.run, engine, simulator.url)
        yield {name: future.result() for name, future in running.items()}


@pytest.mark.parametrize("name", LOADS)
def test_a_plan_counts_what_the_scheduler_counts(name: str, counted: dict[str, int]) -> None:
    assert LOADS[name].reckoned == pytest.approx(counted[name], rel=CLOSE)
