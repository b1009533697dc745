"""A plug-in with the kind `nothing`: asks nobody, and keeps when it was asked, as the plain loop's check does."""

import json
import os
import time
from array import array
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from pydantic import Field

from monitor_core.kinds import CheckSpec, Variable

TIMES: Final = "BENCHMARK_TIMES"
"""The variable that names the folder in which a worker leaves when it made its checks."""


class Times:
    """When each instance was checked (seconds since 1970), in memory until the worker ends."""

    def __init__(self) -> None:
        self._times: dict[str, array[float]] = {}

    def check(self, instance: str, number: int, last: int, changes_every: int) -> str:
        """The check that does nothing: what it sees."""
        self._times.setdefault(instance, array("d")).append(time.time())
        if number >= last:
            return "Succeeded"
        return f"Phase {number // changes_every}" if changes_every else "Running"

    def keep(self) -> None:
        """Leave them in a file of this process."""
        kept = {instance: times.tolist() for instance, times in self._times.items()}
        (Path(os.environ[TIMES]) / f"{os.getpid()}.json").write_text(json.dumps(kept))


class NothingCheck(CheckSpec):
    """Answers `Running` until the given check, then `Succeeded`."""

    variables = MappingProxyType({"status": Variable("string", "Running or a phase, at the end Succeeded.")})
    natural_success = "status == 'Succeeded'"
    example = MappingProxyType({"check": {"kind": "nothing", "checks": 3}, "timeout_seconds": 60})

    kind: Literal["nothing"] = "nothing"
    checks: int = Field(1, ge=1, description="The check that sees the end.")
    changes_every: int = Field(0, ge=0, description="Checks after which the status changes; 0: it stays.")


class NothingDriver:
    """Keeps when it was asked."""

    def __init__(self) -> None:
        self._times = Times()

    async def check(self, spec: NothingCheck, context: Any) -> Any:
        """What the check of this number sees."""
        from monitor_worker.checks.base import Observation  # noqa: PLC0415 # a client loads the spec alone

        status = self._times.check(context.instance_id, context.number, spec.checks, spec.changes_every)
        return Observation(status=status, variables={"status": status})

    async def close(self) -> None:
        """Leave the times."""
        self._times.keep()


def create(resources: Any) -> NothingDriver:
    """The driver; it needs no resources."""
    del resources
    return NothingDriver()
