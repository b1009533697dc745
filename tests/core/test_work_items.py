"""What runs work items: at once, within limits, given back where it fails; it fits where the SDK's manager was."""

import asyncio
import inspect
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from durabletask.worker import TaskHubGrpcWorker

from monitor_core.work_items import WorkItems

PATIENCE = 30
_log = logging.getLogger(__name__)


def never(*_: Any) -> None:
    raise AssertionError("given back")


@contextmanager
def running(items: WorkItems) -> Iterator[None]:
    """As the SDK's worker does: a task on a loop of a thread, ended from that loop."""
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def run() -> None:
        items.prepare_for_run()
        ready.set()
        await items.run()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(items.shutdown)
        thread.join(PATIENCE)
        assert not thread.is_alive()
        loop.close()


def work_items(activities: int = 2, orchestrations: int = 1) -> WorkItems:
    return WorkItems(max_activities=activities, max_orchestrations=orchestrations, logger=_log)


def test_it_has_all_that_the_sdk_calls_of_its_own_manager() -> None:
    called = set(re.findall(r"_async_worker_manager\.(\w+)", inspect.getsource(TaskHubGrpcWorker)))
    assert called == {name for name in vars(WorkItems) if not name.startswith("_")}


def test_no_more_activities_run_at_a_time_than_it_is_told_and_they_keep_no_orchestration() -> None:
    items, go, begun, both = work_items(), threading.Event(), [], threading.Barrier(3)
    orchestrated = threading.Event()

    def activity(name: str) -> None:
        begun.append(name)
        if len(begun) <= 2:
            both.wait(PATIENCE)
        go.wait(PATIENCE)

    with running(items):
        for name in "abc":
            items.submit_activity(activity, never, name)
        both.wait(PATIENCE)
        items.submit_orchestration(orchestrated.set, never)
        assert orchestrated.wait(PATIENCE)
        assert sorted(begun) == ["a", "b"]
        go.set()
    assert sorted(begun) == ["a", "b", "c"], "what was taken is done before the end"


@pytest.mark.parametrize("submit", [WorkItems.submit_activity, WorkItems.submit_orchestration])
def test_a_work_item_that_raises_is_given_back_and_told_of(
    submit: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    items, back = work_items(), []

    def broken(*_: Any) -> None:
        raise ValueError("s3cret")

    with running(items):
        submit(items, broken, lambda *arguments: back.append(arguments), "request", "token")
    assert back == [("request", "token")]
    assert "ValueError" in caplog.text
    assert "s3cret" not in caplog.text


def test_where_the_system_gives_no_thread_more_a_work_item_waits_for_one_that_is_free(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    items, begun, go, done = work_items(), threading.Event(), threading.Event(), list[int]()

    def first() -> None:
        begun.set()
        go.wait(PATIENCE)

    with running(items):
        items.submit_activity(first, never)
        assert begun.wait(PATIENCE)
        with monkeypatch.context() as limited:
            limited.setattr(threading.Thread, "start", none)
            for number in range(2):
                items.submit_activity(done.append, never, number)
        go.set()
    assert done == [0, 1]
    assert [record.message for record in caplog.records] == [
        "The system gives no thread more: work items wait for one that is free"
    ]


def test_what_comes_after_the_end_is_no_matter_of_threads() -> None:
    items = work_items()
    with running(items):
        pass
    with pytest.raises(RuntimeError, match="after shutdown"):
        items.submit_activity(never, never)
