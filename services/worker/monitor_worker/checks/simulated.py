"""The kind `simulated`: nothing outside is asked; the number of the check decides."""

from monitor_core.kinds.simulated import SimulatedCheck
from monitor_worker.checks.base import CheckContext, Observation, Resources


class SimulatedDriver:
    """Says `Running` until the check that the spec names, then the outcome."""

    async def check(self, spec: SimulatedCheck, context: CheckContext) -> Observation:
        """What the check of this number sees."""
        status = spec.outcome if context.number >= spec.checks else "Running"
        return Observation(
            status=status,
            variables={"status": status, "check": context.number},
            summary=f"check {context.number} of {spec.checks}",
        )

    async def close(self) -> None:
        """There is nothing to close."""


def create(resources: Resources) -> SimulatedDriver:
    """The driver of the kind `simulated`; it needs no resources."""
    del resources
    return SimulatedDriver()
