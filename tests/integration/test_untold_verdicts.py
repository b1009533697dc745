"""Monitors that are ended from outside, by the scheduler's own client: who was to be told is told all the same.

A scheduler and a worker in this process; the client-scheduler's service, twice, and the command line as real ones.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from durabletask.client import OrchestrationStatus as Runtime

from monitor_client.connect import open_service
from monitor_core.contract import ORCHESTRATOR, VERSION, Verdict, instance_id
from monitor_core.settings import ClientSettings
from stack import Stack, stack
from support.command_line import run
from support.hub import Hub, hub
from support.receiver import Receiver, receiving

PATIENCE = 60
UNTAKEN, SUSPENDED, PAUSED, RUNNING = ("untaken", 3), ("suspended", 2), ("paused", 2), ("running", 3)
OUTSIDE = [f"{how}-{number}" for how, count in (UNTAKEN, SUSPENDED, PAUSED, RUNNING) for number in range(count)]
ALONE = [f"alone-{number}" for number in range(10)]


class World:
    """What the tests do."""

    def __init__(self, engine: Hub, receiver: Receiver, parts: Stack) -> None:
        self.engine, self.receiver, self.parts = engine, receiver, parts

    def start(self, job_id: str, *, checks: int = 100_000) -> str:
        """A monitor whose verdict is delivered to a path of its own."""
        return self.engine.start(job_id, **self.request(job_id, checks=checks))

    def request(self, job_id: str, *, checks: int = 100_000) -> dict[str, Any]:
        return {
            "check": {"kind": "simulated", "checks": checks},
            "polling": {"interval_seconds": 1},
            "timeout_seconds": 600,
            "on_verdict": [{"to": {"kind": "webhook", "url": self.receiver.url(f"/{job_id}")}}],
        }

    def take(self) -> None:
        """Have a worker at last."""
        self.engine.worker(allowed=(self.receiver.url("").removeprefix("http://"),))

    def serve(self) -> None:
        """Two replicas of the service that look often."""
        for _ in range(2):
            self.parts.start_service(ENDPOINT=self.engine.settings.endpoint, MONITOR_RECONCILE_SECONDS="0.3")

    def wait(self, job_id: str, runtime: Runtime) -> None:
        def reached() -> bool:
            state = self.engine.client.get_orchestration_state(instance_id(job_id))
            return state is not None and state.runtime_status is runtime

        eventually(reached)

    def terminate(self, job_id: str) -> None:
        self.engine.client.terminate_orchestration(instance_id(job_id))

    def cli(self, *arguments: str) -> None:
        done = run(*arguments, ENDPOINT=self.engine.settings.endpoint)
        assert done.code == 0, done.err

    def ids(self, job_id: str) -> set[str]:
        """Of all that came for a job, once anything has."""
        return {str(one.event.get_id()) for one in self.receiver.wait(f"/{job_id}", seconds=PATIENCE)}


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.05)


@pytest.fixture
def world() -> Iterator[World]:
    with receiving() as receiver, hub() as engine, stack() as parts:
        yield World(engine, receiver, parts)


def end_from_outside(world: World) -> None:
    """Of twenty monitors half: before a worker took them, suspended, paused, or in the midst of it."""
    for job_id in [*OUTSIDE, *ALONE]:
        world.start(job_id, checks=2 if job_id in ALONE else 100_000)
    for job_id in OUTSIDE[: UNTAKEN[1]]:
        world.wait(job_id, Runtime.PENDING)
        world.terminate(job_id)
    world.take()
    for job_id in OUTSIDE[UNTAKEN[1] :]:
        eventually(lambda job_id=job_id: bool(world.engine.status(instance_id(job_id)).get("check_count")))  # type: ignore[misc]
        if job_id.startswith("suspended"):
            world.engine.client.suspend_orchestration(instance_id(job_id))
            world.wait(job_id, Runtime.SUSPENDED)
        if job_id.startswith("paused"):
            world.engine.send(instance_id(job_id), {"name": "pause", "id": "p"})
            eventually(lambda job_id=job_id: world.engine.status(instance_id(job_id))["paused"])  # type: ignore[misc]
        world.terminate(job_id)


def test_no_verdict_goes_untold_and_none_is_told_by_two_ids(world: World) -> None:
    raw = world.engine.client.schedule_new_orchestration
    raw(ORCHESTRATOR, input={"request": "none"}, instance_id=instance_id("broken"), version=VERSION)
    odd = {"request": {**world.request("odd"), "job_id": "odd", "check": {"kind": "x" * 65}}, "run": "run-1"}
    raw(ORCHESTRATOR, input=odd, instance_id=instance_id("odd"), version=VERSION)
    world.serve()
    end_from_outside(world)
    for job_id in OUTSIDE:
        assert world.ids(job_id) == {f"{instance_id(job_id)}:run-1:{Verdict.CANCELLED}:0"}
        world.wait(job_id, Runtime.TERMINATED)
    for job_id in ALONE:
        assert world.ids(job_id) == {f"{instance_id(job_id)}:run-1:{Verdict.COMPLETED}:0"}
        world.wait(job_id, Runtime.COMPLETED)
    assert world.ids("odd") == {f"{instance_id('odd')}:run-1:{Verdict.ERROR}:0"}
    time.sleep(1)  # three more looks of each replica
    for job_id in [*OUTSIDE, *ALONE, "odd"]:
        assert len(world.ids(job_id)) == 1
        assert len(world.receiver.at(f"/{job_id}")) == 1, "the receiver takes everything: none came twice"
    world.wait("broken", Runtime.FAILED)


def test_a_restart_and_a_purge_tell_first_without_any_service(world: World, tmp_path: Path) -> None:
    world.take()
    for job_id in ("restarted", "purged"):
        world.start(job_id)
        eventually(lambda job_id=job_id: bool(world.engine.status(instance_id(job_id)).get("check_count")))  # type: ignore[misc]
        world.terminate(job_id)
        world.wait(job_id, Runtime.TERMINATED)
    file = tmp_path / "again.json"
    file.write_text(json.dumps({"job_id": "restarted", **world.request("restarted", checks=1)}))
    world.cli("start", "--restart", "-f", str(file))
    world.cli("purge", "purged", "--yes")
    assert world.ids("purged") == {f"{instance_id('purged')}:run-1:Cancelled:0"}
    assert world.engine.client.get_orchestration_state(instance_id("purged")) is None
    came = world.receiver.wait("/restarted", 2, seconds=PATIENCE)
    assert {one.notice["status"] for one in came} == {"Cancelled", "Completed"}
    assert len({one.notice["run"] for one in came}) == 2


async def test_one_that_is_terminated_while_it_tells_is_told_of_once_and_shows_what_was_told(world: World) -> None:
    """Each in another moment between its first check and its end; in-process, so that many meet the moment."""
    world.take()
    jobs = [f"race-{number}" for number in range(40)]
    async with open_service(ClientSettings(scheduler=world.engine.settings)) as service:
        for number, job_id in enumerate(jobs):
            await asyncio.to_thread(world.start, job_id, checks=1)
            await asyncio.sleep(number / 400)
            await asyncio.to_thread(world.terminate, job_id)
        reconciler = service.reconciler()
        for _ in range(PATIENCE * 10):
            await reconciler.look()
            if all(world.receiver.at(f"/{job_id}") for job_id in jobs):
                break
            await asyncio.sleep(0.1)
        await reconciler.look()
        for job_id in jobs:
            seen = await service.get(job_id)
            assert seen.verdict is not None
            assert world.ids(job_id) == {f"{instance_id(job_id)}:run-1:{seen.verdict}:0"}
