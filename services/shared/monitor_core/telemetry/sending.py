"""What the libraries that send telemetry say of their trouble: once a minute, on one line, with what to do.

By themselves they tell of each batch, and some of them with a traceback: of a collector that is gone, for ever.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Final

SENDERS: Final = ("azure", "grpc", "msal", "opentelemetry", "urllib3")
"""What does the sending. Its own records are not sent: each would bring the next."""
_EXPORTERS: Final = (
    "azure.monitor.opentelemetry",
    "opentelemetry.exporter",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.sdk.metrics._internal.export",
)
_BRIEF_SECONDS: Final = 60.0
_MOST_KEPT: Final = 1000
_LONGEST: Final = 300
_REFUSED: Final = re.compile(
    r"\b(?:401|403|unauthorized|forbidden|unauthenticated|permission_denied)\b", re.IGNORECASE
)
_WHAT_TO_DO: Final = {
    (True, True): "Has the identity (AZURE_CLIENT_ID) the role Monitoring Metrics Publisher on that resource?",
    (True, False): "Is the IngestionEndpoint of APPLICATIONINSIGHTS_CONNECTION_STRING within reach?",
    (False, True): "Does OTEL_EXPORTER_OTLP_HEADERS say who is sending?",
    (False, False): "Is the collector of OTEL_EXPORTER_OTLP_ENDPOINT there, and does it speak "
    "OTEL_EXPORTER_OTLP_PROTOCOL?",
}
"""By whether it goes to Azure Monitor, and whether it was refused."""


def trouble_of_sending(record: logging.LogRecord) -> str | None:
    """What a record of an exporter comes to, on one line and with what to do; None for any other record."""
    if not record.name.startswith(_EXPORTERS):
        return None
    said = _first_line(record)
    to_azure = record.name.startswith("azure") or "azure.monitor" in said
    what_to_do = _WHAT_TO_DO[to_azure, bool(_REFUSED.search(said))]
    return f"Telemetry does not get through, monitors go on without it: {said} {what_to_do}"


def _first_line(record: logging.LogRecord) -> str:
    said, _, _ = record.getMessage().strip().partition("\n")
    if record.exc_info and record.exc_info[1]:
        why = record.exc_info[1]
        said = f"{said} {type(why).__name__}: {str(why).partition(chr(10))[0]}"
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."


class NotAgain(logging.Filter):
    """Lets a library say the same once a minute at most, and all exporters together one thing.

    Args:
        libraries: whose loggers these are.
        monotonic: seconds on a clock that nobody sets.
    """

    def __init__(self, libraries: tuple[str, ...], monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._libraries, self._monotonic = libraries, monotonic
        self._said: dict[tuple[str, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        if not record.name.startswith(self._libraries):
            return True
        what, now = _what(record), self._monotonic()
        if now - self._said.get(what, -_BRIEF_SECONDS) < _BRIEF_SECONDS:
            return False
        if len(self._said) >= _MOST_KEPT:
            self._said = {said: at for said, at in self._said.items() if now - at < _BRIEF_SECONDS}
        self._said[what] = now
        return True


def _what(record: logging.LogRecord) -> tuple[str, ...]:
    """What counts as the same: of a sender whatever it says at that place, for each retry is worded otherwise."""
    if record.name.startswith(_EXPORTERS):
        return ("sending",)
    place = (record.pathname, str(record.lineno))
    return place if record.name.startswith(SENDERS) else (*place, record.getMessage())
