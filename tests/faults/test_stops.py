"""Workers told to stop, and killed, again and again: nothing is lost, whoever is there goes on."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stack import Process, stack
from support.fleet import VERDICTS, Member, fleet

pytestmark = pytest.mark.long

MONITORS = 60
GRACE_SECONDS = 10
"""More than the longest check takes; far less than MONITOR_DRAIN_SECONDS."""


def members(seconds: float) -> Iterator[Member]:
    for number in range(MONITORS):
        yield Member(
            f"job-{number}",
            VERDICTS[number % 3],
            seconds=3 + number * seconds / MONITORS,
            interval_seconds=1.5,
            delay_seconds=0.5,
            turn_seconds=10 if number % 2 else 0,
        )


def test_rolling_restarts_under_load_repeat_no_check_and_lose_none() -> None:
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        worker = parts.start_worker()
        with fleet(parts) as monitors:
            monitors.start(*members(20))
            for _ in range(3):
                time.sleep(2)
                after = parts.start_worker()
                began = time.monotonic()
                # What was handed to the old one while it drained is made by the new one once it has stopped.
                with monitors.faults.window():
                    assert worker.stop() == 0
                assert time.monotonic() - began < GRACE_SECONDS
                worker = after
            monitors.require_all_well()


def test_a_worker_that_is_killed_every_five_seconds_for_a_minute_costs_no_verdict(tmp_path: Path) -> None:
    with stack() as parts, ExitStack() as window:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        with fleet(parts) as monitors:
            monitors.start(*members(70))
            until = time.monotonic() + 60
            while time.monotonic() < until:
                worker: Process = parts.start_worker({"MONITOR_JOURNAL": str(tmp_path)})
                window.close()
                time.sleep(5)
                worker.kill()
                monitors.faults.death()
                window.enter_context(monitors.faults.window())
            parts.start_worker({"MONITOR_JOURNAL": str(tmp_path)})
            window.close()
            monitors.require_all_well()
