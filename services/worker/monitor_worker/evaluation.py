"""A process that evaluates conditions, one a line of JSON; see `evaluator`, which starts and ends it.

A condition that takes more CPU than it may ends it by SIGPROF, one that takes more memory by SIGABRT.
"""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from monitor_core.conditions import Condition, ConditionError
from monitor_core.kinds.base import Variable

CPU_SECONDS: Final = 0.25
"""What one evaluation may take."""
MEMORY_BYTES: Final = 256 * 1024 * 1024
"""What all may take together, beyond the interpreter and its libraries. Linux alone limits it."""


def main() -> None:
    """Answer each line of standard input with one of standard output, until there is no more."""
    _limit_memory()
    for line in sys.stdin.buffer:
        _limit_cpu(CPU_SECONDS)
        began = time.process_time()
        try:
            answer = _answer(json.loads(line))
        except MemoryError:
            _too_large()
        answer["cpu_seconds"] = time.process_time() - began
        _limit_cpu(0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    variables = {name: Variable(*fields) for name, fields in asked["variables"].items()}
    try:
        return {"holds": Condition(asked["field"], asked["text"], variables).holds(asked["values"])}
    except ConditionError as error:
        if isinstance(error.__cause__, MemoryError):
            _too_large()
        return {"problem": str(error)}


def _too_large() -> NoReturn:
    os.kill(os.getpid(), signal.SIGABRT)
    raise SystemExit(1)


def _limit_cpu(seconds: float) -> None:
    """End the process once it has taken so many seconds of CPU more; 0 takes the limit off."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory() -> None:
    if sys.platform != "linux":
        return
    import resource  # noqa: PLC0415 # not on every system

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # where the machine runs out of memory, the worker is not to go first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main()
