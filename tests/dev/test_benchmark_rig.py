"""The rig counts what real processes do, with few monitors: benchmarks cannot rot. No time is asserted."""

import asyncio

import pytest
from benchmarks import ceiling, http, listing, one_monitor, slots, starting, turn30
from benchmarks.loads import OURS, PLAIN, Load, Way
from benchmarks.rig import Cost, client_of, cost, rig

LOAD = Load(monitors=3, checks=4, interval_seconds=0.2)


@pytest.mark.parametrize("way", [OURS, PLAIN], ids=lambda way: way.name)
def test_both_ways_make_the_checks_that_are_asked_for(way: Way) -> None:
    ran = cost(way, LOAD)
    assert ran.checks == 12
    assert len(ran.lateness) == 12
    assert len(ran.waits) == 3
    assert ran.actions["orchestration_start"] == 3
    assert ran.worker.cpu_seconds > 0
    assert ran.scheduler_cpu_seconds > 0


def test_the_plain_loop_takes_three_actions_a_check() -> None:
    # A start for each, and no timer after the last check.
    assert cost(PLAIN, LOAD).actions_per_check == 3


def test_what_is_watched_is_counted_apart_from_what_came_before() -> None:
    load = Load(monitors=2, checks=1000, interval_seconds=0.2)

    async def watched() -> list[Cost]:
        with rig(OURS) as running:
            async with client_of(running.parts.scheduler_url) as client:
                await running.begin(client, load)
            await running.watch(1)
            await running.watch(1)
            return running.costs()

    first, second = asyncio.run(watched())
    assert first.checks > 2
    assert second.checks > 2
    assert second.actions["orchestration_start"] == 0, "they were started before"


def test_a_change_is_found_in_the_status_that_the_scheduler_shows() -> None:
    shown: turn30.Shown = {}

    async def watched() -> None:
        with rig(OURS) as running:
            async with client_of(running.parts.scheduler_url) as client:
                await running.begin(client, Load(monitors=2, checks=1000, interval_seconds=0.2, changes_every=3))
                looking = asyncio.create_task(turn30.look(client, shown))
                await asyncio.sleep(3)
                looking.cancel()

    asyncio.run(watched())
    assert {"Phase 0", "Phase 1"} <= shown["m-0-1"].keys()


def test_one_monitors_hundreds_are_looked_at_from_outside() -> None:
    looks = one_monitor.cpu_between_looks("ours", 500)
    assert len(looks) == 10, "five of the old one's, five of a fresh one's"
    assert all(each > 0 for each in looks)
    assert len(one_monitor.cpu_between_looks("plain", 200)) == 2


def test_scenarios_say_what_they_measured() -> None:
    assert "connections in all" in http.measure(windows=1, seconds=1.0, pages=3, spread_seconds=1)
    assert "checks per turn" in slots.measure(windows=1, seconds=1.0)
    assert "monitors a second" in starting.measure(rounds=1, monitors=5)
    assert "first page of 20" in listing.measure(few=10, many=20, looks=1)
    assert "actions a second" in ceiling.measure(windows=1, seconds=1.0)
