"""What the worker tells the operators: a span for each turn, metrics, and a log line for each verdict.

It uses the OpenTelemetry API alone: where nothing is sent it costs next to nothing. The attributes of metrics are
bounded; whatever a stranger has said is masked. No monitor fails because it could not be told of.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from durabletask.task import OrchestrationContext
from opentelemetry import context, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, TracerProvider

from monitor_core import channels
from monitor_core.contract import DeliveryOutcome, Turn, TurnReport
from monitor_core.contract.command import COMMANDS
from monitor_core.scheduler import trace_of
from monitor_core.telemetry import metrics, telling_of
from monitor_worker.checks.masking import Mask
from monitor_worker.events import Commanded, Ended, Event
from monitor_worker.telling import around, never_failing
from monitor_worker.turns import Look

_log = logging.getLogger(__name__)
_OTHER = "other"
_CUT = "cut"
_LOST = "lost"


class Observer:
    """Observes the turns and monitors of a worker. Safe on any thread.

    Args:
        kinds: the kinds of check there are; what is asked for besides is counted as `other`.
        mask: takes secrets out of what is told.
        traces: of the spans; the global provider unless given.
        meters: of the metrics, likewise.
    """

    def __init__(
        self,
        kinds: Iterable[str],
        mask: Mask,
        *,
        traces: TracerProvider | None = None,
        meters: MeterProvider | None = None,
    ) -> None:
        self._kinds, self._mask = frozenset(kinds), mask
        self._tracer = trace.get_tracer(metrics.SCOPE, tracer_provider=traces)
        new = metrics.Instruments(meters)
        self._checks = new.counter(metrics.CHECKS)
        self._check_duration = new.histogram(metrics.CHECK_DURATION)
        self._lateness = new.histogram(metrics.CHECK_LATENESS)
        self._condition_errors = new.counter(metrics.CONDITION_ERRORS)
        self._turns = new.counter(metrics.TURNS)
        self._turn_duration = new.histogram(metrics.TURN_DURATION)
        self._verdicts = new.counter(metrics.VERDICTS)
        self._monitor_duration = new.histogram(metrics.MONITOR_DURATION)
        self._commands = new.counter(metrics.COMMANDS)
        self._deliveries = new.counter(metrics.DELIVERIES)
        self._drain_duration = new.histogram(metrics.DRAIN_DURATION)

    @contextmanager
    def turn(self, turn: Turn) -> Iterator["ObservedTurn"]:
        """A turn around a block: its span, and what its log lines are about."""
        kind = self._kind(turn.check.get("kind"))
        job_id, run = self._mask(turn.job_id), self._mask(turn.run)
        attributes = {"durable_monitor.job_id": job_id, "durable_monitor.run": run}
        numbers = {"durable_monitor.turn": turn.turn, "durable_monitor.revision": turn.revision}
        span: Span = trace.INVALID_SPAN
        with never_failing():
            span = self._tracer.start_span(
                "turn", attributes={**attributes, **numbers, "durable_monitor.kind": kind}
            )
        with telling_of({"job_id": job_id, "run": run, "turn": turn.turn}), around(span):
            observed = ObservedTurn(self, span, kind)
            try:
                yield observed
            except Exception:
                observed.lost()
                raise

    def check(self, kind: str, result: str, look: Look, late: float, seconds: float) -> None:
        """Count a check."""
        self._checks.add(1, {"kind": kind, "result": result})
        self._check_duration.record(seconds, {"kind": kind, "result": result})
        self._lateness.record(late, {"kind": kind})
        if look.unjudged:
            self._condition_errors.add(1, {"kind": kind})

    def turned(self, kind: str, end: str, seconds: float) -> None:
        """Count a turn."""
        self._turns.add(1, {"kind": kind, "end": end})
        self._turn_duration.record(seconds, {"kind": kind, "end": end})

    def delivered(self, kind: str, outcome: DeliveryOutcome) -> None:
        """Count an attempt to deliver a notice."""
        known = kind if kind in channels.BUILT_IN else _OTHER
        with never_failing():
            self._deliveries.add(1, {"kind": known, "outcome": outcome.value})

    def drained(self, seconds: float) -> None:
        """Take in how long the worker took to drain."""
        self._drain_duration.record(seconds)

    def tell(self, ctx: OrchestrationContext, event: Event) -> None:
        """Count what a monitor tells, and log it in the monitor's own trace. It never raises."""
        with never_failing():
            token = context.attach(trace_of(ctx) or context.get_current())
            try:
                with telling_of({"job_id": self._mask(event.request.job_id), "run": self._mask(event.run)}):
                    self._ended(event) if isinstance(event, Ended) else self._commanded(event)
            finally:
                context.detach(token)

    def _ended(self, event: Ended) -> None:
        kind, decision = self._kind(event.request.check.get("kind")), event.decision
        verdict = decision.verdict.value
        self._verdicts.add(1, {"kind": kind, "verdict": verdict, "decided_by": decision.decided_by.value})
        self._monitor_duration.record(event.seconds, {"kind": kind, "verdict": verdict})
        job_id, reason = self._mask(event.request.job_id), self._mask(decision.reason)
        _log.info("%s: %s after %d checks in %.1f s: %s", job_id, verdict, event.checks, event.seconds, reason)

    def _commanded(self, event: Commanded) -> None:
        outcome = event.outcome
        name = outcome.name if outcome.name in COMMANDS else _OTHER
        word = "accepted" if outcome.accepted else "refused"
        self._commands.add(1, {"command": name, "outcome": word})
        said = map(self._mask, (event.request.job_id, outcome.name, word, outcome.message))
        _log.info("%s: %s %s: %s", *said)

    def _kind(self, kind: object) -> str:
        return kind if isinstance(kind, str) and kind in self._kinds else _OTHER


class ObservedTurn:
    """A turn under way. It is a `CheckObserver`: call it for each check, and `ended` or `lost` once."""

    def __init__(self, observer: Observer, span: Span, kind: str) -> None:
        self._observer, self._span, self._kind = observer, span, kind
        self._began = time.monotonic()

    def __call__(self, look: Look, *, lateness_seconds: float, seconds: float) -> None:
        """Take in a check."""
        with never_failing():
            self._checked(look, lateness_seconds, seconds)

    def ended(self, report: TurnReport) -> None:
        """Take in how the turn ended."""
        with never_failing():
            self._ended(report.ended_by.value)
            self._span.set_attribute("durable_monitor.checks", report.checks)

    def lost(self) -> None:
        """Take in that the turn has no report."""
        with never_failing():
            self._ended(_LOST)

    def _ended(self, end: str) -> None:
        self._observer.turned(self._kind, end, time.monotonic() - self._began)
        self._span.set_attribute("durable_monitor.turn.end", end)

    def _checked(self, look: Look, lateness_seconds: float, seconds: float) -> None:
        seen, error = look.observation, look.error
        result = error.error_class.value if error else "ok" if seen else _CUT
        self._observer.check(self._kind, result, look, lateness_seconds, seconds)
        if self._span.is_recording():
            status = {"durable_monitor.check.status": seen.status} if seen else {}
            took = {"durable_monitor.check.duration": seconds, "durable_monitor.check.lateness": lateness_seconds}
            what = {"durable_monitor.kind": self._kind, "durable_monitor.check.result": result}
            self._span.add_event("check", {**what, **status, **took})
