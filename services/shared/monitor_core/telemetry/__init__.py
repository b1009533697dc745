"""The only place that configures logging and OpenTelemetry; everything else uses the OpenTelemetry API.

`start` sends traces, metrics and logs where the settings say. Where they say nothing, nothing of the SDK or of an
exporter is imported, and the API's spans and instruments do nothing.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from monitor_core.settings import TelemetrySettings
from monitor_core.telemetry.logs import configure_logging, monitor_ids, telling_of

__all__ = ["Telemetry", "configure_logging", "monitor_ids", "start", "started", "telling_of"]

WORKER: Final = "durable-monitor-worker"
CLIENT: Final = "durable-monitor-client-scheduler"
FLUSH_SECONDS: Final = 5.0
"""What a service waits at its end for a collector to take the last telemetry."""
BRIEF_FLUSH_SECONDS: Final = 2.0
"""The same for a command line: a user is waiting."""


class Telemetry:
    """Telemetry that is being sent, or none."""

    def __init__(self, shut_down: Callable[[], None] | None = None) -> None:
        self._shut_down = shut_down

    def stop(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Send what is left, for so long at most; whether that was done. A collector that hangs holds nobody."""
        shut_down, self._shut_down = self._shut_down, None
        if shut_down is None:
            return True
        # The exporters' own time-outs are no bound: retries and three signals add up.
        flushing = threading.Thread(target=shut_down, name="telemetry-flush", daemon=True)
        flushing.start()
        flushing.join(seconds)
        return not flushing.is_alive()


def start(settings: TelemetrySettings, service: str) -> Telemetry:
    """Send telemetry of `service` where the settings say; call `stop` at the end.

    Call `configure_logging` before: the logs that are sent are masked as those that are shown.
    """
    if not settings.is_sent:
        return Telemetry()
    from monitor_core.telemetry import pipeline  # noqa: PLC0415 # a second of imports that few need

    return Telemetry(pipeline.build(settings, service))


@contextmanager
def started(settings: TelemetrySettings, service: str, flush_seconds: float) -> Iterator[None]:
    """Telemetry around a block."""
    telemetry = start(settings, service)
    try:
        yield
    finally:
        telemetry.stop(flush_seconds)
