"""Where a monitor stands in its schedule; the rules are in monitor_core.schedule."""

from pydantic import Field

from monitor_core.contract.base import Model, Utc


class Schedule(Model):
    """The tick that is due next: number `k` counted from `anchor`, which is when tick 0 is due."""

    anchor: Utc
    k: int = Field(0, ge=0)
