"""The kind `simulated`: a job that finishes after a number of checks, with nothing outside at all."""

from types import MappingProxyType
from typing import Literal

from pydantic import Field

from monitor_core.kinds.base import CheckSpec, Variable


class SimulatedCheck(CheckSpec):
    """Answers `Running` until the given check, then the outcome. Deterministic: no randomness, no clock."""

    variables = MappingProxyType(
        {
            "status": Variable("string", "Running, or the outcome."),
            "check": Variable("int", "The number of this check, counted from 1."),
        }
    )
    natural_success = "status == 'Succeeded'"
    natural_failure = "status in ['Failed', 'Canceled']"
    example = MappingProxyType(
        {"check": {"kind": "simulated", "checks": 3}, "polling": {"interval_seconds": 2}, "timeout_seconds": 60}
    )

    kind: Literal["simulated"] = "simulated"
    checks: int = Field(4, ge=1, le=1_000_000, description="The check that sees the outcome.")
    outcome: Literal["Succeeded", "Failed", "Canceled"] = Field(
        "Succeeded", description="What that check and every later one sees."
    )
