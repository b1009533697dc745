"""What the worker tells of turns and monitors: masked, bounded, and never in the way."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from durabletask.task import OrchestrationContext
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from monitor_core.contract import (
    CheckError,
    CommandOutcome,
    DecidedBy,
    Decision,
    DeliveryOutcome,
    ErrorClass,
    ObservationSummary,
    Turn,
    Verdict,
)
from monitor_core.kinds import BUILT_IN
from monitor_worker.events import Commanded, Ended
from monitor_worker.observer import Observer
from monitor_worker.turns import Look, TurnRun
from support.executor import ExecutorEngine
from support.looks import turn_of
from support.virtual import START, Answer, VirtualClock, at_once, request

CONTEXT = cast("OrchestrationContext", object())
"""Without a trace."""


def hide(text: str) -> str:
    return text.replace("s3cret", "***")


class Watched:
    """An observer, and what has come of it."""

    def __init__(self, *processors: SpanProcessor) -> None:
        self.spans_kept, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self._traces = TracerProvider(shutdown_on_exit=False)
        for processor in (*processors, SimpleSpanProcessor(self.spans_kept)):
            self._traces.add_span_processor(processor)
        self._meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.observer = Observer(BUILT_IN, hide, traces=self._traces, meters=self._meters)

    @property
    def span(self) -> ReadableSpan:
        """The only one."""
        (found,) = self.spans_kept.get_finished_spans()
        return found

    def points(self, name: str) -> dict[tuple[tuple[str, Any], ...], float]:
        """A metric's attributes (sorted pairs) to its value, of a histogram the sum."""
        data = self._reader.get_metrics_data()
        metrics = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        found: dict[tuple[tuple[str, Any], ...], float] = {}
        for point in (point for metric in metrics if metric.name == name for point in metric.data.data_points):
            assert isinstance(point, HistogramDataPoint | NumberDataPoint)
            value = point.sum if isinstance(point, HistogramDataPoint) else point.value
            found[tuple(sorted((point.attributes or {}).items()))] = value
        return found

    def close(self) -> None:
        self._traces.shutdown()
        self._meters.shutdown()


@pytest.fixture
def watched() -> Iterator[Watched]:
    found = Watched()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def seen(status: str = "Running") -> ObservationSummary:
    return ObservationSummary(status=status, at=START, latency_seconds=0.1)


def error(error_class: ErrorClass) -> CheckError:
    return CheckError(error_class=error_class, message="m", at=START)


def simulated(**fields: Any) -> Turn:
    return turn_of({"check": {"kind": "simulated"}, **fields})


def observed(watched: Watched, turn: Turn, look: Look) -> None:
    """A turn of one check."""
    with watched.observer.turn(turn) as observing:
        clock = VirtualClock(turn.schedule.anchor + timedelta(seconds=2))

        async def looks(*_: Any) -> Look:
            return look

        observing.ended(at_once(TurnRun(turn, "key", looks, clock, checked=observing).run()))


def ended(watched: Watched, reason: str = "it holds", **fields: Any) -> None:
    decision = Decision(verdict=Verdict.COMPLETED, decided_by=DecidedBy.POLL, reason=reason)
    watched.observer.tell(CONTEXT, Ended(request(**fields), "run-1", decision, 3, 12.5))


def test_a_turn_is_a_span_with_an_event_for_each_check(watched: Watched) -> None:
    observed(watched, simulated(), Look(seen()))
    span = watched.span
    assert span.name == "turn"
    assert dict(span.attributes or {}) == {
        "durable_monitor.job_id": "job-1",
        "durable_monitor.run": "run-1",
        "durable_monitor.turn": 1,
        "durable_monitor.revision": 0,
        "durable_monitor.kind": "simulated",
        "durable_monitor.turn.end": "status",
        "durable_monitor.checks": 1,
    }
    (event,) = span.events
    assert event.name == "check"
    assert dict(event.attributes or {}) == {
        "durable_monitor.kind": "simulated",
        "durable_monitor.check.result": "ok",
        "durable_monitor.check.status": "Running",
        "durable_monitor.check.duration": 0.0,
        "durable_monitor.check.lateness": 2.0,
    }


