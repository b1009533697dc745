"""A plan as rows for people and as a document for programs. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from monitor_client.plan import figures
from monitor_client.plan.advice import advice, sku_of
from monitor_client.plan.numbers import few, percent
from monitor_client.plan.sizing import Plan
from monitor_client.rows import Row
from monitor_core.pace import WAITING_SHARE, turn_seconds
from monitor_core.words import count, span

PRICES: Final = "https://azure.microsoft.com/pricing/details/functions/"


def plan_document(plan: Plan) -> dict[str, Any]:
    """All of the plan, numbers as they are."""
    one, capacity = plan.life, plan.capacity
    return {
        "load": {**plan.load.model_dump(mode="json"), "check_cpu_ms": plan.load.cpu_ms},
        "one_monitor": {
            "checks": one.checks,
            "turns": one.turns,
            "timers": one.timers,
            "renewals": one.renewals,
            "actions": plan.actions_of_one,
            "actions_per_check": plan.actions_of_one / one.checks,
        },
        "checks_per_second": plan.checks,
        "actions_per_second": plan.actions,
        "actions_per_month": plan.actions_per_month,
        "start": {"seconds": plan.start_seconds, "actions_per_second": plan.peak},
        "scheduler": {
            "schedulers": capacity.schedulers,
            "sku": capacity.sku,
            "capacity_units": capacity.units,
            "actions_per_second_each": capacity.limit,
            "used": plan.actions / (capacity.limit * capacity.schedulers),
        },
        "workers": {
            "replicas": plan.replicas * capacity.schedulers,
            "replicas_per_scheduler": plan.replicas,
            "by_slots": plan.replicas_by_slots,
            "by_cpu": plan.replicas_by_cpu,
            "cpu": plan.cores,
            "turns_waiting": plan.waiting,
            "checks_under_way": plan.checking,
        },
        "bottleneck": plan.bottleneck,
        "advice": advice(plan),
    }


def plan_rows(plan: Plan) -> Iterator[Row]:
    """What is shown on a terminal."""
    yield "monitors", _load(plan)
    yield "checks", f"{few(plan.checks)} a second"
    yield "actions", _actions(plan)
    yield "", f"{few(plan.actions_per_month)} a month of {figures.MONTH_HOURS} h"
    yield "", f"{few(plan.peak)} a second while all are started, {_start(plan)}"
    yield "scheduler", _scheduler(plan)
    yield "workers", _workers(plan)
    yield "", f"by slots {few(plan.replicas_by_slots)}: {_slots(plan)}"
    yield "", f"by CPU {few(plan.replicas_by_cpu)}: {_cpu(plan)}"
    yield "bottleneck", _bottleneck(plan)
    for index, sentence in enumerate(advice(plan) or ["none: nothing here is worth a change"]):
        yield "" if index else "advice", sentence
    what = "capacity units, whatever they do" if plan.capacity.units else "actions"
    yield "billed", f"{what}; and replicas"
    yield "", f"no prices here: {PRICES}"


def _load(plan: Plan) -> str:
    polling, load = plan.load.polling, plan.load
    parts = [
        f"{load.monitors:,} at a time, each for {span(load.lasts_seconds)}",
        f"a check every {polling.interval_seconds:,g} s",
    ]
    if polling.backoff != 1:
        parts[-1] += f" growing by {polling.backoff:g}"
    if turn_seconds(polling):
        parts.append(f"turns of {turn_seconds(polling):g} s")
    return ", ".join(parts)


def _actions(plan: Plan) -> str:
    return f"{few(plan.actions)} a second, {few(plan.actions_of_one / plan.life.checks)} a check (a plain loop: 3)"


def _start(plan: Plan) -> str:
    rate = plan.load.monitors / plan.start_seconds
    return f"{few(rate)} a second for {span(plan.start_seconds)}"


def _scheduler(plan: Plan) -> str:
    capacity = plan.capacity
    used = percent(plan.actions / (capacity.limit * capacity.schedulers))
    each = " each" if capacity.schedulers > 1 else ""
    return f"{sku_of(capacity)}, {used} of {capacity.limit:,} actions a second{each}"


def _workers(plan: Plan) -> str:
    size = f"of {plan.load.replica_cpu:g} vCPU and {plan.load.slots:,} slots"
    number = plan.replicas * plan.capacity.schedulers
    each = f", {plan.replicas:,} for each scheduler" if plan.capacity.schedulers > 1 else ""
    return f"{count(number, 'replica')} {size}{each}"


def _slots(plan: Plan) -> str:
    may = int(plan.load.slots * WAITING_SHARE)
    return f"{few(plan.waiting)} turns wait ({may:,} a replica), {few(plan.checking)} checks are made"


def _cpu(plan: Plan) -> str:
    each = f"{plan.load.cpu_ms:g} ms a check, {figures.TURN_CPU_MS:g} ms a turn"
    return f"{few(plan.cores)} cores ({each}), {percent(figures.WORKER_SHARE)} of each used"


def _bottleneck(plan: Plan) -> str:
    names = {"actions": "the scheduler's actions", "slots": "the workers' slots", "cpu": "the workers' CPU"}
    share = percent(plan.shares[plan.bottleneck])
    return f"{names[plan.bottleneck]}, {share} of what is planned for"
