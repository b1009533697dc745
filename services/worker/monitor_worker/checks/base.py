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
from pathlib import Path
from typing import Any, Protocol

from pydantic import JsonValue

from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tokens import Tokens

__all__ = ["CheckContext", "CheckFailed", "Driver", "DriverModule", "Observation", "Resources"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a check saw. It stays in the worker: only `status` and `summary` enter the history.

    Args:
        status: the observed status in the target's own word (`Running`, `HTTP 204`), at most 100 characters.
        variables: the values of the CEL variables that the kind's spec declares; absent ones left out.
        summary: one short line for a person, with no secret in it.
        error: what is wrong with this answer, if no condition holds for it.
        retry_after_seconds: how long the target asks to be left alone.
        checkpoint: what the next check is to be given (a baseline, a count): it stands in the monitor's state, so
            it outlives this worker. At most 4,096 characters as JSON, no secret in it; None leaves the one before.
    """

    status: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    summary: str | None = None
    error: CheckFailed | None = None
    retry_after_seconds: float | None = None
    checkpoint: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class CheckContext:
    """Who asks: for correlation, and for drivers that count.

    Args:
        instance_id: the orchestration's instance id.
        request_id: `<run>.<revision>.<turn>.<check>`, the same for a repeated check.
        number: this check's number, counted from 1 over all recorded checks.
        timeout_seconds: after this long the check is cancelled.
        checkpoint: what the check before left for this one; None for a monitor's first one. A check may be made
            again with the same checkpoint.
    """

    instance_id: str
    request_id: str
    number: int
    timeout_seconds: float
    checkpoint: Mapping[str, JsonValue] | None = None

    @property
    def looking_seconds(self) -> float:
        """How long to look where silence says something too: a driver that is cancelled can tell nothing."""
        return self.timeout_seconds * 0.9


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
    """What a driver may use: passed in by the composition root.

    Args:
        guard: decides which addresses may be connected to.
        secrets: resolves the secrets that a check names.
        tokens: gets access tokens of the worker's own identity.
        file_roots: the folders that files may be looked at in.
    """

    guard: TargetGuard
    secrets: Secrets = field(default_factory=Secrets)
    tokens: Tokens = field(default_factory=Tokens)
    file_roots: tuple[Path, ...] = ()

    async def close(self) -> None:
        """Release what they hold; the drivers are closed before."""
        await self.secrets.close()
        await self.tokens.close()


class DriverModule(Protocol):
    """A module `monitor_worker.checks.<kind>`."""

    def create(self, resources: Resources) -> Driver:
        """The kind's driver."""
        ...