@pytest.mark.parametrize(
    ("look", "result", "end"),
    [
        (Look(seen()), "ok", "status"),
        (Look(error=error(ErrorClass.TRANSIENT)), "transient", "error"),
        (Look(error=error(ErrorClass.PERMANENT)), "permanent", "error"),
        (Look(error=error(ErrorClass.MISCONFIGURED)), "misconfigured", "error"),
    ],
)
def test_a_check_is_counted_by_what_came_of_it(watched: Watched, look: Look, result: str, end: str) -> None:
    observed(watched, simulated(), look)
    kind = ("kind", "simulated")
    assert watched.points("durable_monitor.checks") == {(kind, ("result", result)): 1}
    assert watched.points("durable_monitor.check.duration") == {(kind, ("result", result)): 0}
    assert watched.points("durable_monitor.check.lateness") == {(kind,): 2}
    assert watched.points("durable_monitor.turns") == {(("end", end), kind): 1}
    assert watched.points("durable_monitor.condition.errors") == {}


def test_a_check_that_the_deadline_cut_off_and_one_that_could_not_be_judged_are_told(watched: Watched) -> None:
    with watched.observer.turn(simulated()) as observing:
        observing(Look(), lateness_seconds=0, seconds=1)
        observing(Look(error=error(ErrorClass.TRANSIENT), unjudged=True), lateness_seconds=0, seconds=1)
    results = {dict(pairs)["result"] for pairs in watched.points("durable_monitor.checks")}
    assert results == {"cut", "transient"}
    assert watched.points("durable_monitor.condition.errors") == {(("kind", "simulated"),): 1}


