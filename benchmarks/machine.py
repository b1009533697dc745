"""What processes cost, counted by the operating system from outside."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

_IS_LINUX = psutil.LINUX
_WHOLE_PROCESS = 2
"""Of `clock_getcpuclockid`: the clock of all threads' CPU time."""


@dataclass(frozen=True)
class Used:
    """What processes have used since they started: CPU in seconds of all their threads; memory now, in bytes."""

    cpu_seconds: float
    memory_bytes: int

    def __sub__(self, before: "Used") -> "Used":
        return Used(self.cpu_seconds - before.cpu_seconds, self.memory_bytes - before.memory_bytes)


def used(pids: Sequence[int]) -> Used:
    """What these processes have used together.

    Raises:
        psutil.NoSuchProcess: one has ended.
    """
    processes = [psutil.Process(pid) for pid in pids]
    return Used(
        sum(map(_cpu_seconds, processes)),
        sum(process.memory_info().rss for process in processes),
    )


def _cpu_seconds(process: psutil.Process) -> float:
    """To the nanosecond on Linux, which counts its ticks of 10 ms for `cpu_times`."""
    if _IS_LINUX:
        return time.clock_gettime(~process.pid << 3 | _WHOLE_PROCESS)
    times = process.cpu_times()
    return float(times.user + times.system)
