"""Log lines: JSON for machines, text for people; in UTC, masked, and each on one line.

A line knows its trace and, where it is about one, its monitor.
"""

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

from opentelemetry import trace

from monitor_core.telemetry.redaction import Mask, redacted
from monitor_core.telemetry.sending import SENDERS, NotAgain, trouble_of_sending

LogFormat = Literal["json", "text"]
LIBRARIES: Final = (*SENDERS, "asyncio", "durabletask")
"""What only tells of trouble, whatever the level."""
_FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_ids: ContextVar[Mapping[str, str | int]] = ContextVar("monitor_ids")
_NONE: Final[Mapping[str, str | int]] = {}


def configure_logging(
    level: str, stream: TextIO | None = None, *, form: LogFormat = "text", mask: Mask = lambda text: text
) -> None:
    """Log to `stream` (stderr unless given) from `level` on.

    Args:
        level: DEBUG, INFO, WARNING or ERROR. Libraries stay at WARNING, whatever it says.
        stream: where to.
        form: text for people, JSON for machines.
        mask: takes the secrets out that the process knows of.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(mask) if form == "json" else TextLines(mask))
    handler.addFilter(NotAgain(LIBRARIES))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in LIBRARIES:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def monitor_ids(record: logging.LogRecord) -> dict[str, str | int]:
    """The monitor that a record is about: what its `extra={"monitor": ...}` says, else where it was logged."""
    return dict(getattr(record, "monitor", None) or _ids.get(_NONE))


@contextmanager
def telling_of(ids: Mapping[str, str | int]) -> Iterator[None]:
    """Lines logged in this block, on this thread, are about one monitor: `job_id`, `run`, `turn`."""
    token = _ids.set(ids)
    try:
        yield
    finally:
        _ids.reset(token)


def message_of(record: logging.LogRecord) -> str:
    """What a record says. One whose arguments do not fit is no reason to lose it, or to print them unmasked."""
    try:
        return trouble_of_sending(record) or record.getMessage()
    except Exception as error:  # noqa: BLE001 # whatever the arguments raise as they become text
        return f"{record.msg!r} (its arguments do not fit: {type(error).__name__})"


class _Lines(logging.Formatter):
    def __init__(self, mask: Mask) -> None:
        super().__init__(_FORMAT, datefmt="%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime
        self.mask = mask

    def message(self, record: logging.LogRecord) -> str:
        """The message, masked."""
        return redacted(message_of(record), self.mask)

    def trouble(self, record: logging.LogRecord) -> str | None:
        """The traceback, masked; None without one, and of what sends telemetry."""
        if not record.exc_info or trouble_of_sending(record):
            return None
        return redacted(self.formatException(record.exc_info), self.mask)

    def ids(self, record: logging.LogRecord) -> dict[str, str | int]:
        """The ids of the trace and of the monitor, masked: a job's id is a stranger's word."""
        about = {
            name: redacted(value, self.mask) if isinstance(value, str) else value
            for name, value in monitor_ids(record).items()
        }
        span = trace.get_current_span().get_span_context()
        if not span.is_valid:
            return about
        return {
            "trace_id": trace.format_trace_id(span.trace_id),
            "span_id": trace.format_span_id(span.span_id),
            **about,
        }


class TextLines(_Lines):
    """For people. What a stranger has said cannot begin a line: control characters are shown escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, and its traceback's lines, set in."""
        shown = logging.makeLogRecord({**record.__dict__, "msg": _on_one_line(self.message(record)), "args": None})
        shown.exc_info = shown.exc_text = shown.stack_info = None
        ids = self.ids(record)
        about = " ".join(f"{name}={_on_one_line(str(value))}" for name, value in ids.items())
        line = super().format(shown) + (f" [{about}]" if about else "")
        trouble = self.trouble(record)
        return "\n    ".join([line, *map(_on_one_line, trouble.splitlines())]) if trouble else line


class JsonLines(_Lines):
    """For machines: one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
            **self.ids(record),
        }
        trouble = self.trouble(record)
        if trouble:
            line["exception"] = trouble
        return json.dumps(line)


def _on_one_line(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
