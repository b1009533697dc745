"""Every metric there is: its name, unit, kind and attributes. docs/operate.md shows them.

The attributes are bounded: words of the contract, kinds of check that are enabled, routes. Never a job or a host.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from opentelemetry import metrics
from opentelemetry.metrics import Counter, Histogram, MeterProvider, UpDownCounter

SCOPE: Final = "durable_monitor"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LONG: Final = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Args:
        name: after OpenTelemetry's conventions.
        type: what is counted up, what goes up and down, or what is distributed.
        unit: UCUM.
        says: what it tells, in a few words.
        attributes: the names of all that a measurement may carry.
        bounds: a histogram's buckets.
    """

    name: str
    type: Literal["counter", "histogram", "up_down_counter"]
    unit: str
    says: str
    attributes: tuple[str, ...] = ()
    bounds: tuple[float, ...] = _SECONDS


CHECKS: Final = Metric("durable_monitor.checks", "counter", "{check}", "checks made", ("kind", "result"))
CHECK_DURATION: Final = Metric(
    "durable_monitor.check.duration", "histogram", "s", "how long a check took", ("kind", "result")
)
CHECK_LATENESS: Final = Metric(
    "durable_monitor.check.lateness", "histogram", "s", "how long after it was due a check began", ("kind",)
)
CONDITION_ERRORS: Final = Metric(
    "durable_monitor.condition.errors",
    "counter",
    "{error}",
    "checks whose condition gave no answer",
    ("kind",),
)
TURNS: Final = Metric("durable_monitor.turns", "counter", "{turn}", "turns made", ("kind", "end"))
TURN_DURATION: Final = Metric(
    "durable_monitor.turn.duration",
    "histogram",
    "s",
    "how long a turn held its thread, waiting included",
    ("kind", "end"),
)
VERDICTS: Final = Metric(
    "durable_monitor.verdicts", "counter", "{monitor}", "monitors that ended", ("kind", "verdict", "decided_by")
)
MONITOR_DURATION: Final = Metric(
    "durable_monitor.monitor.duration",
    "histogram",
    "s",
    "how long a monitor took, from its start to its verdict",
    ("kind", "verdict"),
    _LONG,
)
COMMANDS: Final = Metric(
    "durable_monitor.commands", "counter", "{command}", "commands that monitors took", ("command", "outcome")
)
DELIVERIES: Final = Metric(
    "durable_monitor.deliveries",
    "counter",
    "{attempt}",
    "attempts to deliver a notice",
    ("kind", "outcome"),
)
UNTOLD: Final = Metric(
    "durable_monitor.untold",
    "counter",
    "{notice}",
    "verdicts told for monitors that were ended from outside, one a delivery",
    ("kind",),
)
DRAIN_DURATION: Final = Metric(
    "durable_monitor.drain.duration", "histogram", "s", "how long a worker took to drain"
)
VIEWERS: Final = Metric(
    "durable_monitor.viewers", "up_down_counter", "{viewer}", "who watches a monitor live just now"
)
REQUEST_DURATION: Final = Metric(
    "http.server.request.duration",
    "histogram",
    "s",
    "how long the API took to answer; of event streams, how long they were watched",
    ("http.request.method", "http.route", "http.response.status_code"),
)
METRICS: Final[Mapping[str, Metric]] = {
    metric.name: metric for metric in list(globals().values()) if isinstance(metric, Metric)
}


class Instruments:
    """Makes the instruments; they do nothing where no telemetry is sent.

    Args:
        provider: of the meter; the global one unless given.
    """

    def __init__(self, provider: MeterProvider | None = None) -> None:
        self._meter = metrics.get_meter(SCOPE, meter_provider=provider)

    def counter(self, metric: Metric) -> Counter:
        """What is counted up."""
        return self._meter.create_counter(metric.name, metric.unit, metric.says)

    def up_down_counter(self, metric: Metric) -> UpDownCounter:
        """What goes up and down."""
        return self._meter.create_up_down_counter(metric.name, metric.unit, metric.says)

    def histogram(self, metric: Metric) -> Histogram:
        """What is distributed."""
        return self._meter.create_histogram(
            metric.name, metric.unit, metric.says, explicit_bucket_boundaries_advisory=metric.bounds
        )
