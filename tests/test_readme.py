"""The README's commands, run; what it shows, compared with what is printed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from monitor_core.contract import EXIT_CODES
from stack import Stack, stack

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))


def shape(text: str) -> list[str]:
    """What of an output does not change from run to run: its words."""
    kept = [line for line in text.splitlines() if "Running, " not in line and "Pending" not in line]
    words = (re.sub(r"http://\S+", "URL", re.sub(r"[0-9a-f]{8}[0-9a-f-]{24,}", "ID", line)) for line in kept)
    return [re.sub(r"\d[\d.:]*", "N", line).replace("checks", "check") for line in words]


def test_the_demo_prints_what_the_readme_shows() -> None:
    assert re.search(r"^make demo ", SHELL, re.MULTILINE)
    ran = subprocess.run([sys.executable, "dev/demo.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    recorded = re.search(r"```text\n(.*?)```", README, re.DOTALL)
    assert recorded is not None
    assert shape(ran.stdout.replace(str(ROOT) + "/", "")) == shape(recorded.group(1))


def test_the_readme_names_the_targets_that_there_are() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", SHELL, re.MULTILINE):
        assert f"\n{target}:" in makefile


@pytest.fixture(scope="module")
def parts() -> "object":
    with stack() as running:
        running.start_scheduler()
        running.start_simulator("--auto-create")
        running.start_worker()
        yield running


@pytest.mark.parametrize(
    "line", [line for line in SHELL.splitlines() if line.startswith("python client.py") and "[job_id]" not in line]
)
def test_a_command_of_the_readme_works(line: str, parts: Stack) -> None:
    """Each as it stands, with the simulator in the place of the example's host."""
    words = shlex.split(line, comments=True)[2:]
    arguments = [
        re.sub(r"https://(api\.)?example\.com/(jobs/)?", f"{parts.simulator_url}/jobs/", w) for w in words
    ]
    if arguments[:1] in (["watch"], ["cancel"], ["extend"]):
        _nightly(parts, checks=2 if arguments[0] == "watch" else 99)
    client = parts.client(*arguments)
    out, err = client.communicate(timeout=60)
    assert client.returncode == 0, out + err


def _nightly(parts: Stack, checks: int) -> None:
    """Have the monitor that the lines before may have left end soon, or not yet."""
    parts.client("cancel", "nightly").communicate(timeout=60)
    again = parts.client("start", "nightly", "1", "60", "--restart", "--simulate-checks", str(checks))
    _, err = again.communicate(timeout=60)
    assert again.returncode == 0, err


def test_the_table_of_verdicts_is_the_contract_s() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (\d) \|$", README, re.MULTILINE))
    assert rows == {str(verdict): str(code) for verdict, code in EXIT_CODES.items()}


def test_a_fresh_environment_is_all_that_a_service_needs(tmp_path: Path) -> None:
    """The scripts run from their own folders, by what their own requirements hold, with no setting at all."""
    for folder, script in (("worker", "worker.py"), ("client-scheduler", "client.py")):
        assert f"cd services/{folder}" in SHELL
        assert f"python {script}" in SHELL
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    ran = subprocess.run(
        [sys.executable, "client.py", "--help"],
        cwd=ROOT / "services" / "client-scheduler",
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0
    assert "JOB_ID" in ran.stdout
