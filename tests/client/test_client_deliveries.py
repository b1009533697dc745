"""What became of a monitor's notices: how each stands, of which run, at what cost; and which a purge deletes."""

from typing import Any

import pytest
from durabletask.client import OrchestrationStatus as Runtime
from durabletask.task import FailureDetails

from monitor_client.delivery_rows import is_failed, told_rows
from monitor_client.delivery_view import DeliveryView
from monitor_client.listing import Selection
from monitor_core.contract import TELL, CheckNow, Delivery, DeliveryOutcome, instance_id, telling_id
from support.fake_scheduler import (
    NOON,
    FakeScheduler,
    Instance,
    notice,
    once,
    request,
    result,
    status,
    told,
)

HOOK = {"to": {"kind": "webhook", "url": "https://example.com/0"}}
OTHER = {"to": {"kind": "webhook", "url": "https://example.com/1"}}


def monitored(*hooks: dict[str, Any], ended: bool = True) -> FakeScheduler:
    scheduler = FakeScheduler()
    runtime = Runtime.COMPLETED if ended else Runtime.RUNNING
    instance = Instance(shown=status(), output=result() if ended else None, runtime=runtime)
    scheduler.put(request(on_verdict=list(hooks)), "run-1", instance)
    return scheduler


async def deliveries(scheduler: FakeScheduler) -> list[DeliveryView]:
    found = (await scheduler.service().get("job-1")).deliveries
    assert found is not None
    return list(found)


async def rows(scheduler: FakeScheduler) -> list[str]:
    return [" ".join(row) for row in told_rows(await scheduler.service().get("job-1"), NOON)]


DEFECT = "which is a defect of Durable Monitor"
PENDING = told("pending", detail="HTTP 503", attempts=2, next_attempt_at="2026-01-01T12:00:31Z")


@pytest.mark.parametrize(
    ("instance", "outcome", "row"),
    [
        (
            Instance(output=told(), runtime=Runtime.COMPLETED),
            "delivered",
            "delivered after 1 attempt (HTTP 204)",
        ),
        (
            Instance(output=told("failed", detail="HTTP 410"), shown=PENDING, runtime=Runtime.COMPLETED),
            "failed",
            "failed after 1 attempt: HTTP 410",
        ),
        (
            Instance(shown=PENDING),
            "pending",
            "pending, next attempt 12:00:31Z (in 30 s); 2 attempts, the last: HTTP 503",
        ),
        (Instance(), "pending", "pending, no attempt yet"),
        (Instance(runtime=Runtime.PENDING), "pending", "pending, no attempt yet"),
        (
            Instance(shown=PENDING, runtime=Runtime.TERMINATED),
            "failed",
            "failed after 2 attempts: terminated from outside",
        ),
        (
            Instance(runtime=Runtime.FAILED, failure=FailureDetails("it\nbroke", "TypeError", None)),
            "failed",
            f"failed after 0 attempts: its orchestration failed, {DEFECT}: TypeError: it broke",
        ),
    ],
)
async def test_each_delivery_says_how_it_stands(instance: Instance, outcome: str, row: str) -> None:
    scheduler = monitored(HOOK)
    scheduler.deliver(notice(), 0, instance)
    (one,) = await deliveries(scheduler)
    assert (one.outcome, one.kind, one.occasion, one.position) == (outcome, "webhook", "verdict", 0)
    assert one.id == notice().id
    assert (one.next_attempt_at is not None) == (outcome == "pending" and instance.shown is not None)
    assert await rows(scheduler) == [f"told webhook verdict: {row}"]


async def test_a_row_is_known_for_a_failure_by_its_outcome_alone() -> None:
    scheduler = monitored(HOOK)
    scheduler.deliver(notice(), 0, Instance(output=told(detail="x: failed"), runtime=Runtime.COMPLETED))
    assert [is_failed(row) for row in await rows(scheduler)] == [False]
    scheduler.deliver(notice(), 0, Instance(output=told("failed"), runtime=Runtime.COMPLETED))
    assert [is_failed(row) for row in await rows(scheduler)] == [True]


async def test_the_newest_come_first_a_verdict_before_its_change_and_channels_in_order() -> None:
    scheduler = monitored(HOOK, OTHER)
    earlier = notice(id="a", occasion="reminder", at=NOON.replace(second=0))
    for said in (earlier, notice(id="b", occasion="transition"), notice()):
        for position in (1, 0):
            scheduler.deliver(said, position, Instance())
    assert [(one.occasion, one.position) for one in await deliveries(scheduler)] == [
        ("verdict", 0),
        ("verdict", 1),
        ("transition", 0),
        ("transition", 1),
        ("reminder", 0),
        ("reminder", 1),
    ]
    assert (await rows(scheduler))[:2] == [
        "told webhook (on_verdict.0) verdict: pending, no attempt yet",
        " webhook (on_verdict.1) verdict: pending, no attempt yet",
    ]


async def test_those_of_other_runs_and_of_other_monitors_are_not_of_this_one() -> None:
    scheduler = monitored(HOOK)
    scheduler.deliver(notice(run="run-0"), 0, Instance())
    scheduler.deliver(notice(instance_id=instance_id("job-2")), 0, Instance())
    assert await deliveries(scheduler) == []
    assert await rows(scheduler) == ["told nothing yet"]


