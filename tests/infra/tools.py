"""The command-line tools of the virtual environment, run on copies of the project's files."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.sources import ROOT

_BIN = Path(sys.executable).parent
SCHEMA = Path(os.environ.get("AZURE_YAML_SCHEMA") or ROOT.parent / "shared" / "schemas" / "azure.yaml.schema.json")
"""azd's schema of azure.yaml, which is not ours to keep a copy of."""


def complaints(tool: str, *arguments: str | Path, cwd: Path = ROOT) -> str:
    """What a tool of the virtual environment says of a file; empty where it is content."""
    ran = subprocess.run(
        [_BIN / tool, *arguments],
        cwd=cwd,
        env={**os.environ, "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    return f"{ran.stdout}{ran.stderr}" or f"{tool} ended {ran.returncode}" if ran.returncode else ""


def copy(files: Mapping[str, str], into: Path) -> list[Path]:
    """Write the files below a folder, with the paths they have in the repository."""
    paths = [into / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return paths
