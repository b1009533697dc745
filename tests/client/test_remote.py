"""Monitors through a served API: each method as the service's own, each error the one that it was made of."""

from collections.abc import AsyncIterator, Iterator

import grpc
import pytest
from durabletask.client import OrchestrationStatus as Runtime

from monitor_client import errors
from monitor_client.api import create_app
from monitor_client.http_api import HttpApi
from monitor_client.identity import How, Started
from monitor_client.listing import Selection
from monitor_client.remote import RemoteMonitors
from monitor_core.contract import (
    CheckNow,
    CommandOutcome,
    MonitorRequest,
    RequestError,
    Resume,
    Verdict,
    instance_id,
)
from support.fake_scheduler import (
    FakeScheduler,
    Instance,
    failing,
    notice,
    once,
    request,
    result,
    rpc_error,
    status,
    told,
)
from support.lively_scheduler import LivelyScheduler, outcome
from support.serving import serving


@pytest.fixture
def scheduler() -> LivelyScheduler:
    return LivelyScheduler()


@pytest.fixture
def server(scheduler: LivelyScheduler) -> Iterator[str]:
    service = scheduler.service()
    app = create_app(service, "http://scheduler", requests_per_second=10_000, outcome_seconds=0.3)
    with serving(app) as url:
        yield url


@pytest.fixture
async def remote(server: str) -> AsyncIterator[RemoteMonitors]:
    api = HttpApi(server)
    yield RemoteMonitors(api)
    await api.close()


def ended(scheduler: FakeScheduler, job_id: str = "job-1") -> Instance:
    instance = Instance(shown=status(), output=result(job_id=job_id), runtime=Runtime.COMPLETED)
    return scheduler.put(request(job_id), "run-1", instance)


async def test_a_monitor_is_started_joined_watched_and_deleted(remote: RemoteMonitors) -> None:
    asked = request(timeout_seconds=60, labels={"team": "red"})
    started = await remote.start(asked)
    assert (started.how, started.job_id) == (How.STARTED, "job-1")
    assert (await remote.start(asked)).how is How.ATTACHED
    assert (await remote.start(asked, run=started.run)).how is How.MINE
    assert (await remote.get("job-1")).request == asked
    views = [view async for view in remote.watch("job-1", started.run)]
    assert [view.verdict for view in views][-1] is Verdict.COMPLETED
    assert (await remote.start(asked, restart=True)).how is How.RESTARTED
    async for last in remote.watch("job-1"):
        assert last.job_id == "job-1"
    await remote.purge("job-1")
    with pytest.raises(errors.NotFound, match="no monitor of 'job-1' in the task hub 'hub'"):
        await remote.get("job-1")


async def test_the_errors_of_a_start_are_the_service_s_own(
    remote: RemoteMonitors, scheduler: LivelyScheduler
) -> None:
    scheduler.looks = 1000
    with pytest.raises(RequestError) as refused:
        await remote.start(request(success_when="nope"))
    assert [problem.field for problem in refused.value.problems] == ["success_when"]
    scheduler.put(request(), "run-1", Instance(shown=status()))
    with pytest.raises(
        errors.Conflict, match=r"with another timeout_seconds \(the default runs, 600.0 is asked for\): watch"
    ) as conflict:
        await remote.start(request(timeout_seconds=600))
    assert tuple(conflict.value.fields) == ("timeout_seconds",)
    with pytest.raises(errors.StillRunning, match="cancel it first"):
        await remote.purge("job-1")
    ended(scheduler)
    with pytest.raises(errors.AlreadyEnded, match="set restart"):
        await remote.start(request())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.SchedulerUnreachable),
        (grpc.StatusCode.PERMISSION_DENIED, errors.NotAllowed),
        (grpc.StatusCode.INTERNAL, errors.SchedulerRefused),
    ],
)
async def test_what_the_scheduler_does_to_the_server_is_told(
    remote: RemoteMonitors, scheduler: LivelyScheduler, code: grpc.StatusCode, kind: type[Exception]
) -> None:
    scheduler.before = once(failing(rpc_error(code, "why not")))
    with pytest.raises(kind, match="why not") as told:
        await remote.get("job-1")
    assert not isinstance(told.value, errors.ServerUnreachable)


async def test_many_are_started_a_thousand_at_a_time_and_none_hinders_another(
    remote: RemoteMonitors, scheduler: LivelyScheduler
) -> None:
    ended(scheduler, "job-3")
    asked = [request(f"job-{number}") for number in range(1100)]
    asked[1001] = request("bad", success_when="nope")
    came = {position: outcome async for position, outcome in remote.start_many(asked)}
    assert sorted(came) == list(range(1100))
    odd = {position: type(one) for position, one in came.items() if not isinstance(one, Started)}
    assert odd == {3: errors.AlreadyEnded, 1001: RequestError}
    last = came[1099]
    assert isinstance(last, Started)
    assert last.job_id == "job-1099"


