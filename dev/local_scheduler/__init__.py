"""A scheduler for a machine without Docker: the Durable Task protocol on loopback, for development only.

The demo, the tests and the benchmarks need something that speaks what the Azure Durable Task Scheduler
speaks. The SDK ships an in-memory backend for its own unit tests; this package serves that backend with its
defects mended, each mend a class of its own that can be left out (see `Mends`). Nothing is kept when the
process ends. Task hubs are not kept apart: the metadata `taskhub` is accepted and ignored, and so is every
credential.

    from local_scheduler import LocalScheduler

    with LocalScheduler() as scheduler:
        client = TaskHubGrpcClient(host_address=scheduler.address)

On a terminal: `PYTHONPATH=dev python -m local_scheduler --port 8080`.
"""

from local_scheduler.mends import Limits, Mends
from local_scheduler.scheduler import LocalScheduler

__all__ = ["Limits", "LocalScheduler", "Mends"]
