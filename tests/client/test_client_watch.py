"""Watching a run: what is asked, how often, what is passed on, and what ends it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import grpc
import pytest
from durabletask.client import OrchestrationStatus as Runtime

from monitor_client.errors import GaveUp, NotFound, RunReplaced, SchedulerUnreachable
from monitor_client.gateway import Gateway
from monitor_client.service import MonitorService
from monitor_client.view import MonitorView, Phase
from monitor_client.watch import Watch
from support.fake_scheduler import (
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

GONE = rpc_error(grpc.StatusCode.UNAVAILABLE, "Connection refused")


@dataclass
class Story:
    """A monitor that is watched; what happens to it happens while the watcher sleeps."""

    chapters: list[Callable[["Story"], object]]
    scheduler: FakeScheduler = field(default_factory=FakeScheduler)
    slept: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.instance = self.scheduler.put(request(), "run-1", Instance(shown=status()))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        assert len(self.slept) < 200, "the watch does not end"
        self.seconds += seconds
        if self.chapters:
            self.chapters.pop(0)(self)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    async def watched(self, run: str | None = None) -> list[MonitorView]:
        service = MonitorService(Gateway(self.scheduler, SETTINGS))

        async def look(*, payloads: bool) -> MonitorView:
            return await service._found("job-1", payloads=payloads)

        watch = Watch(
            look,
            run=run,
            fastest_seconds=0.5,
            on_unreachable=self.warnings.append,
            now=self.now,
            clock=lambda: self.seconds,
            sleep=self.sleep,
        )
        return [view async for view in watch.views()]


def shows(**fields: Any) -> Callable[[Story], None]:
    def chapter(story: Story) -> None:
        story.instance.shown = status(**fields)

    return chapter


def ends(story: Story) -> None:
    story.instance.runtime = Runtime.COMPLETED
    story.instance.shown = status(status="Completed", check_count=4, next_check_time=None)
    story.instance.output = result()


def fades(story: Story) -> None:
    story.instance.shown = None


def nothing(_: Story) -> None:
    pass


async def test_every_change_is_passed_on_once_and_then_the_end() -> None:
    story = Story([nothing, shows(check_count=4), nothing, nothing, ends])
    views = await story.watched()
    assert [view.state for view in views] == [Phase.RUNNING, Phase.RUNNING, "Completed"]
    assert [view.status.check_count for view in views if view.status] == [3, 4, 4]
    assert views[-1].result is not None


async def test_a_first_check_is_looked_for_sooner_and_with_patience() -> None:
    new = status(check_count=0, next_check_time=NOON.isoformat())
    story = Story(
        [nothing, nothing, nothing, nothing, shows(check_count=1, next_check_time=NOON.isoformat()), ends]
    )
    story.instance.shown = new
    await story.watched()
    assert story.slept == [0.0625, 0.125, 0.25, 0.5, 0.5, 0.5]


async def test_payloads_are_asked_for_at_first_and_at_the_end_only() -> None:
    story = Story([nothing, shows(check_count=4), ends])
    await story.watched()
    asked = [call["payloads"] for call in story.scheduler.given("read")]
    assert asked == [True, False, False, False, True]


async def test_one_that_has_ended_already_is_looked_at_once() -> None:
    story = Story([])
    ends(story)
    views = await story.watched()
    assert [view.verdict for view in views] == ["Completed"]
    assert story.slept == []


async def test_the_last_status_stands_while_the_engine_shows_none() -> None:
    story = Story([fades, nothing, shows(check_count=4), ends])
    views = await story.watched()
    assert [view.status.check_count for view in views if view.status] == [3, 4, 4]
    assert len(views) == 3, "losing the status for a moment is no change"


async def test_the_run_is_the_one_found_at_first_and_a_new_one_ends_the_watch() -> None:
    story = Story([shows(run="run-2", check_count=0)])
    with pytest.raises(RunReplaced, match="run run-1 of 'job-1' was replaced by run run-2"):
        await story.watched()


async def test_a_new_run_is_noticed_before_it_shows_anything() -> None:
    def restarted(story: Story) -> None:
        story.scheduler.put(request(), "run-2", Instance(runtime=Runtime.PENDING))

    with pytest.raises(RunReplaced, match="run-2"):
        await Story([restarted]).watched()


async def test_a_new_run_that_has_ended_is_not_taken_for_the_watched_one() -> None:
    def restarted(story: Story) -> None:
        story.scheduler.put(request(), "run-2", Instance(runtime=Runtime.TERMINATED))

    with pytest.raises(RunReplaced, match="run-2"):
        await Story([restarted]).watched()


async def test_a_run_that_is_asked_for_and_is_not_there_is_replaced() -> None:
    with pytest.raises(RunReplaced, match="run run-0 of"):
        await Story([]).watched(run="run-0")


async def test_what_is_purged_is_not_found() -> None:
    with pytest.raises(NotFound):
        await Story([lambda story: story.scheduler.instances.clear()]).watched()


def outage(length: float) -> Callable[[Story], None]:
    """The scheduler does not answer for so many seconds."""

    def chapter(story: Story) -> None:
        until = story.seconds + length

        def before(_: str) -> None:
            if story.seconds < until:
                raise GONE

        story.scheduler.before = before

    return chapter


async def test_a_scheduler_that_goes_away_for_a_moment_is_waited_for_and_said_once() -> None:
    story = Story([outage(40), *[nothing] * 45, outage(5), *[nothing] * 6, ends])
    views = await story.watched()
    assert views[-1].verdict == "Completed"
    assert len(story.warnings) == 2, "once for each time"
    assert "connection refused" in story.warnings[0]


async def test_a_scheduler_that_stays_away_is_given_up_after_a_minute() -> None:
    story = Story([outage(1000)])
    with pytest.raises(GaveUp, match="gave up watching after 60 s, the monitor goes on: cannot reach"):
        await story.watched()
    assert 60 <= story.seconds <= 65
    assert len(story.warnings) == 1


async def test_a_scheduler_that_is_not_there_at_first_is_not_waited_for() -> None:
    story = Story([])
    story.scheduler.before = once(failing(GONE))
    with pytest.raises(SchedulerUnreachable):
        await story.watched()
    assert story.slept == []


@pytest.mark.parametrize(
    ("next_check", "seconds"),
    [
        ("2026-01-01T12:00:00Z", 0.5),
        ("2026-01-01T12:00:02Z", 0.5),
        ("2026-01-01T12:00:05Z", 1.0),
        ("2026-01-01T12:00:59Z", 2.0),
        ("2026-02-01T12:00:00Z", 2.0),
        (None, 0.5),
    ],
)
async def test_it_looks_less_often_where_the_next_check_is_far(next_check: str | None, seconds: float) -> None:
    story = Story([shows(next_check_time=next_check), ends])
    story.instance.shown = status(next_check_time=next_check)
    await story.watched()
    assert story.slept[0] == seconds


async def test_the_service_watches_like_that() -> None:
    scheduler = FakeScheduler()
    scheduler.put(request(), "run-1", Instance(runtime=Runtime.COMPLETED, output=result()))
    service = scheduler.service()
    assert [view.verdict async for view in service.watch("job-1", "run-1")] == ["Completed"]
    with pytest.raises(RunReplaced):
        await anext(aiter(service.watch("job-1", "run-0")))
    with pytest.raises(NotFound):
        await anext(aiter(service.watch("nobody")))
