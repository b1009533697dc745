"""What a load takes: rates, capacity of schedulers, replicas of workers. Pure."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from monitor_client.plan import figures
from monitor_client.plan.life import NOTICE_ACTIONS, Life, life
from monitor_core.contract import Model, Polling
from monitor_core.contract.request import YEAR, Seconds
from monitor_core.pace import WAITING_SHARE, turn_seconds

_MONTH_SECONDS: Final = figures.MONTH_HOURS * 3600
_MEASURED: Final = " or ".join(sorted(figures.CHECK_CPU_MS))
Lasting = Annotated[Seconds, Field(ge=1, le=YEAR)]
Several = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class Load(Model):
    """Monitors that are alike, and what they run on."""

    monitors: int = Field(ge=1, le=1_000_000_000, description="How many are running at a time.")
    polling: Polling = Polling()
    lasts_seconds: Lasting = Field(86_400.0, description="From a monitor's start to its verdict.")
    change_every_seconds: Lasting | None = Field(None, description="Between two changes of the observed status.")
    notices: int = Field(0, ge=0, le=10_000, description="Told of each monitor, in its whole life.")
    start_rate: Several = Field(100.0, description="Monitors a second, where all are started at once.")
    kind: str = Field("http", description="Of check.")
    check_cpu_ms: Several | None = Field(None, description="A worker's CPU for one check.")
    check_takes_seconds: Annotated[Seconds, Field(ge=0, le=60)] = Field(
        0.2, description="How long the target takes to answer."
    )
    replica_cpu: Annotated[float, Field(ge=0.1, le=1, allow_inf_nan=False)] = Field(
        figures.REPLICA_CPU, description="vCPU of a replica."
    )
    slots: Annotated[int, Field(ge=1, le=10_000)] = Field(figures.REPLICA_SLOTS, description="Of a replica.")

    @model_validator(mode="after")
    def _cpu_is_known(self) -> Self:
        if self.check_cpu_ms is None and self.kind not in figures.CHECK_CPU_MS:
            raise ValueError(f"{_MEASURED} was measured, {self.kind!r} was not: say --check-cpu-ms")
        return self

    @property
    def cpu_ms(self) -> float:
        """Of a worker, for one check."""
        return self.check_cpu_ms or figures.CHECK_CPU_MS[self.kind]


@dataclass(frozen=True, slots=True)
class Capacity:
    """Schedulers that are alike, each with as many units; 0 of them is Consumption."""

    schedulers: int
    units: int

    @property
    def sku(self) -> str:
        """Its name."""
        return "Dedicated" if self.units else "Consumption"

    @property
    def limit(self) -> int:
        """Actions a second of one scheduler."""
        return self.units * figures.UNIT_ACTIONS_PER_SECOND or figures.CONSUMPTION_ACTIONS_PER_SECOND


def capacity_for(actions_per_second: float) -> Capacity:
    """The least that has room for so many."""
    wanted = actions_per_second / figures.SCHEDULER_SHARE
    if wanted <= figures.CONSUMPTION_ACTIONS_PER_SECOND:
        return Capacity(1, 0)
    units = math.ceil(wanted / figures.UNIT_ACTIONS_PER_SECOND)
    if units <= figures.MOST_UNITS:
        return Capacity(1, units)
    schedulers = math.ceil(units / figures.MOST_UNITS)
    return Capacity(schedulers, math.ceil(units / schedulers))


def _as_made(load: Load) -> Polling:
    """How often checks are made: the ticks that fall into one are skipped."""
    polling = load.polling
    ticks = math.ceil(load.check_takes_seconds / polling.interval_seconds)
    if ticks <= 1:
        return polling
    interval, longest = ticks * polling.interval_seconds, polling.max_interval_seconds
    made = {
        "interval_seconds": interval,
        "max_interval_seconds": longest and max(longest * math.ceil(load.check_takes_seconds / longest), interval),
        "turn_seconds": turn_seconds(polling),
    }
    return polling.model_copy(update=made)


class Plan:
    """What a load takes. Rates are a second's, of all monitors, where each that ends is followed by another."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.life = self._until(load.lasts_seconds)
        self.actions_of_one = self.life.actions + NOTICE_ACTIONS * load.notices
        self.checks = self._rate(self.life.checks)
        self.turns = self._rate(self.life.turns)
        self.actions = self._rate(self.actions_of_one)
        self.actions_per_month = self.actions * _MONTH_SECONDS
        self.capacity = capacity_for(self.actions)

    def _until(self, seconds: float) -> Life:
        return life(_as_made(self.load), seconds, self.load.change_every_seconds or math.inf)

    def _rate(self, of_one: float) -> float:
        return self.load.monitors * of_one / self.load.lasts_seconds

    @property
    def start_seconds(self) -> float:
        """How long it takes to start all, at least a second."""
        return max(self.load.monitors / self.load.start_rate, 1.0)

    @cached_property
    def peak(self) -> float:
        """Actions a second when all have just been started: each second's starts, and what the others go on with.

        A monitor's first actions are its densest, so the most falls at the end of the starts.
        """
        seconds = min(self.start_seconds, self.load.lasts_seconds)
        return max(self.load.monitors / self.start_seconds * self._until(seconds).actions, self.actions)

    @property
    def waiting(self) -> float:
        """Turns that wait for their next check, at a time: each holds a slot."""
        return self._rate(self.life.waited)

    @property
    def checking(self) -> float:
        """Checks under way, at a time."""
        return self.checks * self.load.check_takes_seconds

    @property
    def cores(self) -> float:
        """CPU of all workers."""
        return (self.checks * self.load.cpu_ms + self.turns * figures.TURN_CPU_MS) / 1000

    @property
    def replicas_by_slots(self) -> float:
        """Workers that are full of turns; not a whole number."""
        slots = self.load.slots
        return max(self.waiting / (slots * WAITING_SHARE), (self.waiting + self.checking) / slots)

    @property
    def replicas_by_cpu(self) -> float:
        """Workers that are as busy as they may be; not a whole number."""
        return self.cores / (self.load.replica_cpu * figures.WORKER_SHARE)

    @property
    def replicas(self) -> int:
        """Of each scheduler: its workers serve no other."""
        each = max(self.replicas_by_slots, self.replicas_by_cpu) / self.capacity.schedulers
        return max(math.ceil(each - 1e-9), 1)

    @property
    def shares(self) -> dict[str, float]:
        """How full each resource of this plan is, as a part of what the plan lets it be."""
        workers, limit = self.replicas * self.capacity.schedulers, self.capacity.limit * self.capacity.schedulers
        return {
            "actions": self.actions / (limit * figures.SCHEDULER_SHARE),
            "slots": self.replicas_by_slots / workers,
            "cpu": self.replicas_by_cpu / workers,
        }

    @property
    def bottleneck(self) -> str:
        """What is full first when there are more monitors: `actions`, `slots` or `cpu`."""
        return max(self.shares, key=lambda name: self.shares[name])

    def with_turns_of(self, seconds: float) -> "Plan":
        """The same load with turns of that length."""
        polling = self.load.polling.model_copy(update={"turn_seconds": seconds})
        return Plan(self.load.model_copy(update={"polling": polling}))
