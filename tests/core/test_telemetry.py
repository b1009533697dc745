"""Logs: one line each, in UTC, masked, from the level asked for; libraries stay quiet."""

import io
import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from monitor_core.telemetry import configure_logging, telling_of
from monitor_core.telemetry.logs import LogFormat

pytestmark = pytest.mark.usefixtures("own_logging")
NOISY = ("durabletask", "grpc", "asyncio", "azure", "msal", "opentelemetry", "urllib3")
STRANGE = "a\nINFO forged\r\x1b[2J\u2028b\x00"
SPAN = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False))


def hide(text: str) -> str:
    return text.replace("s3cret", "***")


def logged(form: LogFormat, say: Callable[[logging.Logger], object]) -> str:
    """What is written where `say` logs."""
    stream = io.StringIO()
    configure_logging("DEBUG", stream, form=form, mask=hide)
    say(logging.getLogger("monitor"))
    return stream.getvalue()


def raising(log: logging.Logger) -> None:
    try:
        int(f"s3cret {STRANGE}")
    except ValueError:
        log.exception("it failed")


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


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_stranger_cannot_begin_a_line(form: LogFormat) -> None:
    def say(log: logging.Logger) -> None:
        log.info("said %s", STRANGE, extra={"monitor": {"job_id": STRANGE}})

    lines = logged(form, say)
    assert lines.endswith("\n")
    assert lines[:-1].isprintable()
    assert "forged" in lines


def test_a_json_line_is_read_back_as_it_was_said() -> None:
    def say(log: logging.Logger) -> None:
        record = logging.LogRecord("monitor", logging.WARNING, "x.py", 1, "said %s", (STRANGE,), None)
        record.created = 86400.5
        log.handle(record)

    assert json.loads(logged("json", say)) == {
        "time": "1970-01-02T00:00:00.500+00:00",
        "level": "WARNING",
        "logger": "monitor",
        "message": f"said {STRANGE}",
    }


def test_a_line_has_the_ids_of_its_trace_and_its_monitor() -> None:
    def say(log: logging.Logger) -> None:
        with telling_of({"job_id": "job-s3cret", "turn": 3}), trace.use_span(SPAN):
            log.info("here")

    ids = {"trace_id": f"{0xABC:032x}", "span_id": f"{0xDEF:016x}", "job_id": "job-***", "turn": 3}
    said = json.loads(logged("json", say))
    assert {name: said[name] for name in ids} == ids
    about = " ".join(f"{name}={value}" for name, value in ids.items())
    assert logged("text", say).endswith(f" monitor: here [{about}]\n")


def test_what_a_record_says_of_its_monitor_comes_before_where_it_was_logged() -> None:
    def say(log: logging.Logger) -> None:
        with telling_of({"job_id": "around"}):
            log.info("here", extra={"monitor": {"job_id": "own"}})
        log.info("outside")

    first, second = map(json.loads, logged("json", say).splitlines())
    assert first["job_id"] == "own"
    assert "job_id" not in second


def test_a_traceback_is_masked_and_set_in() -> None:
    first, *rest = logged("text", raising).splitlines()
    assert first.endswith("ERROR   monitor: it failed")
    assert rest
    assert all(line.startswith("    ") and line.isprintable() for line in rest)
    assert "ValueError: invalid literal for int() with base 10: '***" in "".join(rest)
    said = json.loads(logged("json", raising))
    assert said["message"] == "it failed"
    assert "ValueError: invalid literal for int() with base 10: '***" in said["exception"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_known_secrets_are_hidden_and_what_looks_like_one(form: LogFormat) -> None:
    def say(log: logging.Logger) -> None:
        log.info("the s3cret, and Authorization: Bearer %s", "abc")

    shown = logged(form, say)
    assert "the ***, and Authorization: Bearer ***" in shown
    assert "abc" not in shown


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("s3cret")


@pytest.mark.parametrize("arguments", [("x",), (1, 2), (Unprintable(),)])
def test_a_message_whose_arguments_do_not_fit_is_a_line_all_the_same(
    arguments: tuple[Any, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    def say(log: logging.Logger) -> None:
        log.info("only %d s3cret", *arguments)

    shown = logged("text", say)
    assert "'only %d ***' (its arguments do not fit: " in shown
    assert shown.count("\n") == 1
    assert capsys.readouterr().err == ""


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
