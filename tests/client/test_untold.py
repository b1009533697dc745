"""Verdicts of monitors that were ended from outside: what is owed, by which ids, and before what."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc
import pytest
from durabletask.client import OrchestrationStatus as Runtime
from durabletask.task import FailureDetails

from monitor_client.errors import AlreadyEnded, SchedulerUnreachable, StillRunning, Unreadable
from monitor_client.gateway import Gateway
from monitor_client.untold import owed
from monitor_core.contract import (
    NOTIFY,
    DecidedBy,
    Delivery,
    MonitorInput,
    MonitorRequest,
    Occasion,
    Progress,
    Schedule,
    Verdict,
    delivery_prefix,
)
from support.fake_scheduler import (
    LAST,
    NOON,
    SETTINGS,
    FakeScheduler,
    Instance,
    failing,
    once,
    request,
    result,
    rpc_error,
    status,
)
from support.virtual import Answer, run

HOOK = {"kind": "webhook", "url": "https://hooks.example/a"}
OTHER = {"kind": "webhook", "url": "https://hooks.example/b"}
INSTANCE = "monitor-job-1"


def asked(*rules: dict[str, Any], **fields: Any) -> MonitorRequest:
    return request(on_verdict=rules or [{"to": HOOK}], **fields)


def outside(request: MonitorRequest, run: str = "run-1", **fields: Any) -> Instance:
    """A monitor that was terminated from outside, or what `fields` make of it."""
    given = MonitorInput(request=request, run=run).model_dump(mode="json")
    return Instance(**{"given": given, "runtime": Runtime.TERMINATED, "shown": status(run=run), **fields})


def of(instance: Instance) -> list[Delivery]:
    return list(owed(instance.state(INSTANCE)).values())


def deliveries(scheduler: FakeScheduler) -> list[Delivery]:
    return [Delivery.model_validate(one.given) for one in scheduler.instances.values() if one.name == NOTIFY]


def test_one_terminated_is_told_of_as_cancelled_by_an_operator_with_all_that_its_status_says() -> None:
    shown = status(revision=2, error="refused", check_count=5)
    (delivery,) = of(outside(asked(labels={"team": "ops"}), shown=shown))
    notice = delivery.notice
    assert (delivery.to, notice.occasion, notice.id) == (HOOK, Occasion.VERDICT, f"{INSTANCE}:run-1:Cancelled:2")
    assert (notice.status, notice.decided_by) == (Verdict.CANCELLED, DecidedBy.OPERATOR)
    assert notice.reason == "terminated from outside"
    assert (notice.observed, notice.summary, notice.error) == ("Running", shown["summary"], "refused")
    assert (notice.checks_performed, notice.kind, notice.labels) == (5, "simulated", {"team": "ops"})
    assert (notice.at, notice.started_at) == (LAST, NOON)
    assert notice.deadline.isoformat() == "2026-01-01T12:00:08+00:00"
    assert (notice.elapsed_seconds, round(notice.elapsed_percent)) == (15.0, 214)


def test_one_that_no_worker_ever_took_is_told_of_too() -> None:
    (delivery,) = of(outside(asked(timeout_seconds=60), shown=None))
    assert delivery.notice.id == f"{INSTANCE}:run-1:Cancelled:0"
    assert (delivery.notice.checks_performed, delivery.notice.observed) == (0, None)
    assert delivery.notice.deadline == NOON + timedelta(seconds=60)


def test_one_whose_status_is_gone_for_a_moment_is_told_of_as_of_its_renewal() -> None:
    progress = Progress(
        started_at=NOON - timedelta(hours=1),
        deadline=NOON + timedelta(hours=1),
        schedule=Schedule(anchor=NOON),
        revision=3,
        checks_performed=40,
        edited=asked(timeout_seconds=7200),
    )
    given = MonitorInput(request=asked(), run="run-1", progress=progress).model_dump(mode="json")
    (delivery,) = of(outside(asked(), given=given, shown=None))
    assert delivery.notice.id == f"{INSTANCE}:run-1:Cancelled:3"
    assert (delivery.notice.checks_performed, delivery.notice.started_at) == (40, progress.started_at)


def test_one_that_failed_is_told_of_as_an_error_without_the_text_of_the_failure() -> None:
    failure = FailureDetails("it said hunter2", "TypeError", None)
    (delivery,) = of(outside(asked(), runtime=Runtime.FAILED, failure=failure))
    assert (delivery.notice.status, delivery.notice.decided_by) == (Verdict.ERROR, None)
    assert delivery.notice.reason is not None
    assert delivery.notice.reason.endswith("a defect of Durable Monitor: TypeError")
    assert "hunter2" not in delivery.model_dump_json()


def test_only_who_asked_for_that_verdict_is_owed_it() -> None:
    rules: list[dict[str, Any]] = [
        {"to": HOOK, "verdicts": ["Completed"]},
        {"to": OTHER, "verdicts": ["Cancelled"]},
        {"to": HOOK},
    ]
    several = of(outside(asked(*rules)))
    assert [one.to for one in several] == [OTHER, HOOK]
    failed = of(outside(asked(*rules), runtime=Runtime.FAILED))
    assert [one.to for one in failed] == [HOOK]
    assert of(outside(request())) == []


@pytest.mark.parametrize("runtime", [one for one in Runtime if one not in {Runtime.TERMINATED, Runtime.FAILED}])
def test_nothing_is_owed_of_one_that_tells_itself(runtime: Runtime) -> None:
    output = result() if runtime is Runtime.COMPLETED else None
    assert of(outside(asked(), runtime=runtime, output=output)) == []


def test_one_that_cannot_be_read_is_owed_nothing_that_could_be_known() -> None:
    for given in ({"request": 1}, {"job_id": "bare"}):
        with pytest.raises(Unreadable):
            of(outside(asked(), given=given))
    assert of(replace(outside(asked()), given=None)) == []


def test_both_services_come_to_the_same_ids_and_the_same_notice() -> None:
    """As the orchestrator tells of its own verdict, so it is told where it was ended while it did."""
    rules = [{"to": HOOK}, {"to": OTHER, "verdicts": ["Cancelled", "Failed"]}]
    commands = [(7.0, {"name": "extend", "id": "e", "seconds": 60}), (9.0, {"name": "cancel", "id": "c"})]
    for target, sent in (
        (lambda number, _: Answer("Failed" if number > 2 else "Running"), []),
        (lambda *_: Answer(), commands),
    ):
        _, engine = run(target, *sent, on_verdict=rules)
        shown = engine.statuses[-1]
        ended = Instance(
            given=MonitorInput(request=engine.request, run="run-1").model_dump(mode="json"),
            runtime=Runtime.TERMINATED,
            shown=shown,
        )
        for_it = owed(ended.state(INSTANCE))
        assert list(for_it) == list(engine.told)
        assert len(for_it) == 2
        apart = {"at", "decided_by", "reason", "started_at", "elapsed_seconds", "elapsed_percent"}
        for instance, delivery in for_it.items():
            own = engine.told[instance]
            assert delivery.to == own.to
            assert delivery.notice.model_dump(exclude=apart) == own.notice.model_dump(exclude=apart)


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_one_that_shows_its_verdict_keeps_it_however_it_is_ended_then(verdict: Verdict) -> None:
    instance = outside(asked(), shown=status(status=verdict))
    (delivery,) = of(instance)
    assert delivery.notice.id == f"{INSTANCE}:run-1:{verdict}:0"
    assert (delivery.notice.decided_by, delivery.notice.reason) == (
        None,
        "terminated from outside, once it had its verdict",
    )
    seen = await FakeScheduler({INSTANCE: instance}).service().get("job-1")
    assert seen.verdict is verdict


async def test_a_restart_tells_first_and_then_takes_its_place() -> None:
    scheduler = FakeScheduler({INSTANCE: outside(asked(), run="old")})
    started = await scheduler.service().start(request(timeout_seconds=1), restart=True)
    assert scheduler.names() == ["schedule", "read", "schedule", "schedule"]
    assert [call["name"] for call in scheduler.given("schedule")] == ["monitor", NOTIFY, "monitor"]
    (delivery,) = deliveries(scheduler)
    assert delivery.notice.run == "old" != started.run
    (there,) = [name for name, one in scheduler.instances.items() if one.name == NOTIFY]
    assert there.startswith(delivery_prefix(INSTANCE))


async def test_a_start_that_is_no_restart_tells_nothing() -> None:
    scheduler = FakeScheduler({INSTANCE: outside(asked())})
    with pytest.raises(AlreadyEnded):
        await scheduler.service().start(asked())
    assert deliveries(scheduler) == []


async def test_a_restart_that_cannot_tell_leaves_the_monitor_where_it_is() -> None:
    scheduler = FakeScheduler({INSTANCE: outside(asked(), run="old")})
    scheduler.before = once(None, None, failing(rpc_error(grpc.StatusCode.UNAVAILABLE)))
    with pytest.raises(SchedulerUnreachable):
        await scheduler.service().start(asked(), restart=True)
    assert scheduler.instances[INSTANCE].given == outside(asked(), run="old").given


async def test_one_that_is_terminated_while_another_is_restarted_is_told_of_before_it_makes_room() -> None:
    scheduler = FakeScheduler()
    scheduler.put(asked(), "old", Instance(runtime=Runtime.COMPLETED, output=result(run="old")))

    def meanwhile() -> None:
        scheduler.instances[INSTANCE] = outside(asked(), run="between")

    scheduler.before = once(None, None, meanwhile)
    started = await scheduler.service().start(asked(), restart=True)
    assert [delivery.notice.run for delivery in deliveries(scheduler)] == ["between"]
    assert {"run": started.run}.items() <= (scheduler.instances[INSTANCE].given or {}).items()


async def test_a_purge_tells_first() -> None:
    scheduler = FakeScheduler({INSTANCE: outside(asked())})
    await scheduler.service().purge("job-1")
    assert scheduler.names() == ["read", "read", "schedule", "query", "purge", "purge"], (
        "and what might have begun it"
    )
    assert [delivery.notice.status for delivery in deliveries(scheduler)] == ["Cancelled"]
    assert INSTANCE not in scheduler.instances


async def test_a_purge_that_cannot_tell_deletes_nothing() -> None:
    scheduler = FakeScheduler({INSTANCE: outside(asked())})
    scheduler.before = once(None, None, failing(rpc_error(grpc.StatusCode.UNAVAILABLE)))
    with pytest.raises(SchedulerUnreachable):
        await scheduler.service().purge("job-1")
    assert INSTANCE in scheduler.instances


async def test_what_runs_is_neither_told_of_nor_deleted() -> None:
    scheduler = FakeScheduler({INSTANCE: outside(asked(), runtime=Runtime.RUNNING)})
    with pytest.raises(StillRunning):
        await scheduler.service().purge("job-1")
    assert scheduler.names() == ["read"]


async def test_what_was_told_is_not_told_again() -> None:
    scheduler = FakeScheduler({INSTANCE: outside(asked())})
    untold = scheduler.service().reconciler()
    assert [await untold.look(), await untold.look()] == [1, 0]
    gateway = Gateway(scheduler, SETTINGS)
    assert await gateway.purge(INSTANCE)
