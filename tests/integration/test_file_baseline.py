"""What a monitor's first check saw outlives the worker that saw it."""

import time
from collections.abc import Callable
from pathlib import Path

from support.hub import PATIENCE, hub


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_change_since_the_first_check_is_seen_by_the_next_worker(tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    report.write_text("old")
    with hub() as engine:
        first = engine.worker(file_roots=(str(tmp_path),))
        instance = engine.start(
            "report",
            check={"kind": "file", "path": str(report), "changed": True, "stable_checks": 1},
            polling={"interval_seconds": 0.2, "turn_seconds": 0},
            timeout_seconds=PATIENCE,
        )
        until(lambda: engine.status(instance).get("check_count", 0) >= 2)
        first.stop()
        engine.workers.remove(first)
        report.write_text("new and longer")
        engine.worker(file_roots=(str(tmp_path),))
        result = engine.result(instance)

    assert result["final_status"] == "Completed"
    assert "1 file, 14 bytes" in result["last_observation"]["summary"]
    assert "changed since the first check" in result["last_observation"]["summary"]
