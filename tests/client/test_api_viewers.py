"""Many viewers over real HTTP: one look-out a monitor, seats that are given back, comments in between."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest

from monitor_client.api import create_app
from monitor_core.contract import instance_id
from support.asking import ask
from support.fake_scheduler import FakeScheduler, Instance, request, status
from support.lively_scheduler import end
from support.serving import serving

PATIENCE = 60
MONITORS, VIEWERS = 50, 200


def hub(count: int) -> FakeScheduler:
    scheduler = FakeScheduler()
    for number in range(count):
        asked = request(f"job-{number}")
        scheduler.put(asked, f"run-{number}", Instance(shown=status(job_id=asked.job_id, run=f"run-{number}")))
    return scheduler


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 # the service's own loop changes it, on another thread
            await asyncio.sleep(0.05)


async def first_event(answer: aiohttp.ClientResponse) -> bytes:
    lines = b""
    async with asyncio.timeout(PATIENCE):
        while not lines.endswith(b"\n\n"):
            lines += await answer.content.readline()
    return lines


def unhurried() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=PATIENCE)
    )


async def test_two_hundred_viewers_of_fifty_monitors_cost_fifty_look_outs() -> None:
    scheduler = hub(MONITORS)
    app = create_app(scheduler.service(), "http://scheduler", requests_per_second=10_000)
    live = app.state.live
    with serving(app) as url:
        async with unhurried() as http, AsyncExitStack() as stack:
            viewers = [
                await stack.enter_async_context(http.get(f"{url}/monitors/job-{number % MONITORS}/events"))
                for number in range(VIEWERS)
            ]
            assert all(b"event: monitor" in one for one in await asyncio.gather(*map(first_event, viewers)))
            assert live.watched == MONITORS
            before = len(scheduler.calls)
            await asyncio.sleep(1)
            looks = len(scheduler.calls) - before
            assert looks <= MONITORS * 4, "as many as there are monitors, not viewers, each at most twice a second"
            for number in range(0, MONITORS, 2):
                end(scheduler.instances[instance_id(f"job-{number}")])
            ended = [viewers[number] for number in range(VIEWERS) if not number % MONITORS % 2]
            texts = await asyncio.gather(*(one.text() for one in ended))
            assert all("event: verdict" in text for text in texts)
            assert live.watched == MONITORS // 2
        # The others have just dropped their connections.
        await eventually(lambda: live.watched == 0)
        before = len(scheduler.calls)
        await asyncio.sleep(1)
        assert len(scheduler.calls) == before, "nobody is looked at for nobody"


async def test_a_viewer_too_many_is_told_to_come_back_and_a_seat_is_free_again_whoever_leaves_how() -> None:
    app = create_app(hub(1).service(), "http://scheduler", most_viewers=2)
    with serving(app) as url:
        where = f"{url}/monitors/job-0/events"
        assert (await ask("GET", f"{url}/monitors/none/events")).status == 404, "takes no seat for longer"
        async with unhurried() as http:
            async with http.get(where) as one, http.get(where) as other:
                await asyncio.gather(first_event(one), first_event(other))
                async with asyncio.timeout(10):
                    refused = await ask("GET", where)
                assert (refused.problem["status"], refused.headers["Retry-After"]) == (503, "10")
                assert (await ask("GET", f"{url}/monitors/job-0")).status == 200, "to look is not to watch"

            async def has_a_seat() -> bool:
                async with http.get(where) as again:
                    return again.status == 200

            async with asyncio.timeout(PATIENCE):
                while not await has_a_seat():  # noqa: ASYNC110 # as above
                    await asyncio.sleep(0.05)


async def test_while_nothing_happens_a_comment_keeps_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    # The framework's interval of 15 s is no argument of anything.
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.1)
    with serving(create_app(hub(1).service(), "http://scheduler")) as url:
        async with unhurried() as http, http.get(f"{url}/monitors/job-0/events") as answer:
            await first_event(answer)
            assert (await first_event(answer)).startswith(b":")
            assert (await first_event(answer)).startswith(b":")
