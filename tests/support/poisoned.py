"""A worker whose process ends in the middle of some checks, as a crash in a driver's native code ends it.

The real worker, built by its composition root; its driver of `http` aborts the process for a URL with `poison`.
"""

import asyncio
import os
from typing import Any

from monitor_core.settings import worker_settings
from monitor_core.telemetry import configure_logging
from monitor_worker.bootstrap import Worker
from monitor_worker.checks.registry import Kind
from monitor_worker.host import listen_for_signals

SECONDS = 0.05
"""Until the crash: by then others are under way, too."""


class PoisonedDriver:
    """A driver with a defect."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    async def check(self, spec: Any, context: Any) -> Any:
        """The driver's check, where it comes to it."""
        if "poison" in spec.url:
            await asyncio.sleep(SECONDS)
            os.abort()
        return await self._driver.check(spec, context)

    async def close(self) -> None:
        """Close it."""
        await self._driver.close()


def main() -> None:
    """Run until told to stop, or until the poison comes."""
    asked_to_stop = listen_for_signals()
    configure_logging("INFO")
    worker = Worker(worker_settings())
    kind = worker._checks.find("http")
    worker._checks._found["http"] = Kind(kind.spec, PoisonedDriver(kind.driver))
    worker.start()
    asked_to_stop.wait()
    worker.stop()


if __name__ == "__main__":
    main()
