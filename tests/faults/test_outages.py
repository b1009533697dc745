"""The way between workers and scheduler: gone for a while, reset, slow, half open; forty monitors go on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest

from stack import Stack, stack
from support.fleet import VERDICTS, Fleet, Member, fleet
from support.proxy import Proxy, proxied

pytestmark = pytest.mark.long

MONITORS = 40
RECOVERY_SECONDS = 8
"""A worker looks for its scheduler every 5 s at least; gRPC's own patience with a report is about as long."""

NOTICED_SECONDS = 130
"""The SDK's limit of 120 s, and some; gRPC's keepalive takes 90, as it pings seldom where nothing is sent."""


@contextmanager
def behind_a_proxy() -> Iterator[tuple[Stack, Fleet, Proxy]]:
    """A stack whose worker goes through a proxy."""
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        with proxied(parts.scheduler_url.removeprefix("http://")) as proxy, fleet(parts) as monitors:
            parts.start_worker({"ENDPOINT": f"http://{proxy.address}"})
            yield parts, monitors, proxy


def members(seconds: float) -> Iterator[Member]:
    """The jobs and deadlines end from the fault on, one after the other."""
    for number in range(MONITORS):
        verdict = VERDICTS[number % 3]
        turn: float | Literal["auto"] = "auto" if number % 4 == 0 else 0
        yield Member(
            f"job-{number}", verdict, 3 + number * seconds / MONITORS, interval_seconds=1, turn_seconds=turn
        )


def unreachable(monitors: Fleet, proxy: Proxy, seconds: float) -> None:
    with monitors.faults.window(RECOVERY_SECONDS, breaks=True):
        proxy.refuse()
        time.sleep(seconds)
        proxy.restore()


@pytest.mark.parametrize("seconds", [1, 20, 60])
def test_a_scheduler_that_cannot_be_reached_for_a_while_costs_no_verdict(seconds: float) -> None:
    with behind_a_proxy() as (_, monitors, proxy):
        monitors.start(*members(seconds + 15))
        time.sleep(4)
        unreachable(monitors, proxy, seconds)
        monitors.require_all_well()


def test_connections_that_are_reset_again_and_again_and_a_slow_one_cost_no_verdict() -> None:
    with behind_a_proxy() as (_, monitors, proxy):
        monitors.start(*members(25))
        time.sleep(3)
        for _ in range(3):
            with monitors.faults.window(RECOVERY_SECONDS, breaks=True):
                proxy.reset()
            time.sleep(RECOVERY_SECONDS - 3)
        with monitors.faults.window(RECOVERY_SECONDS):
            proxy.slow_seconds = 0.01
            time.sleep(6)
            proxy.slow_seconds = 0
        monitors.require_all_well()
        assert proxy.accepted >= 4


def test_a_worker_whose_connection_is_half_open_finds_out_and_another_goes_on_meanwhile() -> None:
    with behind_a_proxy() as (parts, monitors, proxy):
        parts.start_worker()
        monitors.start(*members(60))
        time.sleep(4)
        before, until = proxy.accepted, time.monotonic() + NOTICED_SECONDS
        with monitors.faults.window():
            proxy.half_open()
        # A turn that is out goes on unheard for its 15 s, while the other worker makes it again.
        monitors.faults.break_for(20)
        monitors.require_all_well()
        while proxy.accepted == before:
            assert time.monotonic() < until, "gRPC pings where nothing is said; the SDK gives up a silent stream"
            time.sleep(0.2)
