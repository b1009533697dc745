"""Who is told by an option, and what shows of that afterwards, as users run it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from monitor_core.contract import instance_id
from support.command_line import Ran
from support.command_line import run as run_client
from support.hub import Hub, hub
from support.receiver import Receiver, code, receiving

PATIENCE = 30


@dataclass
class World:
    parts: Hub
    receiver: Receiver

    def run(self, *arguments: str) -> Ran:
        return run_client(*arguments, ENDPOINT=self.parts.settings.endpoint)

    def instances(self) -> list[str]:
        return sorted(state.name for state in self.parts.client.get_all_orchestration_states())


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with receiving() as receiver, hub() as parts:
        parts.worker(allowed=(receiver.url("").removeprefix("http://"),))
        yield World(parts, receiver)


def test_a_monitor_tells_shows_what_became_of_it_and_takes_along_what_is_over(world: World) -> None:
    world.receiver.plan("/gone", then=code(410))
    world.receiver.plan("/busy", then=code(503, retry_after=3600))
    hooks = [part for path in ("/taken", "/gone", "/busy") for part in ("--notify", world.receiver.url(path))]
    started = world.run("start", "job-1", "0.2", "--watch", "--simulate-checks", "1", *hooks)
    assert (started.code, "told" in started.out) == (0, False), started.err
    rows = told(world)
    assert rows[0] == "told          webhook (on_verdict.0) verdict: delivered after 1 attempt (HTTP 204)"
    assert "webhook (on_verdict.1) verdict: failed after 1 attempt: 410 Gone" in rows[1]
    assert "webhook (on_verdict.2) verdict: pending, next attempt " in rows[2]
    shown = world.run("show", "job-1", "-o", "json").json["deliveries"]
    assert [one["outcome"] for one in shown] == ["delivered", "failed", "pending"]
    assert {one["id"] for one in shown} == {world.receiver.at("/taken")[0].id}
    assert shown[0]["id"].startswith(f"{instance_id('job-1')}:")
    assert world.run("purge", "--yes", "job-1").code == 0
    assert world.instances() == ["notify-1.0"]
    assert [one.path for one in world.receiver.at("/busy")] == ["/busy"]


def told(world: World) -> list[str]:
    """The rows, once each delivery has been tried."""
    until = time.monotonic() + PATIENCE
    while True:
        lines = world.run("show", "job-1").out.splitlines()
        if "no attempt yet" not in " ".join(lines) and len(lines) > 8:
            return lines[-3:]
        assert time.monotonic() < until, lines
