"""The only place that configures logging and OpenTelemetry; everything else uses the OpenTelemetry API.

`start` sends traces, metrics and logs where the settings say. Where they say nothing, nothing of the SDK or of an
exporter is imported, and the API's spans and instruments do nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from monitor_core.settings import TelemetrySettings
from monitor_core.telemetry.logs import configure_logging, monitor_ids, telling_of

__all__ = ["Telemetry", "configure_logging", "monitor_ids", "start", "started", "telling_of"]

_log = logging.getLogger(__name__)
WORKER: Final = "durable-monitor-worker"
CLIENT: Final = "durable-monitor-client-scheduler"
FLUSH_SECONDS: Final = 5.0
"""What a service waits at its end for a collector to take the last telemetry."""
BRIEF_FLUSH_SECONDS: Final = 2.0
"""The same for a command line: a user is waiting."""


class Telemetry:
    """Telemetry that is being sent, or none.

    Args:
        ends: shut down an exporter each, sending what is left.
    """

    def __init__(self, ends: Sequence[Callable[[], None]] = ()) -> None:
        self._ends = ends

    def stop(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Send what is left, for so long at most; whether that was done. A collector that hangs holds nobody."""
        ends, self._ends = self._ends, ()
        until = time.monotonic() + seconds
        # At once, so that one that hangs does not keep the others; the exporters' own time-outs are no bound.
        flushing = [threading.Thread(target=end, name="telemetry-flush", daemon=True) for end in ends]
        for thread in flushing:
            thread.start()
        for thread in flushing:
            thread.join(max(until - time.monotonic(), 0))
        is_sent = not any(thread.is_alive() for thread in flushing)
        if not is_sent:
            _log.warning("What was left of the telemetry could not be sent within %g s", seconds)
        return is_sent


def start(settings: TelemetrySettings, service: str) -> Telemetry:
    """Send telemetry of `service` where the settings say; call `stop` at the end.

    Call `configure_logging` before: the logs that are sent are masked as those that are shown.
    """
    if not settings.is_sent:
        return Telemetry()
    from monitor_core.telemetry import pipeline  # noqa: PLC0415 # a second of imports that few need

    return Telemetry(pipeline.build(settings, service))


@contextmanager
def started(settings: TelemetrySettings, service: str, flush_seconds: float) -> Iterator[Telemetry]:
    """Telemetry around a block."""
    telemetry = start(settings, service)
    try:
        yield telemetry
    finally:
        telemetry.stop(flush_seconds)
