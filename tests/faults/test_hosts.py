"""A worker's host with a fault: its disk full, no descriptors left, its clock set to and fro."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stack import Process, Stack, stack
from support.fleet import VERDICTS, Fleet, Member, fleet

pytestmark = pytest.mark.long

MONITORS = 40


def members(*, tolerated: int = 3, delay_seconds: float = 0.1) -> Iterator[Member]:
    for number in range(MONITORS):
        yield Member(
            f"job-{number}",
            VERDICTS[number % 3],
            seconds=5 + number / 4,
            interval_seconds=1,
            delay_seconds=delay_seconds,
            turn_seconds=4 if number % 4 == 0 else 0,
            tolerated=tolerated,
        )


def limited(parts: Stack, fault: str, journal: Path) -> Process:
    return parts.start_worker({"MONITOR_JOURNAL": str(journal)}, ["-m", "support.limited", fault])


def require_in_time(monitors: Fleet) -> None:
    for number in range(MONITORS):
        result = monitors.result(f"job-{number}")
        assert result["final_status"] == VERDICTS[number % 3], result["reason"]
        if result["final_status"] == "Timeout":
            early = datetime.fromisoformat(result["deadline"]) - datetime.fromisoformat(result["ended_at"])
            assert early < timedelta(), f"no time-out before its time: {early}"


def test_a_full_disk_costs_log_lines_and_nothing_else(tmp_path: Path) -> None:
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        worker = limited(parts, "full", tmp_path)
        with fleet(parts) as monitors:
            monitors.start(*members())
            monitors.require_all_well()
        assert "Completed after" not in worker.output(), "nothing could be written any more"
        assert worker.stop() == 0


def test_without_descriptors_checks_fail_for_a_while_and_their_monitors_go_on(tmp_path: Path) -> None:
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        worker = limited(parts, "descriptors", tmp_path)
        with fleet(parts) as monitors:
            monitors.start(*members(tolerated=1000, delay_seconds=0.5))
            require_in_time(monitors)
        assert worker.stop() == 0


def test_a_clock_that_is_set_to_and_fro_ends_no_monitor_early_and_none_wrongly(tmp_path: Path) -> None:
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        limited(parts, "clock", tmp_path)
        with fleet(parts) as monitors:
            monitors.start(*members())
            require_in_time(monitors)
