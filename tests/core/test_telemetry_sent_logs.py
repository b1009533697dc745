"""Log records as they are sent: masked as those that are shown, in their trace, and never in anybody's way."""

import logging
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext

from monitor_core.telemetry import telling_of
from monitor_core.telemetry.sent_logs import SentLogs

SPAN = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False))


class Sent:
    """A logger of its own, and what it has sent."""

    def __init__(self, name: str, exporter: InMemoryLogRecordExporter, provider: LoggerProvider) -> None:
        self._exporter = exporter
        self.log = logging.Logger(name, logging.DEBUG)  # noqa: LOG001 # nobody else is to have it
        self.log.addHandler(SentLogs(provider, lambda text: text.replace("s3cret", "***")))

    @property
    def records(self) -> list[ReadableLogRecord]:
        return list(self._exporter.get_finished_logs())


@pytest.fixture
def exporter() -> InMemoryLogRecordExporter:
    return InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # the SDK's has no annotations


@pytest.fixture
def provider(exporter: InMemoryLogRecordExporter) -> Iterator[LoggerProvider]:
    found = LoggerProvider(shutdown_on_exit=False)
    found.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    yield found
    found.shutdown()


@pytest.fixture
def sent(exporter: InMemoryLogRecordExporter, provider: LoggerProvider) -> Sent:
    return Sent("monitor_worker.observer", exporter, provider)


def test_a_record_is_sent_in_its_trace_with_its_monitor(sent: Sent) -> None:
    with telling_of({"job_id": "a s3cret", "turn": 3}), trace.use_span(SPAN):
        sent.log.warning("said %s", "s3cret, Authorization: Bearer abc")
    (record,) = sent.records
    said = record.log_record
    assert (said.body, said.severity_text) == ("said ***, Authorization: Bearer ***", "WARNING")
    assert said.severity_number is not None
    assert said.severity_number.name == "WARN"
    assert said.attributes == {"durable_monitor.job_id": "a ***", "durable_monitor.turn": 3}
    assert (said.trace_id, said.span_id) == (0xABC, 0xDEF)
    assert record.instrumentation_scope is not None
    assert record.instrumentation_scope.name == "monitor_worker.observer"


@pytest.mark.parametrize(
    ("level", "name"),
    [(5, "DEBUG"), (10, "DEBUG"), (20, "INFO"), (25, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "FATAL")],
)
def test_each_level_has_its_severity(sent: Sent, level: int, name: str) -> None:
    sent.log.setLevel(1)
    sent.log.log(level, "here")
    severity = sent.records[0].log_record.severity_number
    assert severity is not None
    assert severity.name == name


def test_a_traceback_is_masked(sent: Sent) -> None:
    try:
        int("the s3cret")
    except ValueError:
        sent.log.exception("it failed")
    attributes = sent.records[0].log_record.attributes
    assert attributes is not None
    assert attributes["exception.type"] == "ValueError"
    assert "ValueError: invalid literal for int() with base 10: 'the ***'" in str(
        attributes["exception.stacktrace"]
    )
    assert "s3cret" not in str(attributes)


@pytest.mark.parametrize(
    ("name", "is_sent"),
    [
        ("azure.monitor.opentelemetry.exporter", False),
        ("azure.core.pipeline", False),
        ("opentelemetry.sdk.trace", False),
        ("grpc._channel", False),
        ("urllib3.connectionpool", False),
        ("durabletask", True),
        ("asyncio", True),
        ("uvicorn.error", True),
    ],
)
def test_what_does_the_sending_is_not_sent(
    name: str, is_sent: bool, exporter: InMemoryLogRecordExporter, provider: LoggerProvider
) -> None:
    sent = Sent(name, exporter, provider)
    sent.log.error("trouble")
    assert len(sent.records) == is_sent


def test_who_logs_does_not_fail_because_it_cannot_be_sent(
    exporter: InMemoryLogRecordExporter, provider: LoggerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(LoggerProvider):
        def get_logger(self, *_: object, **__: object) -> object:  # type: ignore[override] # it gives none
            raise RuntimeError("broken")

    sent = Sent("monitor", exporter, Broken(shutdown_on_exit=False))
    sent.log.error("here")
    sent = Sent("monitor", exporter, provider)
    sent.log.error("only %d", "x")
    assert [record.log_record.body for record in sent.records] == [
        "'only %d' (its arguments do not fit: TypeError)"
    ]
