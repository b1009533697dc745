"""What a driver is: an object with an async `check(spec, context) -> Observation`.

A whole driver, for a kind whose spec has the one field `path`:

    class FileDriver:
        async def check(self, spec: FileCheck, context: CheckContext) -> Observation:
            if not Path(spec.path).exists():
                return Observation(status="Absent", variables={"exists": False})
            return Observation(status="Present", variables={"exists": True})

        async def close(self) -> None: ...

    def create(resources: Resources) -> FileDriver:
        return FileDriver()
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from monitor_core.contract import ErrorClass
from monitor_worker.checks.targets import TargetGuard


class CheckFailed(Exception):
    """A check that saw nothing to judge.

    Args:
        error_class: whether the next check may fare better.
        message: what was wrong, where, and what to do; it is shown to the user, so it holds no secret.
        retry_after_seconds: how long the target asks to be left alone.
    """

    def __init__(self, error_class: ErrorClass, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Observation:
    """What a check saw. It stays in the worker: only `status` and `summary` enter the history.

    Args:
        status: the observed status in the target's own word (`Running`, `HTTP 204`), at most 100 characters.
        variables: the values of the CEL variables that the kind's spec declares; absent ones left out.
        summary: one short line for a person, with no secret in it.
        error: what is wrong with this answer, if no condition holds for it.
        retry_after_seconds: how long the target asks to be left alone.
    """

    status: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    summary: str | None = None
    error: CheckFailed | None = None
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class CheckContext:
    """Who asks: for correlation, and for drivers that count.

    Args:
        instance_id: the orchestration's instance id.
        request_id: `<run>.<revision>.<turn>.<check>`, the same for a repeated check.
        number: this check's number, counted from 1 over all recorded checks.
        timeout_seconds: after this long the check is cancelled.
    """

    instance_id: str
    request_id: str
    number: int
    timeout_seconds: float


class Driver(Protocol):
    """Makes the checks of one kind. One object serves all monitors, on the worker's one event loop."""

    async def check(self, spec: Any, context: CheckContext) -> Observation:
        """One look at the target.

        Args:
            spec: an instance of the kind's spec class.
            context: who asks.

        Raises:
            CheckFailed: there was nothing to judge. Any other exception counts as a bug of the driver.
        """
        ...

    async def close(self) -> None:
        """Release what the driver holds; called once, on the loop."""
        ...


@dataclass(frozen=True, slots=True)
class Resources:
    """What a driver may use: passed in by the composition root."""

    guard: TargetGuard


class DriverModule(Protocol):
    """A module `monitor_worker.checks.<kind>`."""

    def create(self, resources: Resources) -> Driver:
        """The kind's driver."""
        ...
