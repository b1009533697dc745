"""What to do about a plan: one sentence for each thing that is worth it. Pure."""

from collections.abc import Iterator
from typing import Final

from monitor_client.plan import figures
from monitor_client.plan.numbers import few, percent
from monitor_client.plan.sizing import Capacity, Plan
from monitor_core.pace import LONG_SLEEP_SECONDS, turn_seconds
from monitor_core.words import count, span

_TURNS: Final = (15.0, 30.0, 60.0)
_WORTH_IT: Final = 0.2
_NO_LIMIT: Final = 1.0


def advice(plan: Plan) -> list[str]:
    """The sentences, what saves most first."""
    return [*_turns(plan), *_sleeps(plan), *_starts(plan), *_split(plan), *_units(plan), *_replicas(plan)]


def _turns(plan: Plan) -> Iterator[str]:
    """Longer turns, each length that saves much against the one before."""
    before = plan
    for seconds in _TURNS:
        if seconds <= turn_seconds(plan.load.polling):
            continue
        longer = plan.with_turns_of(seconds)
        if longer.actions < before.actions * (1 - _WORTH_IT):
            saved = f"{few(longer.actions)} actions a second, {percent(1 - longer.actions / plan.actions)} fewer"
            yield f"--turn-seconds {seconds:g}: {saved}; {takes(longer)}"
            before = longer


def takes(plan: Plan) -> str:
    """`Consumption, 3 workers`."""
    workers = count(plan.replicas * plan.capacity.schedulers, "worker")
    return f"{sku_of(plan.capacity)}, {workers}"


def sku_of(capacity: Capacity) -> str:
    """`Consumption`, `Dedicated with 2 units`, `5 x Dedicated with 3 units`."""
    units = f" with {count(capacity.units, 'unit')}" if capacity.units else ""
    many = f"{capacity.schedulers:,} x " if capacity.schedulers > 1 else ""
    return f"{many}{capacity.sku}{units}"


def _sleeps(plan: Plan) -> Iterator[str]:
    interval = plan.load.polling.interval_seconds
    if plan.load.polling.backoff == 1 and LONG_SLEEP_SECONDS < interval <= LONG_SLEEP_SECONDS / 3 * 4:
        yield "--interval 3600: checks more often for as many actions; a longer sleep renews the history each time"


def _starts(plan: Plan) -> Iterator[str]:
    limit = plan.capacity.limit * plan.capacity.schedulers
    if plan.peak <= limit:
        return
    behind = span((plan.peak / limit - _NO_LIMIT) * plan.start_seconds)
    slower = _rate_below(plan, limit)
    how = f": start {few(slower)} a second instead" if slower else ""
    yield f"at the start checks come late, by up to {behind}, and none is lost{how}"


def _rate_below(plan: Plan, limit: float) -> float:
    """The fastest start, to a tenth, that the schedulers keep up with; 0 where that takes a whole life."""
    rate = plan.load.start_rate
    while plan.load.monitors / rate < plan.load.lasts_seconds:
        rate *= 0.9
        if Plan(plan.load.model_copy(update={"start_rate": rate})).peak <= limit:
            return rate
    return 0.0


def _split(plan: Plan) -> Iterator[str]:
    number = plan.capacity.schedulers
    if number == 1:
        return
    share = few(plan.load.monitors / number)
    yield f"split by job id: to scheduler sha256(job_id) mod {number}, about {share} monitors each (docs/scale.md)"
    if number > figures.SCHEDULERS_PER_REGION:
        most = figures.SCHEDULERS_PER_REGION
        yield f"a region has {most} schedulers for a subscription: take several regions, or ask Microsoft for more"


def _units(plan: Plan) -> Iterator[str]:
    if plan.capacity.units:
        preset = f"MONITOR_PRESET production: Dedicated, with {figures.PRODUCTION_UNITS} units"
        other = (
            "" if plan.capacity.units == figures.PRODUCTION_UNITS else "; fewer in infra/modules/scheduler.bicep"
        )
        yield f"{preset}{other}"


def _replicas(plan: Plan) -> Iterator[str]:
    least, most = figures.PRODUCTION_REPLICAS if plan.capacity.units else figures.DEVELOPMENT_REPLICAS
    if plan.replicas <= least:
        return
    names = ["MONITOR_MIN_REPLICAS", *(["MONITOR_MAX_REPLICAS"] if plan.replicas > most else [])]
    yield f"{' and '.join(names)} {plan.replicas}: the scaler adds a worker only once work waits"
