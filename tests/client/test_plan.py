"""What a plan says of a load: rates, schedulers, workers, advice, and how wrong numbers are refused."""

import math
import re
from typing import Any

import pytest

from infra.sources import read
from monitor_client.plan import figures
from monitor_client.plan.advice import advice
from monitor_client.plan.command import load_of
from monitor_client.plan.numbers import few, percent
from monitor_client.plan.shown import plan_document, plan_rows
from monitor_client.plan.sizing import Capacity, Plan, capacity_for
from monitor_core.contract import RequestError
from monitor_core.settings import WorkerSettings
from support.command_line import run

CLOSE = 0.01


def planned(**options: object) -> Plan:
    return Plan(load_of({name: str(value) for name, value in {"monitors": 1000, **options}.items()}))


def test_rates_are_those_of_all_monitors() -> None:
    plan = planned(monitors=833, interval=10, turn_seconds=0)
    assert plan.checks == pytest.approx(83.3, rel=CLOSE)
    assert plan.actions == pytest.approx(83.3 * (3 + 1 / 12.5), rel=CLOSE)
    assert plan.actions_per_month == pytest.approx(plan.actions * 730 * 3600)


def test_a_monitor_that_ends_is_followed_by_another() -> None:
    short, long = planned(interval=5, lasts=5), planned(interval=5, lasts=50_000)
    assert short.actions == pytest.approx(1000 * (1 + 4 + 1) / 5)
    assert long.actions == pytest.approx(1000 * 3.08 / 5, rel=CLOSE)


def test_ticks_that_fall_into_a_check_are_skipped() -> None:
    assert planned(interval=1, check_takes=1).checks == pytest.approx(1000, rel=CLOSE)
    assert planned(interval=1, check_takes=2.5).checks == pytest.approx(1000 / 3, rel=CLOSE)
    assert planned(interval=4, check_takes=5).turns < planned(interval=8, check_takes=5).turns, (
        "it is still frequent"
    )
    grown = {"interval": 1, "check_takes": 30, "backoff": 2}
    assert planned(**grown, max_interval=10).checks == pytest.approx(1000 / 30, rel=CLOSE)
    assert planned(**grown, max_interval=60).checks == pytest.approx(1000 / 60, rel=CLOSE)
    assert planned(**grown, max_interval=20).checks == pytest.approx(1000 / 40, rel=CLOSE)


def test_a_notice_takes_actions() -> None:
    told, silent = planned(lasts=100, notices=2), planned(lasts=100)
    assert told.actions - silent.actions == pytest.approx(1000 * 2 * 5 / 100)


@pytest.mark.parametrize(
    ("actions", "capacity", "limit"),
    [
        (0, Capacity(1, 0), 500),
        (400, Capacity(1, 0), 500),
        (401, Capacity(1, 1), 2000),
        (1601, Capacity(1, 2), 4000),
        (4800, Capacity(1, 3), 6000),
        (4801, Capacity(2, 2), 4000),
        (48_001, Capacity(11, 3), 6000),
    ],
)
def test_the_least_capacity_with_room_to_spare_is_taken(actions: float, capacity: Capacity, limit: int) -> None:
    taken = capacity_for(actions)
    assert (taken, taken.limit) == (capacity, limit)


@pytest.mark.parametrize(
    ("start_rate", "seconds", "each"),
    [
        (1000, 1, 3),  # in the first second: the start, and a turn
        (5000, 1, 3),  # never faster than all in one second
        (100, 10, 1 + 2 * 3 + 2),  # in the first 10 s: the start, the checks at 0, 5 and 10 s, and the timers
    ],
)
def test_at_the_start_each_second_has_the_actions_of_all_ages(
    start_rate: float, seconds: float, each: int
) -> None:
    plan = planned(start_rate=start_rate)
    assert plan.start_seconds == seconds
    assert plan.peak == pytest.approx(1000 / seconds * each)


