"""What `make security` runs is no decoration: each tool finds what is planted, by the Makefile's own command."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SHELL = "import subprocess\n\n\ndef run(text: str) -> None:\n    subprocess.run(text, shell=True)\n"
# In pieces: this file is not to be found.
KEY = "token = '" + "AKIA" + "IOSFODNN7EXAMPLQ'\n"


def command(tool: str) -> str:
    """The line of the Makefile that runs a tool, as make would."""
    made = subprocess.run(
        [
            "make",
            "--dry-run",
            "--silent",
            "--old-file=.venv/.ready",
            f"BIN={BIN}",
            "SCANNED=planted.py",
            "security",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = [line for line in made.stdout.splitlines() if line.startswith(f"{BIN}/{tool}")]
    return line


@pytest.mark.parametrize(
    ("tool", "planted", "says"),
    [
        ("bandit", SHELL, "B602"),
        ("bandit", "", None),
        ("detect-secrets-hook", KEY, "AWS Access Key"),
        ("detect-secrets-hook", "token = 'env:MONITOR_SECRET_API'\n", None),
    ],
)
def test_a_tool_finds_what_is_planted(tmp_path: Path, tool: str, planted: str, says: str | None) -> None:
    (tmp_path / "services").mkdir()
    for place in ("planted.py", "services/planted.py"):
        (tmp_path / place).write_text(planted)
    ran = subprocess.run(command(tool), shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode != 0) == (says is not None), ran.stdout + ran.stderr
    assert (says or "") in ran.stdout
