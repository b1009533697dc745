"""Runs the client-scheduler's service until it is told to stop: `python serve.py`."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "shared")]

from monitor_client.server import main  # noqa: E402 # the line above makes it importable

if __name__ == "__main__":
    sys.exit(main(arguments=sys.argv[1:]))
