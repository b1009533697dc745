"""Starts a monitor and shows its progress: `python client.py [JOB_ID] [POLLING_INTERVAL] [TIMEOUT]`."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "shared")]

from monitor_client.cli import main  # noqa: E402 # the line above makes it importable

if __name__ == "__main__":
    sys.exit(main())