async def test_what_a_newer_worker_says_more_is_passed_over_and_what_cannot_be_read_is_counted() -> None:
    scheduler = monitored(HOOK)
    scheduler.deliver(notice(), 0, Instance(output=told(new=1), runtime=Runtime.COMPLETED))
    newer = notice(id="b").model_dump(mode="json") | {"occasion": "anniversary"}
    scheduler.deliver(notice(id="b"), 0, Instance(given={"to": HOOK["to"], "notice": newer}))
    view = await scheduler.service().get("job-1")
    assert [one.outcome for one in view.deliveries or ()] == [DeliveryOutcome.DELIVERED]
    assert view.deliveries_note == "1 of a newer version left out"
    assert (await rows(scheduler))[-1] == " (1 of a newer version left out)"


async def test_they_cost_one_query_and_nothing_where_nobody_is_told() -> None:
    scheduler = monitored(HOOK)
    assert await deliveries(scheduler) == []
    assert scheduler.names() == ["read", "query"]
    plain = monitored()
    view = await plain.service().get("job-1")
    assert (view.deliveries, plain.names()) == (None, ["read"])
    assert list(told_rows(view, NOON)) == []


async def test_a_list_a_watch_a_command_and_who_does_not_ask_do_not_look() -> None:
    scheduler = monitored(HOOK)
    scheduler.deliver(notice(), 0, Instance())
    service = scheduler.service()
    (listed,) = (await service.list(Selection())).monitors
    assert (listed.deliveries, scheduler.names()) == (None, ["query"])
    scheduler.calls.clear()
    assert [view.deliveries async for view in service.watch("job-1")] == [None]
    assert (await service.get("job-1", deliveries=False)).deliveries is None
    running = monitored(HOOK, ended=False)
    await running.service().send("job-1", CheckNow(id="1"), wait_seconds=0)
    assert "query" not in scheduler.names() + running.names()


async def test_of_many_the_newest_hundred_are_shown_and_it_is_said() -> None:
    scheduler = monitored(HOOK)
    for second in range(59):
        for millisecond in (0, 500):
            at = NOON.replace(second=second, microsecond=millisecond * 1000)
            scheduler.deliver(notice(id=f"{at}", occasion="reminder", at=at), 0, Instance())
    scheduler.deliver(notice(at=NOON.replace(minute=1)), 0, Instance())
    view = await scheduler.service().get("job-1")
    assert view.deliveries is not None
    assert (len(view.deliveries), view.deliveries[0].occasion) == (100, "verdict")
    assert view.deliveries_note == "the newest 100; there are more"
    assert scheduler.names() == ["read", "query", "query"]


async def test_however_many_there_are_the_scheduler_is_asked_ten_times_at_most() -> None:
    scheduler = monitored(HOOK)
    for number in range(1100):
        scheduler.deliver(notice(id=str(number)), 0, Instance())
    view = await scheduler.service().get("job-1")
    assert scheduler.names().count("query") == 10
    assert view.deliveries_note == "the newest 100; there are more; there may be later ones"


async def test_a_purge_deletes_the_deliveries_of_every_run_that_are_over_and_no_others() -> None:
    scheduler = monitored(HOOK)
    scheduler.deliver(notice(), 0, Instance(output=told(), runtime=Runtime.COMPLETED))
    pending = notice(run="run-0", id="a")
    scheduler.deliver(pending, 0, Instance(shown=PENDING))
    for number in range(120):
        scheduler.deliver(notice(id=f"{number}"), 0, Instance(output=told(), runtime=Runtime.COMPLETED))
    other = notice(instance_id=instance_id("job-2"))
    scheduler.deliver(other, 0, Instance(shown=PENDING))
    await scheduler.service().purge("job-1")
    assert [one.given for one in scheduler.instances.values()] == [
        {"to": HOOK["to"], "notice": one.model_dump(mode="json")} for one in (pending, other)
    ]
    assert not scheduler.given("terminate")


async def test_a_purge_deletes_what_has_begun_the_deliveries_too_for_the_notices_are_its_input() -> None:
    scheduler = monitored(HOOK, OTHER)
    verdict, change = notice(), notice(id="t", occasion="transition")
    late = notice(id="r", occasion="reminder", at=NOON.replace(minute=1))
    for together in ([(verdict, 0), (verdict, 1), (change, 0)], [(late, 0)]):
        given = {}
        for said, position in together:
            scheduler.deliver(said, position, Instance(output=told(), runtime=Runtime.COMPLETED))
            instance = list(scheduler.instances)[-1]
            given[instance] = Delivery.model_validate(scheduler.instances[instance].given)
        begun = Instance(given=scheduler.instances[instance].given, runtime=Runtime.COMPLETED, name=TELL)
        scheduler.instances[telling_id(given)] = begun
    await scheduler.service().purge("job-1")
    assert scheduler.instances == {}


async def test_a_purge_that_breaks_off_leaves_the_monitor_to_be_purged_again() -> None:
    scheduler = monitored(HOOK)
    scheduler.deliver(notice(), 0, Instance(output=told(), runtime=Runtime.COMPLETED))

    def broken() -> None:
        raise ConnectionError

    scheduler.before = once(None, None, None, broken)
    with pytest.raises(ConnectionError):
        await scheduler.service().purge("job-1")
    assert len(scheduler.instances) == 2
    await scheduler.service().purge("job-1")
    assert scheduler.instances == {}


async def test_a_running_monitor_keeps_its_deliveries() -> None:
    scheduler = monitored(HOOK, ended=False)
    scheduler.deliver(notice(occasion="transition"), 0, Instance())
    with pytest.raises(Exception, match="cancel it first"):
        await scheduler.service().purge("job-1")
    assert len(scheduler.instances) == 2
