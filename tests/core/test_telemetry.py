"""Logs: one line each, in UTC, from the level asked for; libraries stay quiet."""

import io
import logging
import re
import time
from collections.abc import Iterator

import pytest

from monitor_core.telemetry import configure_logging

NOISY = ("durabletask", "grpc", "asyncio", "azure")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in NOISY}
    root.handlers.clear()  # pytest's own must not be closed
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_a_line_has_time_level_logger_and_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    stream = io.StringIO()
    configure_logging("INFO", stream)
    record = logging.LogRecord("monitor", logging.INFO, "x.py", 1, "hello %s", ("world",), None)
    record.created = 86400.0 * 365
    logging.getLogger("monitor").handle(record)
    monkeypatch.undo()
    time.tzset()
    assert stream.getvalue() == "1971-01-01T00:00:00Z INFO    monitor: hello world\n"


@pytest.mark.parametrize(
    ("level", "shown"), [("DEBUG", "diwe"), ("INFO", "iwe"), ("WARNING", "we"), ("ERROR", "e")]
)
def test_the_level_decides_what_is_shown(level: str, shown: str) -> None:
    stream = io.StringIO()
    configure_logging(level, stream)
    log = logging.getLogger("monitor_worker")
    log.debug("d")
    log.info("i")
    log.warning("w")
    log.error("e")
    assert "".join(re.findall(r"(\w)$", stream.getvalue(), re.MULTILINE)) == shown


@pytest.mark.parametrize("name", [*NOISY, "azure.identity", "grpc._cython"])
def test_libraries_stay_at_warning_whatever_the_level(name: str) -> None:
    stream = io.StringIO()
    configure_logging("DEBUG", stream)
    logging.getLogger(name).info("chatter")
    logging.getLogger(name).warning("trouble")
    assert "chatter" not in stream.getvalue()
    assert "trouble" in stream.getvalue()


def test_configured_twice_it_still_writes_one_line() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logging("INFO", first)
    configure_logging("INFO", second)
    logging.getLogger("monitor").info("once")
    assert (first.getvalue(), second.getvalue().count("once")) == ("", 1)


def test_without_a_stream_it_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    logging.getLogger("monitor").info("seen")
    captured = capsys.readouterr()
    assert "seen" in captured.err
    assert captured.out == ""
