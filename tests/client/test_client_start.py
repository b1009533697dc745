"""Identity: what a start comes to when there is something in its way."""

import asyncio
from typing import Any

import pytest
from durabletask.client import OrchestrationStatus as Runtime

from monitor_client.errors import AlreadyEnded, Conflict, Contested, Unreadable
from monitor_client.identity import How
from monitor_core.contract import ORCHESTRATOR, VERSION, MonitorInput, Progress, RequestError, Schedule
from support.fake_scheduler import NOON, FakeScheduler, Instance, once, request, result, status, statuses

ENDED = [Runtime.COMPLETED, Runtime.FAILED, Runtime.TERMINATED]
GOING_ON = [Runtime.PENDING, Runtime.RUNNING, Runtime.SUSPENDED, Runtime.CONTINUED_AS_NEW]


def ended(runtime: Runtime = Runtime.COMPLETED) -> Instance:
    return Instance(runtime=runtime, output=result(run="old") if runtime is Runtime.COMPLETED else None)


async def test_a_start_says_what_the_contract_says_and_no_more() -> None:
    scheduler = FakeScheduler()
    started = await scheduler.service().start(request(timeout_seconds=60))
    assert (started.job_id, started.instance_id, started.how) == ("job-1", "monitor-job-1", How.STARTED)
    assert scheduler.given("schedule") == [{"name": ORCHESTRATOR, "version": VERSION, "replaceable": []}]
    assert scheduler.instances["monitor-job-1"].given == {
        "request": {"job_id": "job-1", "check": {"kind": "simulated"}, "timeout_seconds": 60},
        "run": started.run,
    }


async def test_every_start_is_a_run_of_its_own_unless_it_is_given_one() -> None:
    scheduler = FakeScheduler()
    service = scheduler.service()
    runs = {(await service.start(request(job))).run for job in ("a", "b")}
    assert len(runs) == 2
    assert (await service.start(request("c"), run="given")).run == "given"


@pytest.mark.parametrize("runtime", [*GOING_ON, *ENDED])
async def test_a_start_that_is_sent_again_finds_itself(runtime: Runtime) -> None:
    scheduler = FakeScheduler()
    scheduler.put(
        request(),
        "mine",
        Instance(runtime=runtime, output=result(run="mine") if runtime is Runtime.COMPLETED else None),
    )
    started = await scheduler.service().start(request(), run="mine", restart=True)
    assert (started.run, started.how) == ("mine", How.MINE)
    assert scheduler.names() == ["schedule", "read"], "it is not started again, whatever has become of it"


@pytest.mark.parametrize("runtime", GOING_ON)
async def test_the_same_asked_again_attaches_to_what_runs(runtime: Runtime) -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "theirs", Instance(runtime=runtime))
    started = await scheduler.service().start(request(), restart=True)
    assert (started.run, started.how) == ("theirs", How.ATTACHED)


async def test_the_same_is_recognised_after_continue_as_new() -> None:
    scheduler = FakeScheduler()
    progress = Progress(started_at=NOON, deadline=NOON, schedule=Schedule(anchor=NOON), checks_performed=7)
    renewed = MonitorInput(request=request(), run="theirs", progress=progress).model_dump(mode="json")
    scheduler.put(request(), "theirs", Instance(given=renewed, shown=None))
    assert (await scheduler.service().start(request())).how is How.ATTACHED


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("runtime", GOING_ON)
async def test_something_else_asked_of_a_running_job_is_a_conflict(runtime: Runtime, restart: bool) -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(polling={"interval_seconds": 2}, labels={"a": "b"}), "theirs", Instance(runtime=runtime))
    with pytest.raises(Conflict, match=r"labels\.a \(.*\), polling\.interval_seconds \(") as caught:
        await scheduler.service().start(request(), restart=restart)
    assert caught.value.fields == {
        "labels.a": '"b" runs, the default is asked for',
        "polling.interval_seconds": "2.0 runs, the default is asked for",
    }
    assert scheduler.names() == ["schedule", "read"]


@pytest.mark.parametrize(
    ("runtime", "verdict"),
    [(Runtime.COMPLETED, "Completed"), (Runtime.FAILED, "Error"), (Runtime.TERMINATED, "Cancelled")],
)
async def test_an_ended_job_is_left_alone_without_being_asked(runtime: Runtime, verdict: str) -> None:
    scheduler = FakeScheduler()
    standing = scheduler.put(request(), "old", ended(runtime))
    with pytest.raises(AlreadyEnded, match=f"ended as {verdict}.*restart") as caught:
        await scheduler.service().start(request())
    assert caught.value.verdict == verdict
    assert scheduler.instances["monitor-job-1"] is standing


