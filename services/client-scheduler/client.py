"""Starts a monitor and shows its progress: `python client.py [JOB_ID] [POLLING_INTERVAL] [TIMEOUT]`."""

import signal
import sys
from pathlib import Path

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the command line is there to say something, an interrupt ends the process and nothing else.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "shared")]

from monitor_client.cli import main  # noqa: E402 # the line above makes it importable

if __name__ == "__main__":
    sys.exit(main())