async def test_many_large_requests_fit_a_request_each(remote: RemoteMonitors) -> None:
    asked: list[MonitorRequest] = [
        request(
            f"job-{n}",
            check={
                "kind": "http",
                "url": "http://h/",
                "method": "POST",
                "allow_repeat": True,
                "body": "x" * 200_000,
            },
        )
        for n in range(50)
    ]
    came = [outcome async for _, outcome in remote.start_many(asked)]
    assert [type(one) for one in came] == [Started] * 50


async def test_a_monitor_of_a_large_request_is_watched(remote: RemoteMonitors, scheduler: LivelyScheduler) -> None:
    check = {"kind": "http", "url": "http://h/", "method": "POST", "allow_repeat": True, "body": "x" * 250_000}
    await remote.start(request(check=check))
    assert [view.verdict async for view in remote.watch("job-1")][-1] is Verdict.COMPLETED


async def test_a_list_goes_on_page_by_page(remote: RemoteMonitors, scheduler: LivelyScheduler) -> None:
    for number in range(3):
        scheduler.put(request(f"a+{number}", labels={"x": "a=b&c"}), "run-1", Instance(shown=status()))
    scheduler.put(request("b"), "run-1", Instance(shown=status()))
    first = await remote.list(Selection(prefix="a+", labels={"x": "a=b&c"}, state="running"), limit=2)
    assert (len(first.monitors), first.token is not None) == (2, True)
    second = await remote.list(Selection(prefix="a+"), token=first.token, limit=2)
    assert ([view.job_id for view in second.monitors], second.token) == (["a+2"], None)


async def test_commands_are_answered_refused_and_left_unanswered(
    remote: RemoteMonitors, scheduler: LivelyScheduler
) -> None:
    scheduler.looks = 1000
    instance = scheduler.put(request(), "run-1", Instance(shown=status()))
    done = await remote.send("job-1", CheckNow(id="c-1"))
    assert done is not None
    assert (done.id, done.accepted) == ("c-1", True)
    said = {**outcome({"id": "c-2", "name": "resume"}), "accepted": False, "message": "it is not paused"}
    scheduler.before = lambda _: setattr(instance, "shown", status(commands=[said]))
    refused = await remote.send("job-1", Resume(id="c-2"))
    assert refused is not None
    assert refused == CommandOutcome.model_validate(said)
    scheduler.before = lambda _: setattr(instance, "shown", status(commands=[]))
    assert await remote.send("job-1", CheckNow(id="c-3")) is None
    with pytest.raises(errors.NotFound):
        await remote.send("nobody", CheckNow(id="c-4"))


async def test_an_explanation_comes_whole_or_not_in_time(
    remote: RemoteMonitors, scheduler: LivelyScheduler
) -> None:
    assert (await remote.explain(request())).job_id == "job-1"
    scheduler.seconds = 1
    with pytest.raises(errors.NotAnswered, match=r"cannot explain 'job-1': .* has not answered within 0.1 s"):
        await remote.explain(request(), wait_seconds=0.1)


async def test_a_watch_ends_where_the_run_is_another_or_the_monitor_gone(
    remote: RemoteMonitors, scheduler: LivelyScheduler
) -> None:
    scheduler.looks = 1000
    scheduler.put(request(), "run-2", Instance(shown=status(run="run-2")))
    with pytest.raises(errors.RunReplaced, match="run run-1 of 'job-1' was replaced by run run-2"):
        await anext(remote.watch("job-1", "run-1"))
    views = remote.watch("job-1")
    await anext(views)
    del scheduler.instances[instance_id("job-1")]
    with pytest.raises(errors.NotFound):
        await anext(views)


async def test_a_server_without_a_free_seat_is_asked_for_the_monitor_itself(scheduler: LivelyScheduler) -> None:
    ended(scheduler)
    app = create_app(scheduler.service(), "http://scheduler", most_viewers=0)
    with serving(app) as url:
        api = HttpApi(url)
        views = [view async for view in RemoteMonitors(api).watch("job-1")]
        await api.close()
    assert [view.verdict for view in views] == [Verdict.COMPLETED]


async def test_who_asks_too_often_waits_as_long_as_the_server_says(scheduler: LivelyScheduler) -> None:
    with serving(create_app(scheduler.service(), "http://scheduler", requests_per_second=3)) as url:
        api = HttpApi(url)
        remote = RemoteMonitors(api)
        hows = [(await remote.start(request(f"job-{number}"))).how for number in range(5)]
        await api.close()
    assert hows == [How.STARTED] * 5


async def test_what_became_of_what_is_told_comes_along_where_it_is_asked_for(
    remote: RemoteMonitors, scheduler: LivelyScheduler
) -> None:
    asked = request(on_verdict=[{"to": {"kind": "webhook", "url": "https://example.com/"}}])
    scheduler.put(asked, "run-1", Instance(output=result(), runtime=Runtime.COMPLETED))
    scheduler.deliver(notice(), 0, Instance(output=told(), runtime=Runtime.COMPLETED))
    view = await remote.get("job-1")
    assert [one.detail for one in view.deliveries or ()] == ["HTTP 204"]
    assert view == await scheduler.service().get("job-1")
    assert (await remote.get("job-1", deliveries=False)).deliveries is None
    await remote.purge("job-1")
    assert scheduler.instances == {}