def test_waiting_turns_take_three_quarters_of_the_slots() -> None:
    plan = planned(monitors=30_000, interval=5, turn_seconds=60, check_cpu_ms=0.01, check_takes=0)
    assert plan.replicas_by_slots == pytest.approx(30_000 / 1500, rel=CLOSE)
    assert (plan.replicas, plan.bottleneck) == (20, "slots")


def test_checks_under_way_take_slots_too() -> None:
    slow = planned(monitors=10_000, interval=10, check_takes=30)  # each is always under way
    assert slow.replicas_by_slots == pytest.approx(5, rel=CLOSE)


def test_cpu_is_that_of_checks_and_turns() -> None:
    plan = planned(monitors=1000, interval=1, turn_seconds=0, kind="simulated", replica_cpu=1)
    assert plan.cores == pytest.approx(1 * (0.2 + 3), rel=CLOSE)
    assert plan.replicas_by_cpu == pytest.approx(plan.cores / 0.7)
    assert planned(interval=1, turn_seconds=0, check_cpu_ms=7).cores == pytest.approx(10, rel=CLOSE)


def test_workers_serve_one_scheduler_each() -> None:
    plan = planned(monitors=100_000, interval=60, turn_seconds=0)
    assert plan.capacity == Capacity(2, 2)
    assert plan.replicas == math.ceil(max(plan.replicas_by_cpu, plan.replicas_by_slots) / 2)
    assert plan_document(plan)["workers"]["replicas"] == 2 * plan.replicas


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"monitors": 10_000}, "--turn-seconds 60: 316 actions a second, 95 % fewer; Consumption, 7 workers"),
        ({"interval": 3900}, "--interval 3600: checks more often"),
        ({"monitors": 5000, "start_rate": 5000, "interval": 60}, "by up to 29 s, and none is lost: start "),
        ({"monitors": 1_000_000, "interval": 60}, "sha256(job_id) mod 11, about 90,900 monitors each"),
        ({"monitors": 10_000_000, "interval": 60}, "a region has 25 schedulers"),
        ({"monitors": 10_000}, "MONITOR_MIN_REPLICAS and MONITOR_MAX_REPLICAS 11: "),
        ({"monitors": 1000}, "MONITOR_MIN_REPLICAS 3: "),
        ({"monitors": 3300}, "MONITOR_MIN_REPLICAS 7: "),
        ({"interval": 60, "check_cpu_ms": 100}, "MONITOR_MIN_REPLICAS and MONITOR_MAX_REPLICAS 5: "),
    ],
)
def test_what_is_worth_it_is_advised(options: dict[str, Any], said: str) -> None:
    assert [sentence for sentence in advice(planned(**options)) if said in sentence], advice(planned(**options))


def test_nothing_is_advised_where_nothing_is_worth_it() -> None:
    plan = planned(monitors=10, interval=3600)
    assert advice(plan) == []
    assert ("advice", "none: nothing here is worth a change") in list(plan_rows(plan))


