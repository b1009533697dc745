"""Runs the worker until it is told to stop: `python worker.py`. Settings come from the environment."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "shared")]

from monitor_worker.main import main  # noqa: E402 # the line above makes it importable

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
