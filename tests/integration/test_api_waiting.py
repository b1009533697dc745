"""azure-core's own pollers wait on monitors: the service as a process, a real scheduler and a worker."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core import AsyncPipelineClient, PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.polling import AsyncLROPoller, LROPoller
from azure.core.polling.async_base_polling import AsyncLROBasePolling
from azure.core.polling.base_polling import LROBasePolling
from azure.core.rest import HttpRequest

from stack import stack
from support.asking import ask
from support.hub import Hub, hub

PATIENCE = 60
SIMULATED = {"kind": "simulated", "checks": 2}
FAST = {"interval_seconds": 0.2}


@dataclass
class World:
    hub: Hub
    url: str


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with hub() as running, stack() as parts:
        running.worker()
        process = parts.start_service(ENDPOINT=running.settings.endpoint, MONITOR_API_RATE="10000")
        yield World(running, process.url(", on "))


def asked(job_id: str, **fields: Any) -> HttpRequest:
    given = {"job_id": job_id, "check": SIMULATED, "polling": FAST, **fields}
    return HttpRequest("POST", "/monitors", json=given)


def waited(world: World, job_id: str, **fields: Any) -> Any:
    """What a synchronous client gets that starts a monitor and waits for it."""
    with _client(PipelineClient, world) as client:
        started = client._pipeline.run(asked_at(client, job_id, **fields))
        poller: LROPoller[Any] = LROPoller(
            client,
            started,
            _monitor,
            LROBasePolling(timeout=0.2),
        )
        return poller.result(timeout=PATIENCE)


def asked_at(client: Any, job_id: str, **fields: Any) -> HttpRequest:
    request = asked(job_id, **fields)
    request.url = client.format_url(request.url)
    return request


def test_the_poller_returns_the_monitor_with_its_result(world: World) -> None:
    monitor = waited(world, "lro/completed")
    assert (monitor["job_id"], monitor["state"]) == ("lro/completed", "Completed")
    assert monitor["result"]["final_status"] == "Completed"


@pytest.mark.parametrize(
    ("verdict", "fields"),
    [
        ("Failed", {"check": {**SIMULATED, "outcome": "Failed"}}),
        ("Timeout", {"check": {**SIMULATED, "checks": 1000}, "timeout_seconds": 0.5}),
        ("Error", {"check": {"kind": "http", "url": "http://169.254.169.254/"}}),
    ],
)
def test_the_poller_raises_with_the_verdict(world: World, verdict: str, fields: dict[str, Any]) -> None:
    with pytest.raises(HttpResponseError, match=verdict) as raised:
        waited(world, f"lro-{verdict}", **fields)
    error = raised.value.error
    assert error is not None
    assert (error.code, bool(error.message)) == (verdict, True)


async def test_the_asynchronous_poller_hears_that_it_was_cancelled(world: World) -> None:
    async with _client(AsyncPipelineClient, world) as client:
        long = {"check": {**SIMULATED, "checks": 1000}, "timeout_seconds": 600}
        started = await client._pipeline.run(asked_at(client, "lro-cancelled", **long))
        polling: Any = AsyncLROBasePolling(timeout=0.2)
        poller: AsyncLROPoller[Any] = AsyncLROPoller(client, started, lambda response: response, polling)
        waiting = asyncio.create_task(poller.result())
        await asyncio.sleep(0.5)
        cancelled = await ask("POST", f"{world.url}/monitors/lro-cancelled/cancel", {"reason": "enough"})
        assert cancelled.status == 200
        with pytest.raises(HttpResponseError, match=r"Cancelled.*enough"):
            await asyncio.wait_for(waiting, PATIENCE)


async def test_the_asynchronous_poller_returns_the_monitor_with_its_result(world: World) -> None:
    async with _client(AsyncPipelineClient, world) as client:
        started = await client._pipeline.run(asked_at(client, "lro-async"))
        polling: Any = AsyncLROBasePolling(timeout=0.2)
        poller: AsyncLROPoller[Any] = AsyncLROPoller(client, started, _monitor, polling)
        assert (await asyncio.wait_for(poller.result(), PATIENCE))["result"]["final_status"] == "Completed"


def _client(kind: Any, world: World) -> Any:
    """As generated SDK clients have one: they send by its pipeline too."""
    return kind(world.url)


def _monitor(response: Any) -> Any:
    return json.loads(response.http_response.text())


async def test_a_command_sent_twice_is_applied_once(world: World) -> None:
    monitor = f"{world.url}/monitors/twice"
    given = {"job_id": "twice", "check": {**SIMULATED, "checks": 1000}, "timeout_seconds": 600}
    await ask("POST", f"{world.url}/monitors", given)
    first = await ask("POST", f"{monitor}/extend", {"id": "e-1", "seconds": 60})
    second = await ask("POST", f"{monitor}/extend", {"id": "e-1", "seconds": 60})
    assert (first.status, second.status, first.json) == (200, 200, second.json)
    assert (await ask("GET", monitor)).json["status"]["revision"] == 1
    refused = await ask("POST", f"{monitor}/resume")
    assert (refused.status, bool(refused.problem["detail"])) == (409, True), "it is not paused"
    assert (await ask("POST", f"{monitor}/cancel")).status == 200


async def test_a_command_that_no_worker_takes_is_answered_after_five_seconds(world: World) -> None:
    with hub() as without, stack() as parts:
        url = parts.start_service(ENDPOINT=without.settings.endpoint).url(", on ")
        await ask("POST", f"{url}/monitors", {"job_id": "alone", "check": SIMULATED})
        began = time.monotonic()
        sent = await ask("POST", f"{url}/monitors/alone/pause")
        assert (sent.status, time.monotonic() - began >= 5) == (202, True)
        # The local scheduler takes a token that it does not know for that of the first page; others refuse it.
        assert (await ask("GET", f"{url}/monitors?token=garbage")).status in {200, 400}


async def test_explain_shows_what_a_monitor_would_see(world: World) -> None:
    given = {"job_id": "tried", "check": {"kind": "simulated"}, "success_when": "status == 'Running'"}
    said = await ask("POST", f"{world.url}/explain", given)
    assert (said.status, said.json["verdict"]) == (200, "Completed"), said.text
    assert said.json["conditions"][0]["holds"] is True
    assert (await ask("GET", f"{world.url}/monitors/tried")).status == 404


async def test_hundreds_of_monitors_are_listed_by_pages(world: World) -> None:
    asked = [{"job_id": f"many-{n:03}", "check": {**SIMULATED, "checks": 1000}} for n in range(300)]
    far = [{**one, "polling": {"interval_seconds": 3600}, "timeout_seconds": 86_400} for one in asked]
    started = await ask("POST", f"{world.url}/monitors:batch", {"requests": far})
    assert [one["started"]["how"] for one in started.json["results"]] == ["started"] * 300
    link, seen, sizes = f"{world.url}/monitors?prefix=many-&limit=120", set(), []
    while link:
        page = (await ask("GET", link)).json
        seen |= {one["job_id"] for one in page["value"]}
        sizes.append(len(page["value"]))
        link = page["next_link"]
    assert (seen, sizes) == ({one["job_id"] for one in asked}, [120, 120, 60])
