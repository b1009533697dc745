"""What libraries say again and again is shown once a minute; what exporters say, with what to do about it."""

import io
import logging

import pytest

from monitor_core.telemetry import configure_logging
from monitor_core.telemetry.logs import LogFormat
from monitor_core.telemetry.sending import NotAgain

GRPC = "opentelemetry.exporter.otlp.proto.grpc.of_a_test"  # the real one has a filter of its own
HTTP = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
AZURE = "azure.monitor.opentelemetry.exporter.export._base"
BATCH = "opentelemetry.sdk._shared_internal"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(name: str, line: int, message: str) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, f"{name}.py", line, message, None, None)


def fail(why: str) -> None:
    raise ConnectionError(why)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def again(clock: Clock) -> NotAgain:
    return NotAgain(("azure", "durabletask", "opentelemetry"), clock)


def test_the_same_is_said_again_after_a_minute(again: NotAgain, clock: Clock) -> None:
    said = []
    for clock.now in (0.0, 1.0, 59.9, 60.0, 61.0, 120.0):
        said.append(again.filter(record("azure.identity", 1, "gone")))
    assert said == [True, False, False, True, False, True]


def test_at_one_place_a_sender_may_word_it_as_it_likes(again: NotAgain) -> None:
    assert again.filter(record("azure.identity", 1, "gone, retrying in 1 s"))
    assert not again.filter(record("azure.identity", 1, "gone, retrying in 2 s"))
    assert again.filter(record("azure.identity", 2, "something else"))


def test_what_is_no_sender_may_tell_of_many_things_at_one_place(again: NotAgain) -> None:
    assert again.filter(record("durabletask", 1, "instance a failed"))
    assert again.filter(record("durabletask", 1, "instance b failed"))
    assert not again.filter(record("durabletask", 1, "instance a failed"))


def test_all_exporters_together_say_one_thing(again: NotAgain) -> None:
    said = [again.filter(record(name, line, "gone")) for line, name in enumerate((GRPC, HTTP, AZURE, BATCH, GRPC))]
    assert said == [True, False, False, False, False]


def test_ours_is_always_shown(again: NotAgain) -> None:
    assert all(again.filter(record("monitor_worker", 1, "again")) for _ in range(3))


def test_what_was_said_long_ago_is_forgotten(again: NotAgain, clock: Clock) -> None:
    for number in range(5000):
        clock.now += 1
        again.filter(record("durabletask", 1, f"instance {number} failed"))
    assert len(again._said) <= 1000


@pytest.mark.parametrize(
    ("name", "message", "what_to_do"),
    [
        (GRPC, "Failed to export traces to c:4317, error code: StatusCode.UNAVAILABLE", "OTLP_ENDPOINT there"),
        (GRPC, "Failed to export traces, error code: StatusCode.UNAUTHENTICATED", "OTEL_EXPORTER_OTLP_HEADERS"),
        (HTTP, "Failed to export span batch code: 403, reason: Forbidden", "OTEL_EXPORTER_OTLP_HEADERS"),
        (AZURE, "Retrying due to server request error: refused.", "IngestionEndpoint"),
        (AZURE, "Retryable server side error: invalid status 'Unauthorized'.", "Monitoring Metrics Publisher"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.usefixtures("own_logging")
def test_trouble_of_an_exporter_is_one_line_that_says_what_to_do(
    form: LogFormat, name: str, message: str, what_to_do: str
) -> None:
    stream = io.StringIO()
    configure_logging("INFO", stream, form=form)
    try:
        fail("s\nt" * 1000)
    except ConnectionError:
        logging.getLogger(name).exception("%s\nand more", message)
    shown = stream.getvalue()
    assert shown.count("\n") == 1
    assert f"Telemetry does not get through, monitors go on without it: {message}" in shown
    assert what_to_do in shown
    assert "ConnectionError: s" in shown
    assert "and more" not in shown
    assert "Traceback" not in shown
    assert len(shown) < 800


@pytest.mark.usefixtures("own_logging")
def test_what_another_library_raised_is_shown_with_its_traceback() -> None:
    stream = io.StringIO()
    configure_logging("INFO", stream)
    try:
        fail("gone")
    except ConnectionError:
        logging.getLogger("durabletask").exception("it failed")
    assert "it failed" in stream.getvalue()
    assert "Traceback" in stream.getvalue()
