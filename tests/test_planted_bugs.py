"""The checks that guard the semantics, each against bugs planted into a copy of the services.

A row is a bug, as one edit of one file, and the test that has to find it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODEL, HISTORIES = "tests/worker/test_model.py", "tests/worker/test_histories.py"
REPLAY = "tests/worker/test_replay.py"
START, WATCHING = "tests/client/test_client_start.py", "tests/client/test_client_watch.py"
COMMANDS, LOOP, POLICY, REPORTS = (
    f"worker/monitor_worker/{name}.py" for name in ("commands", "orchestrator", "policy", "reports")
)
PACE = "shared/monitor_core/pace.py"
IDENTITY, SERVICE, WATCH = (
    f"client-scheduler/monitor_client/{name}.py" for name in ("identity", "service", "watch")
)

BUGS = {
    "a command sent twice is applied twice": (
        MODEL,
        COMMANDS,
        "or _is_known(monitor, command.id)",
        "",
    ),
    "a result of an earlier run is taken": (MODEL, REPORTS, "if report.run != monitor.run:", "if False:"),
    "a turn that was overtaken decides": (
        MODEL,
        REPORTS,
        "if report.turn != progress.turn:",
        "if report.turn > progress.turn:",
    ),
    "the inbox is not drained": (MODEL, LOOP, "while self.listener.is_complete:", "if self.listener.is_complete:"),
    "it continues as new with a turn out": (
        MODEL,
        POLICY,
        "    if not out:\n        return Renew()",
        "    if True:\n        return Renew()",
    ),
    "it sleeps past its deadline": (
        MODEL,
        POLICY,
        "return min(due(monitor.request.polling, monitor.key, progress.schedule), progress.deadline)",
        "return due(monitor.request.polling, monitor.key, progress.schedule)",
    ),
    "an extension counts from now": (
        MODEL,
        COMMANDS,
        "deadline = monitor.progress.deadline + timedelta(seconds=command.seconds)",
        "deadline = now + timedelta(seconds=command.seconds)",
    ),
    "a pause forgets how long it stopped the deadline": (
        MODEL,
        COMMANDS,
        "deadline = progress.deadline + timedelta(seconds=stopped)",
        "deadline = progress.deadline",
    ),
    "checks of a turn that was overtaken are not counted": (
        MODEL,
        REPORTS,
        "return replace(monitor, progress=counted)",
        "return monitor",
    ),
    "history is never renewed": (
        REPLAY,
        POLICY,
        "return self.turns >= self.most_turns or self.wakes >= self.most_wakes",
        "return False",
    ),
    "a timer fires a millisecond later": (
        HISTORIES,
        LOOP,
        "self._ctx.create_timer(at)",
        "self._ctx.create_timer(at.replace(microsecond=(at.microsecond + 1000) % 1_000_000))",
    ),
    "turns last a second longer": (
        HISTORIES,
        PACE,
        "AUTO_TURN_SECONDS: Final = 15.0",
        "AUTO_TURN_SECONDS: Final = 16.0",
    ),
    "a generation holds one turn more": (
        HISTORIES,
        PACE,
        "TURNS_PER_GENERATION: Final = 20\nWAKES_PER_GENERATION: Final = 25",
        "TURNS_PER_GENERATION: Final = 21\nWAKES_PER_GENERATION: Final = 27",
    ),
    "an activity is scheduled twice": (
        HISTORIES,
        LOOP,
        "        self._flights.append((task, turn))",
        "        self._flights.append((task, turn))\n        self._ctx.call_activity(ACTIVITY, input=1)",
    ),
    "it returns early": (
        HISTORIES,
        REPORTS,
        "return Decision(verdict=Verdict.TIMEOUT",
        "return None and Decision(verdict=Verdict.TIMEOUT",
    ),
    "a retried start does not find itself": (START, IDENTITY, "if existing.run == run:", "if False:"),
    "the same request is a conflict": (
        START,
        IDENTITY,
        "fingerprint(existing.request) != fingerprint(request)",
        "fingerprint(existing.request) == fingerprint(request)",
    ),
    "a conflict names no field": (
        START,
        IDENTITY,
        "raise Conflict(request.job_id, fields)",
        "raise Conflict(request.job_id, {})",
    ),
    "an ended monitor counts as running": (START, IDENTITY, "if existing.verdict is not None:", "if False:"),
    "a first attempt takes an ended one's place": (
        START,
        SERVICE,
        "replacing: OrchestrationStatus | None = None",
        "replacing: OrchestrationStatus | None = OrchestrationStatus.COMPLETED",
    ),
    "an ended one is started anew unasked": (
        START,
        SERVICE,
        "if not restart:",
        "if False:",
    ),
    "a watcher goes over to another run": (WATCHING, WATCH, "view.run != self._run:", "False:"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, tmp_path: Path) -> None:
    test, file, right, wrong = BUGS[bug]
    _copy(tmp_path)
    planted = tmp_path / "services" / file
    source = planted.read_text()
    assert source.count(right) == 1, "the bug has nowhere to go: bring this table up to date"
    planted.write_text(source.replace(right, wrong))
    ran = _pytest(tmp_path, test)
    assert ran.returncode == 1, ran.stdout[-2000:]
    assert "failed" in ran.stdout


@pytest.mark.parametrize("test", [MODEL, HISTORIES])
def test_without_a_bug_nothing_is_found(test: str, tmp_path: Path) -> None:
    _copy(tmp_path)
    ran = _pytest(tmp_path, test)
    assert ran.returncode == 0, ran.stdout[-2000:]


def _copy(to: Path) -> None:
    for folder in ("services", "tests/support", "tests/worker", "tests/client"):
        shutil.copytree(ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / file, to / file)


def _pytest(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    # Only the plug-ins that these tests need: to import all that are installed takes longer than most tests.
    plugins = ["-p", "asyncio", "-p", "hypothesispytest", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", *plugins, "--hypothesis-profile=planted", test],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
