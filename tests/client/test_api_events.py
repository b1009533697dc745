"""Server-sent events over real HTTP: each the monitor whole, an end that reconnects learn of, errors in time."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from durabletask.client import OrchestrationStatus
from starlette.requests import Request

from monitor_client.api import create_app
from monitor_client.api.access import Principal, Role
from support.fake_scheduler import FakeScheduler, Instance, request, result, status
from support.serving import serving

Event = dict[str, str]


@pytest.fixture
def scheduler() -> FakeScheduler:
    return FakeScheduler()


@pytest.fixture
def base(scheduler: FakeScheduler) -> Iterator[str]:
    with serving(create_app(scheduler.service(), "http://scheduler")) as url:
        yield url


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    event: Event = {}
    async for line in answer.content:
        name, separator, value = line.decode().rstrip("\n").partition(": ")
        if separator and name:
            event[name] = value
        elif event:
            yield event
            event = {}


def finish(instance: Instance) -> None:

    instance.output, instance.runtime = result(revision=2), OrchestrationStatus.COMPLETED


async def test_a_monitor_is_shown_until_its_verdict_and_a_reconnect_after_that_is_ended(
    base: str, scheduler: FakeScheduler
) -> None:
    instance = scheduler.put(request(), "run-1", Instance(shown=status()))
    async with aiohttp.ClientSession() as http, http.get(f"{base}/monitors/job-1/events") as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        seen = events(answer)
        first = await anext(seen)
        assert (first["event"], first["id"]) == ("monitor", "run-1.0.3")
        assert json.loads(first["data"])["state"] == "Running"
        finish(instance)
        last = [event async for event in seen][-1]
        assert (last["event"], last["id"]) == ("verdict", "run-1.2.4.Completed")
        assert json.loads(last["data"])["result"]["final_status"] == "Completed"
    again = {"Last-Event-ID": last["id"]}
    async with aiohttp.ClientSession() as http, http.get(f"{base}/monitors/job-1/events", headers=again) as answer:
        assert answer.status == 204


async def test_a_verdict_without_another_check_is_not_missed_by_who_reconnects(
    base: str, scheduler: FakeScheduler
) -> None:
    instance = scheduler.put(request(), "run-1", Instance(shown=status(check_count=4)))
    finish(instance)
    url, headers = f"{base}/monitors/job-1/events", {"Last-Event-ID": "run-1.2.4"}
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        assert answer.status == 200
        assert (await anext(events(answer)))["event"] == "verdict"


async def test_who_reconnects_in_the_middle_sees_how_it_stands_now(base: str, scheduler: FakeScheduler) -> None:
    scheduler.put(request(), "run-1", Instance(shown=status(check_count=9)))
    headers = {"Last-Event-ID": "run-1.0.3"}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{base}/monitors/job-1/events", headers=headers) as answer,
    ):
        assert (await anext(events(answer)))["id"] == "run-1.0.9"


class Changing:
    """Whose roles are taken away, or given, while they look."""

    def __init__(self) -> None:
        self.roles = frozenset({Role.READ})

    async def principal(self, request: Request) -> Principal:
        return Principal("me", self.roles)

    def admit_outsider(self, request: Request) -> None:
        """Whoever it is."""


async def test_who_has_lost_the_role_sees_no_more_than_the_stream_s_rest(scheduler: FakeScheduler) -> None:
    instance = scheduler.put(request(), "run-1", Instance(shown=status()))
    who = Changing()
    app = create_app(scheduler.service(), "http://scheduler", authenticator=who, stream_seconds=0.5)
    with serving(app) as url:
        async with asyncio.timeout(8), aiohttp.ClientSession() as http:
            async with http.get(f"{url}/monitors/job-1/events") as answer:
                seen = events(answer)
                await anext(seen)
                who.roles = frozenset()
                assert [event async for event in seen] == [], "it ends by itself, while the monitor goes on"
            async with http.get(f"{url}/monitors/job-1/events") as answer:
                assert answer.status == 403
            who.roles = frozenset({Role.READ})
            finish(instance)
            async with http.get(f"{url}/monitors/job-1/events") as answer:
                assert (await anext(events(answer)))["event"] == "verdict"
    assert app.state.live.watched == 0


@pytest.mark.parametrize("last", ["run-0.0.9.Completed", "run-1.2.4.Failed", "", "x" * 2000])
async def test_the_last_event_of_another_run_ends_nothing(base: str, scheduler: FakeScheduler, last: str) -> None:
    finish(scheduler.put(request(), "run-1", Instance(shown=status())))
    url, headers = f"{base}/monitors/job-1/events", {"Last-Event-ID": last}
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        first = await anext(events(answer))
        assert (first["event"], first["id"]) == ("verdict", "run-1.2.4.Completed")


async def test_what_is_wrong_at_first_has_its_own_code(base: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{base}/monitors/job-1/events") as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


async def test_what_goes_wrong_later_is_an_event(base: str, scheduler: FakeScheduler) -> None:
    scheduler.put(request(), "run-1", Instance(shown=status()))
    async with aiohttp.ClientSession() as http, http.get(f"{base}/monitors/job-1/events") as answer:
        seen = events(answer)
        await anext(seen)
        scheduler.instances.clear()
        last = [event async for event in seen][-1]
        assert last["event"] == "problem"
        assert json.loads(last["data"])["status"] == 404
