"""Many viewers of few monitors: one look-out for each monitor, and nobody held up by a slow one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from monitor_client.errors import NotFound
from monitor_client.live import Live
from monitor_client.view import MonitorView, view_of
from monitor_core.contract import MonitorInput
from support.fake_scheduler import Instance, request, status

PATIENCE = 30
GIVEN = MonitorInput(request=request(), run="run-1").model_dump(mode="json")


def view(checks: int) -> MonitorView:
    return view_of(Instance(given=GIVEN, shown=status(check_count=checks)).state("monitor-job-1"))


@dataclass
class Source:
    """Gives views as it is told; keeps which monitors were watched, and which watches were closed."""

    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    coming: dict[str, asyncio.Queue[MonitorView | Exception | None]] = field(default_factory=dict)

    async def watch(self, job_id: str) -> AsyncIterator[MonitorView]:
        self.opened.append(job_id)
        queue = self.coming.setdefault(job_id, asyncio.Queue())
        try:
            while (one := await queue.get()) is not None:
                if isinstance(one, Exception):
                    raise one
                yield one
        finally:
            self.closed.append(job_id)

    def tell(self, job_id: str, *ones: MonitorView | Exception | None) -> None:
        queue = self.coming.setdefault(job_id, asyncio.Queue())
        for one in ones:
            queue.put_nowait(one)


async def checks_of(live: Live, job_id: str) -> list[int]:
    async with aclosing(live.views(job_id)) as views:
        return [seen.status.check_count async for seen in views if seen.status]


async def test_two_hundred_viewers_of_fifty_monitors_are_fifty_look_outs() -> None:
    source = Source()
    live = Live(source.watch)
    viewers = [asyncio.create_task(checks_of(live, f"job-{number % 50}")) for number in range(200)]
    await asyncio.sleep(0.05)
    assert live.watched == len(source.opened) == 50
    for number in range(50):
        source.tell(f"job-{number}", view(1))
    await asyncio.sleep(0.05)
    for number in range(50):
        source.tell(f"job-{number}", view(2), None)
    assert await asyncio.wait_for(asyncio.gather(*viewers), PATIENCE) == [[1, 2]] * 200
    assert (live.watched, len(source.closed)) == (0, 50)


async def test_the_look_out_ends_with_its_last_viewer() -> None:
    source = Source()
    live = Live(source.watch)
    source.tell("job-1", view(1))
    first, second = live.views("job-1"), live.views("job-1")
    await asyncio.wait_for(anext(first), PATIENCE)
    await asyncio.wait_for(anext(second), PATIENCE)
    await first.aclose()
    assert (live.watched, source.closed) == (1, [])
    await second.aclose()
    assert (live.watched, source.closed) == (0, ["job-1"])


async def test_one_who_comes_later_sees_the_last_view_at_once() -> None:
    source = Source()
    live = Live(source.watch)
    source.tell("job-1", view(1), view(2))
    early = asyncio.create_task(checks_of(live, "job-1"))
    await asyncio.sleep(0.05)
    late = asyncio.create_task(checks_of(live, "job-1"))
    await asyncio.sleep(0.05)
    source.tell("job-1", view(3), None)
    assert (await asyncio.wait_for(early, PATIENCE))[-1] == 3
    assert await asyncio.wait_for(late, PATIENCE) == [2, 3]
    assert source.opened == ["job-1"]


async def test_a_slow_viewer_misses_views_but_not_the_last_and_holds_up_nobody() -> None:
    source = Source()
    live = Live(source.watch)
    source.tell("job-1", view(0))
    slow = live.views("job-1")
    await asyncio.wait_for(anext(slow), PATIENCE)
    quick = asyncio.create_task(checks_of(live, "job-1"))
    for number in range(1, 100):
        source.tell("job-1", view(number))
        await asyncio.sleep(0)
    source.tell("job-1", None)
    assert (await asyncio.wait_for(quick, PATIENCE))[-1] == 99
    rest = [seen.status.check_count async for seen in slow if seen.status]
    assert rest == [99]


async def test_an_error_reaches_every_viewer_and_the_next_one_starts_anew() -> None:
    source = Source()
    live = Live(source.watch)
    viewers = [asyncio.create_task(checks_of(live, "job-1")) for _ in range(3)]
    await asyncio.sleep(0)
    source.tell("job-1", view(1), NotFound("job-1", "hub"))
    outcomes = await asyncio.wait_for(asyncio.gather(*viewers, return_exceptions=True), PATIENCE)
    assert [type(outcome) for outcome in outcomes] == [NotFound] * 3
    source.tell("job-1", view(5), None)
    assert await asyncio.wait_for(checks_of(live, "job-1"), PATIENCE) == [5]
    assert source.opened == ["job-1", "job-1"]


async def test_an_ended_watch_that_is_still_read_is_not_joined() -> None:
    source = Source()
    live = Live(source.watch)
    source.tell("job-1", view(1), None)
    reader = live.views("job-1")
    await asyncio.wait_for(anext(reader), PATIENCE)
    await asyncio.sleep(0.05)
    source.tell("job-1", view(7), None)
    assert await asyncio.wait_for(checks_of(live, "job-1"), PATIENCE) == [7]
    with pytest.raises(StopAsyncIteration):
        await anext(reader)
    assert live.watched == 0