@pytest.mark.parametrize("runtime", ENDED)
async def test_an_ended_job_is_started_anew_on_request_whatever_is_asked_now(runtime: Runtime) -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(timeout_seconds=99), "old", ended(runtime))
    started = await scheduler.service().start(request(), restart=True)
    assert started.how is How.RESTARTED
    assert started.run != "old"
    first, second = (call["replaceable"] for call in scheduler.given("schedule"))
    assert first == [], "a late duplicate of the first attempt must not start it again"
    assert set(second) == statuses([runtime]), "and never does a start replace what runs, or ended otherwise"


async def test_who_loses_the_race_to_restart_attaches_to_who_won() -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "old", ended())
    scheduler.before = once(None, None, lambda: scheduler.put(request(), "winner", Instance()))
    started = await scheduler.service().start(request(), restart=True)
    assert (started.run, started.how) == ("winner", How.ATTACHED)


async def test_who_loses_the_race_to_another_request_is_told() -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "old", ended())
    other = request(timeout_seconds=1)
    scheduler.before = once(None, None, lambda: scheduler.put(other, "winner", Instance()))
    with pytest.raises(Conflict, match="timeout_seconds"):
        await scheduler.service().start(request(), restart=True)


async def test_of_many_restarts_at_once_one_starts_and_the_others_attach_to_it() -> None:
    scheduler = FakeScheduler(seconds=0.001)
    scheduler.put(request(), "old", ended())
    service = scheduler.service()
    started = await asyncio.gather(*(service.start(request(), restart=True) for _ in range(8)))
    assert len({one.run for one in started}) == 1
    assert sorted(one.how for one in started) == [How.ATTACHED] * 7 + [How.RESTARTED]


async def test_what_was_purged_meanwhile_is_not_in_the_way() -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "old", Instance())
    scheduler.before = once(None, scheduler.instances.clear)
    started = await scheduler.service().start(request())
    assert started.how is How.STARTED
    assert [call["replaceable"] for call in scheduler.given("schedule")] == [[], []]


async def test_a_job_that_others_keep_restarting_is_given_up() -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "old", Instance())

    def flicker(name: str) -> None:
        scheduler.instances["monitor-job-1"].runtime = Runtime.RUNNING if name == "schedule" else Runtime.FAILED

    scheduler.before = flicker
    with pytest.raises(Contested, match="try again"):
        await scheduler.service().start(request(), restart=True)


async def test_a_condition_that_does_not_compile_starts_nothing() -> None:
    scheduler = FakeScheduler()
    with pytest.raises(RequestError, match=r"success_when: column 1: undeclared reference to 'statu'"):
        await scheduler.service().start(request(success_when="statu == 'x'"))
    assert scheduler.calls == []


@pytest.mark.parametrize(
    "instance",
    [Instance(given={"request": {"job_id": "job-1"}, "run": "x"}), Instance(given={}, name="something")],
)
async def test_what_is_no_monitor_of_ours_is_not_touched(instance: Instance) -> None:
    scheduler = FakeScheduler(instances={"monitor-job-1": instance})
    with pytest.raises(Unreadable, match="monitor-job-1"):
        await scheduler.service().start(request(), restart=True)
    assert scheduler.names() == ["schedule", "read"]


async def test_a_status_says_nothing_about_who_may_join() -> None:
    shown: dict[str, Any] = status(run="theirs")
    scheduler = FakeScheduler()
    scheduler.put(request(), "theirs", Instance(shown=shown))
    assert (await scheduler.service().start(request())).run == "theirs"


async def test_a_start_that_finds_its_own_attempt_knows_the_callback_and_another_does_not() -> None:
    scheduler = FakeScheduler()

    def goes_through_unheard(name: str) -> None:
        if name == "read":
            return
        scheduler.before = lambda _: None
        digest = scheduler.pending["callback_digest"]
        given = {
            "request": scheduler.pending["request"],
            "run": scheduler.pending["run"],
            "callback_digest": digest,
        }
        scheduler.instances["monitor-job-1"] = Instance(given=given)

    scheduler.before = goes_through_unheard
    started = await scheduler.service().start(request(callback=True))
    assert started.how is How.MINE
    assert started.callback is not None
    again = await scheduler.service().start(request(callback=True))
    assert (again.how, again.callback) == (How.ATTACHED, None)
    assert "nobody keeps it" in str(again.note)
