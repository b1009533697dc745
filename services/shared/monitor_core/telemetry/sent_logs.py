"""Log records on their way to OpenTelemetry, with what the lines on the terminal have."""

import logging
from contextlib import suppress
from typing import Final

from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber

from monitor_core.telemetry.logs import message_of, monitor_ids
from monitor_core.telemetry.redaction import Mask, redacted
from monitor_core.telemetry.sending import SENDERS

_SEVERITIES: Final = (
    (logging.CRITICAL, SeverityNumber.FATAL),
    (logging.ERROR, SeverityNumber.ERROR),
    (logging.WARNING, SeverityNumber.WARN),
    (logging.INFO, SeverityNumber.INFO),
)


class SentLogs(logging.Handler):
    """Sends log records. Those of what does the sending stay here: each would bring the next.

    Args:
        provider: where to.
        mask: takes the secrets out that the process knows of.
    """

    def __init__(self, provider: LoggerProvider, mask: Mask) -> None:
        super().__init__()
        self._provider, self._mask = provider, mask
        self._formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record, in the trace that it was logged in."""
        if record.name.startswith(SENDERS):
            return
        # Shown on the terminal it is all the same; and whoever logs must not fail because it cannot be sent.
        with suppress(Exception):
            self._send(record)

    def _send(self, record: logging.LogRecord) -> None:
        self._provider.get_logger(record.name).emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                severity_text=record.levelname,
                severity_number=_severity(record.levelno),
                body=redacted(message_of(record), self._mask),
                attributes=self._attributes(record),
            )
        )

    def _attributes(self, record: logging.LogRecord) -> dict[str, str | int]:
        attributes = {f"durable_monitor.{name}": value for name, value in monitor_ids(record).items()}
        if record.exc_info and record.exc_info[0]:
            attributes["exception.type"] = record.exc_info[0].__name__
            attributes["exception.stacktrace"] = self._formatter.formatException(record.exc_info)
        return {
            name: redacted(value, self._mask) if isinstance(value, str) else value
            for name, value in attributes.items()
        }


def _severity(level: int) -> SeverityNumber:
    return next((severity for lowest, severity in _SEVERITIES if level >= lowest), SeverityNumber.DEBUG)
