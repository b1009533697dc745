"""The figures that a plan stands on, each with its source: Azure's limits, and what was measured here.

To renew a measurement run the command beside it, put the figure here, and run `make reference` (docs/scale.md).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Azure's limits, as read in November 2026 in
# https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-billing
# The same stand in docs/deploy.md and infra/main.bicep, which a test compares.
CONSUMPTION_ACTIONS_PER_SECOND: Final = 500
UNIT_ACTIONS_PER_SECOND: Final = 2000
MOST_UNITS: Final = 3
SCHEDULERS_PER_REGION: Final = 25
"""Dedicated ones, of one subscription; Microsoft's support raises it."""
MONTH_HOURS: Final = 730

# What we deploy: infra/worker.bicep, which a test compares.
REPLICA_CPU: Final = 0.5
REPLICA_SLOTS: Final = 2000
DEVELOPMENT_REPLICAS: Final = (1, 3)
"""At least and at most, with the preset `development`; MONITOR_MIN_REPLICAS and MONITOR_MAX_REPLICAS change it."""
PRODUCTION_REPLICAS: Final = (2, 10)
"""The same of the preset `production`."""
PRODUCTION_UNITS: Final = 3
"""Of the preset `production`, which is Dedicated; `development` is Consumption."""

# What was measured, in milliseconds of a worker's CPU, rounded up: 2 cores (AMD EPYC), Python 3.11, in 2026-11.
CHECK_CPU_MS: Final[Mapping[str, float]] = MappingProxyType(
    {
        # What a check in turns of 16 takes (0.38), its part of the turn left out. `python -m benchmarks turns`
        "simulated": 0.2,
        # An answer of 200 over a kept connection, observed, no exporter (0.52). `python -m benchmarks telemetry`
        "http": 0.6,
    }
)
"""By kind, the turn that it is part of left out. Kinds that are not here were not measured."""
TURN_CPU_MS: Final = 3.0
"""A turn without its checks: the activity, its report and the replay. `python -m benchmarks one-monitor`"""

# How full a plan makes what it plans: the rest is for bursts, commands and repeats.
SCHEDULER_SHARE: Final = 0.8
WORKER_SHARE: Final = 0.7