def test_the_advised_start_is_one_that_the_scheduler_keeps_up_with() -> None:
    asked = {"monitors": 5000, "interval": 60}
    sentence = next(one for one in advice(planned(start_rate=5000, **asked)) if "at the start" in one)
    found = re.search(r"start ([\d,]+) a second", sentence)
    assert found is not None
    rate = found[1].replace(",", "")
    plan = planned(start_rate=rate, **asked)
    assert plan.peak <= plan.capacity.limit * (1 + CLOSE)
    assert not [one for one in advice(planned(start_rate=float(rate) * 0.99, **asked)) if "at the start" in one]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"monitors": "x"}, "--monitors: should be a whole number (got 'x')"),
        ({"monitors": "0"}, "--monitors: should be greater than or equal to 1 (got 0)"),
        ({"interval": "0"}, "--interval: should be greater than or equal to 0.1 (got 0)"),
        ({"lasts": "nan"}, "--lasts: should be a number (got 'nan')"),
        ({"turn_seconds": "61"}, "--turn-seconds: should be 'auto' (got 61), or should be less"),
        ({"backoff": "2", "max_interval": "2"}, "--max-interval: should not be below --interval"),
        ({"backoff": "1.001"}, "--backoff: should be 1, or at least 1.01 for a plan"),
        ({"max_interval": "6"}, "--max-interval: has no effect without a --backoff above 1"),
        ({"kind": "sql"}, "--kind: http or simulated was measured, 'sql' was not: say --check-cpu-ms"),
        ({"check_cpu_ms": "0"}, "--check-cpu-ms: should be greater than 0 (got 0)"),
        ({"slots": "1.5", "notices": "-1"}, "--notices: should be greater than or equal to 0 (got -1); --slots: "),
    ],
)
def test_a_wrong_number_is_told_by_its_option(options: dict[str, str], problem: str) -> None:
    with pytest.raises(RequestError) as refused:
        planned(**options)
    assert str(refused.value).startswith(problem)


def test_a_kind_that_was_not_measured_takes_a_figure() -> None:
    assert planned(kind="sql", check_cpu_ms=2).load.cpu_ms == 2


def test_the_command_prints_rows_and_documents() -> None:
    shown, document = run("plan", "--monitors", "1000"), run("plan", "-n", "1000", "-o", "json")
    assert (shown.code, shown.err, document.code, document.err) == (0, "", 0, "")
    assert shown.out.splitlines()[0] == "monitors    1,000 at a time, each for 1 d, a check every 5 s"
    assert document.json == plan_document(planned())
    assert document.json["scheduler"]["sku"] == "Dedicated"


@pytest.mark.parametrize(
    "arguments", [(), ("-n", "5", "-o", "ids"), ("-n", "0"), ("-n", "5", "--interval", "soon")]
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...]) -> None:
    ran = run("plan", *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("Error: ")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (0.00004, "under 0.01"),
        (0.0625, "0.0625"),
        (3.333, "3.33"),
        (10, "10"),
        (100, "100"),
        (999.9, "1,000"),
        (1316, "1,320"),
        (99_950, "100,000"),
        (999_999, "1 million"),
        (15_776_000_000, "15.8 billion"),
    ],
)
def test_a_number_has_three_digits(number: float, said: str) -> None:
    assert few(number) == said


def test_a_share_that_is_not_nothing_is_not_said_to_be() -> None:
    assert [percent(part) for part in (0, 0.0001, 0.5, 1)] == ["0 %", "1 %", "50 %", "100 %"]


def test_the_figures_are_those_that_are_deployed_and_documented() -> None:
    sources = read()
    limits = re.search(r"actionLimit = isProduction \? (\d+) : (\d+)", sources["infra/main.bicep"])
    assert limits is not None
    most = figures.MOST_UNITS * figures.UNIT_ACTIONS_PER_SECOND
    assert limits.groups() == (str(most), str(figures.CONSUMPTION_ACTIONS_PER_SECOND))
    assert "| Limit | 500 actions/s | 2,000 actions/s a unit, at most 3 units |" in sources["docs/deploy.md"]
    assert f"| Schedulers | 10 | {figures.SCHEDULERS_PER_REGION} |" in sources["docs/deploy.md"]
    worker = sources["infra/worker.bicep"]
    assert f"cpu: json('{figures.REPLICA_CPU}')" in worker
    for production, development in zip(figures.PRODUCTION_REPLICAS, figures.DEVELOPMENT_REPLICAS, strict=True):
        assert f"(isProduction ? {production} : {development})" in worker
    assert f"capacity: {figures.PRODUCTION_UNITS} }}" in sources["infra/modules/scheduler.bicep"]
    assert WorkerSettings.model_fields["max_activities"].default == figures.REPLICA_SLOTS
