"""A monitor whose check ends the process takes no other one down with it; two workers, started again and again."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

from stack import Process, Stack, stack
from support.fleet import VERDICTS, Fleet, Member, fleet

MONITORS = 30
PATIENCE = 60
MOST_DEATHS = 10
"""Four of each worker at most, until both know; and some in which a worker died of what it had not seen before."""


def members() -> Iterator[Member]:
    """Slow answers: whenever the process ends, innocent checks are under way."""
    for number in range(MONITORS):
        verdict = VERDICTS[number % 3]
        yield Member(f"job-{number}", verdict, 20 + number / 10, interval_seconds=1, delay_seconds=0.3)


def begun(parts: Stack, journal: Path) -> Process:
    settings = {
        "MONITOR_HEALTH_PORT": "0",
        "MONITOR_ALLOWED_TARGETS": "127.0.0.1:*",
        "MONITOR_JOURNAL": str(journal),
    }
    return parts.start("poisoned", ["-m", "support.poisoned"], settings)


def deaths_until(parts: Stack, monitors: Fleet, journal: Path, job_id: str) -> int:
    """Start dead workers again, as a platform does, until the monitor has its verdict; how many died."""
    workers, deaths, until = [begun(parts, journal) for _ in range(2)], 0, time.monotonic() + PATIENCE
    with monitors.faults.window(recovery_seconds=5):
        while not monitors.has_ended(job_id):
            assert time.monotonic() < until, f"{deaths} deaths, and no end"
            for number, worker in enumerate(workers):
                if worker.popen.poll() is not None:
                    assert worker.popen.returncode == -signal.SIGABRT, worker.output()[-2000:]
                    monitors.faults.death()
                    deaths += 1
                    workers[number] = begun(parts, journal)
            time.sleep(0.02)
    return deaths


def test_a_monitor_that_ends_the_process_ends_as_an_error_and_all_others_go_on(tmp_path: Path) -> None:
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        with fleet(parts) as monitors:
            monitors.start(*members())
            monitors.start_other(Member("poison", "Completed", seconds=10))
            deaths = deaths_until(parts, monitors, tmp_path, "poison")
            assert 4 <= deaths <= MOST_DEATHS
            result = monitors.result("poison")
            assert result["final_status"] == "Error"
            assert "each of the last 4 times that the worker died" in result["reason"]
            monitors.faults.unheard = deaths
            monitors.require_all_well()
