"""What processes cost, counted by the operating system from outside."""

from collections.abc import Sequence
from dataclasses import dataclass

import psutil


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
    times = [process.cpu_times() for process in processes]
    return Used(
        sum(time.user + time.system for time in times),
        sum(process.memory_info().rss for process in processes),
    )
