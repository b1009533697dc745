"""A worker on a host with a fault: `-m support.limited FAULT`, the real worker but for what is said here.

`full`: its disk is full, so that nothing it prints or keeps can be written. `descriptors`: it may open a few more
files than it has when it is ready. `clock`: its clock is set an hour ahead, then two back, by turns.
"""

import os
import resource
import sys
from datetime import datetime, timedelta
from typing import Final

import psutil

from monitor_core.settings import worker_settings
from monitor_core.telemetry import configure_logging
from monitor_worker.bootstrap import Worker
from monitor_worker.clock import SystemClock
from monitor_worker.host import listen_for_signals

DESCRIPTORS: Final = 12
JUMP_SECONDS: Final = 4.0
JUMPS: Final = (timedelta(), timedelta(hours=1), timedelta(hours=-1), timedelta())


class JumpingClock(SystemClock):
    """A clock that somebody sets; the monotonic one is nobody's to set."""

    def __init__(self) -> None:
        super().__init__()
        self._began = self.monotonic()

    def now(self) -> datetime:
        """The time, as it has been set."""
        jumps = int((self.monotonic() - self._began) / JUMP_SECONDS)
        return super().now() + JUMPS[jumps % len(JUMPS)]


def fill_the_disk() -> None:
    """Have every write to a file fail: of what is printed, and of what is kept."""
    full = os.open("/dev/full", os.O_WRONLY)
    for output in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(full, output)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def leave_few_descriptors() -> None:
    """Let the process open a few more files and no others."""
    limit = psutil.Process().num_fds() + DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def main() -> None:
    """Run until told to stop."""
    fault = sys.argv[1]
    asked_to_stop = listen_for_signals()
    configure_logging("INFO")
    worker = Worker(worker_settings(), clock=JumpingClock() if fault == "clock" else None)
    worker.start()
    if fault == "full":
        fill_the_disk()
    if fault == "descriptors":
        leave_few_descriptors()
    asked_to_stop.wait()
    worker.stop()


if __name__ == "__main__":
    main()