def test_a_verdict_is_counted_and_is_one_line(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    ended(watched, check={"kind": "simulated"})
    verdict = (("decided_by", "poll"), ("kind", "simulated"), ("verdict", "Completed"))
    assert watched.points("durable_monitor.verdicts") == {verdict: 1}
    assert watched.points("durable_monitor.monitor.duration") == {verdict[1:]: 12.5}
    assert [record.getMessage() for record in caplog.records] == [
        f"{request().job_id}: Completed after 3 checks in 12.5 s: it holds"
    ]


@pytest.mark.parametrize(("accepted", "outcome"), [(True, "accepted"), (False, "refused")])
@pytest.mark.parametrize(("name", "counted"), [("cancel", "cancel"), ("x" * 60, "other"), ("", "other")])
def test_a_command_is_counted_under_a_name_of_the_contract(
    watched: Watched, name: str, counted: str, accepted: bool, outcome: str
) -> None:
    told = CommandOutcome(id="1", name=name, at=START, accepted=accepted, message="m")
    watched.observer.tell(CONTEXT, Commanded(request(), "run-1", told))
    assert watched.points("durable_monitor.commands") == {(("command", counted), ("outcome", outcome)): 1}


@pytest.mark.parametrize("kind", ["no-such-kind", None, 7])
def test_a_kind_that_there_is_not_is_counted_as_other(watched: Watched, kind: object) -> None:
    turn = simulated().model_copy(update={"check": {"kind": kind}})
    observed(watched, turn, Look(error=error(ErrorClass.MISCONFIGURED)))
    asked = request().model_copy(update={"check": {"kind": kind}})
    decision = Decision(verdict=Verdict.ERROR, decided_by=DecidedBy.POLL, reason="r")
    watched.observer.tell(CONTEXT, Ended(asked, "run-1", decision, 1, 1.0))
    for name in ("checks", "check.lateness", "turns", "verdicts", "monitor.duration"):
        assert {dict(pairs)["kind"] for pairs in watched.points(f"durable_monitor.{name}")} == {"other"}, name


def test_what_a_stranger_said_is_masked(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    turn = simulated(job_id="job-s3cret").model_copy(update={"run": "run-s3cret"})
    observed(watched, turn, Look(seen()))
    ended(watched, "it said s3cret", job_id="job-s3cret")
    told = CommandOutcome(id="1", name="s3cret", at=START, accepted=False, message="what is s3cret?")
    watched.observer.tell(CONTEXT, Commanded(request(job_id="job-s3cret"), "run-1", told))
    attributes = dict(watched.span.attributes or {})
    assert (attributes["durable_monitor.job_id"], attributes["durable_monitor.run"]) == ("job-***", "run-***")
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "job-***: Completed after 3 checks in 12.5 s: it said ***",
        "job-***: *** refused: what is ***?",
    ]


def test_of_what_a_turn_raises_only_the_type_is_told(watched: Watched) -> None:
    with pytest.raises(ValueError, match="s3cret"), watched.observer.turn(simulated()):
        int("s3cret")
    span = watched.span
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")
    assert span.events == ()


def test_nothing_is_told_when_it_is_replayed(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    asked = request(polling={"interval_seconds": 5, "turn_seconds": 0}, timeout_seconds=600)
    engine = ExecutorEngine(asked, lambda number, _: Answer(str(number)), watched.observer.tell)
    for second in (1, 60, 200):
        engine.send(START + timedelta(seconds=second), {"name": "check_now", "id": f"c{second}"})
    result = engine.run()
    assert sum(len(dispatch.past) for dispatch in engine.dispatches) > 500, "it has been replayed, often"
    assert watched.points("durable_monitor.commands") == {(("command", "check_now"), ("outcome", "accepted")): 3}
    assert list(watched.points("durable_monitor.verdicts").values()) == [1]
    said = [record.getMessage() for record in caplog.records if record.name == "monitor_worker.observer"]
    assert len(said) == 4
    assert f"after {result['checks_performed']} checks in 600.0 s" in said[-1]


class Broken(SpanProcessor):
    """An exporter at its worst."""

    def on_start(self, span: Span, parent_context: object = None) -> None:
        raise RuntimeError("on_start s3cret")

    def on_end(self, span: ReadableSpan) -> None:
        raise RuntimeError("on_end s3cret")


class BrokenEnd(Broken):
    """At its second worst."""

    def on_start(self, span: Span, parent_context: object = None) -> None:
        """All well."""


@pytest.mark.parametrize("processor", [Broken(), BrokenEnd()])
def test_no_turn_fails_because_it_cannot_be_told_of(
    processor: SpanProcessor, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(processor)
    observed(watched, simulated(), Look(seen()))
    assert list(watched.points("durable_monitor.turns").values()) == [1]
    assert [record.getMessage() for record in caplog.records] == ["A monitor could not be told of: RuntimeError"]
    watched.close()


def test_no_orchestration_fails_because_it_cannot_be_told_of(watched: Watched) -> None:
    def fail(_: logging.LogRecord) -> bool:
        raise RuntimeError("a filter that fails")

    log = logging.getLogger("monitor_worker.observer")
    log.addFilter(fail)
    try:
        ended(watched, check={"kind": "simulated"})
    finally:
        log.removeFilter(fail)
    assert list(watched.points("durable_monitor.verdicts").values()) == [1]


def test_an_attempt_to_deliver_is_counted_by_its_kind_of_channel_and_what_came_of_it(watched: Watched) -> None:
    watched.observer.delivered("webhook", DeliveryOutcome.DELIVERED)
    watched.observer.delivered("no-such-channel", DeliveryOutcome.FAILED)
    assert watched.points("durable_monitor.deliveries") == {
        (("kind", "webhook"), ("outcome", "delivered")): 1,
        (("kind", "other"), ("outcome", "failed")): 1,
    }


def test_how_long_a_drain_took_is_measured(watched: Watched) -> None:
    watched.observer.drained(1.5)
    assert watched.points("durable_monitor.drain.duration") == {(): 1.5}
