"""The client-scheduler's service as a process: health, readiness, its end; and the wait for the scheduler."""

import asyncio
import json
import logging
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local_scheduler import LocalScheduler
from monitor_client import server
from monitor_client.api.health import Readiness
from monitor_client.errors import NotAllowed, NotFound, SchedulerUnreachable, Unreadable
from monitor_client.readiness import main, require_ready, wait_until_ready
from monitor_core.settings import client_settings
from stack import Process, Stack, stack

ENDPOINT = "http://scheduler.example:8080"
PATIENCE = 60


class Scheduler:
    """A service that answers as it is told."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)

    async def get(self, job_id: str) -> Any:
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer


class Silent:
    """A service that never answers."""

    async def get(self, job_id: str) -> Any:
        await asyncio.sleep(PATIENCE)


def serve(parts: Stack, endpoint: str, **environment: str) -> Process:
    arguments = ["services/client-scheduler/serve.py"]
    return parts.start("serve", arguments, {"ENDPOINT": endpoint, "MONITOR_API_PORT": "0", **environment})


def url_of(process: Process) -> str:
    return process.url(", on ")


def ask(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def mute() -> Iterator[str]:
    """Where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_ready_is_who_reaches_the_scheduler_and_healthy_whoever_runs() -> None:
    with stack() as parts, LocalScheduler() as scheduler:
        process = serve(parts, f"http://{scheduler.address}")
        url = url_of(process)
        assert ask(f"{url}/readyz") == (200, {"status": "ok"})

        scheduler.stop()
        assert ask(f"{url}/readyz") == (503, {"status": "no"})
        assert ask(f"{url}/healthz") == (200, {"status": "ok"})

        scheduler.start()
        eventually(lambda: ask(f"{url}/readyz")[0] == 200)
        assert process.stop() == 0
        said = process.output()
    assert said.count("Not ready: cannot reach the scheduler at http://127.0.0.1:") >= 1
    assert said.count("Ready again") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_request_under_way_finish(number: signal.Signals) -> None:
    answers: list[int] = []
    with stack() as parts, mute() as endpoint:
        process = serve(parts, endpoint)
        url = url_of(process)
        asking = threading.Thread(target=lambda: answers.append(ask(f"{url}/readyz")[0]))
        asking.start()
        time.sleep(1)  # the answer takes three seconds: it is under way
        assert answers == []
        process.popen.send_signal(number)
        assert process.popen.wait(PATIENCE) == 0
        asking.join()
        assert "Traceback" not in process.output()
    assert answers == [503]


def test_it_serves_no_page_whose_scripts_come_from_elsewhere() -> None:
    with stack() as parts, mute() as endpoint:
        url = url_of(serve(parts, endpoint))
        assert [ask(f"{url}/{path}")[0] for path in ("docs", "redoc")] == [404] * 2


def test_where_it_cannot_listen_it_says_so_in_one_line() -> None:
    with stack() as parts, socket.create_server(("127.0.0.1", 0)) as taken:
        process = serve(parts, ENDPOINT, MONITOR_API_PORT=str(taken.getsockname()[1]))
        assert process.popen.wait(PATIENCE) == 2
        said = process.output()
    assert said.startswith("Error: MONITOR_API_HOST, MONITOR_API_PORT: 127.0.0.1, ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("answer", [None, NotFound("readiness", "default"), Unreadable("readiness", "odd")])
async def test_every_answer_about_a_monitor_is_an_answer(answer: Exception | None) -> None:
    await require_ready(Scheduler(answer), ENDPOINT)


async def test_a_refusal_is_none() -> None:
    with pytest.raises(NotAllowed):
        await require_ready(Scheduler(NotAllowed(ENDPOINT, "default", "no role")), ENDPOINT)


async def test_no_answer_in_time_names_the_endpoint() -> None:
    with pytest.raises(SchedulerUnreachable, match=r"scheduler\.example:8080: no answer within 0\.01 s"):
        await require_ready(Silent(), ENDPOINT, within_seconds=0.01)


async def test_the_log_says_it_when_it_changes_and_only_then(caplog: pytest.LogCaptureFixture) -> None:
    gone, forbidden = SchedulerUnreachable(ENDPOINT, "gone"), NotAllowed(ENDPOINT, "default", "no role")
    readiness = Readiness(Scheduler(None, gone, gone, forbidden, None, None), ENDPOINT)
    with caplog.at_level(logging.INFO):
        held = [await readiness.holds() for _ in range(6)]
    assert held == [True, False, False, False, True, True]
    assert [record.message for record in caplog.records] == [
        f"Not ready: {gone}",
        f"Not ready: {forbidden}",
        "Ready again",
    ]


async def test_the_wait_ends_when_the_scheduler_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    scheduler = LocalScheduler(port)
    starting = threading.Timer(1.0, scheduler.start)
    starting.start()
    try:
        settings = client_settings({"ENDPOINT": f"http://127.0.0.1:{port}"})
        await wait_until_ready(settings, PATIENCE)
    finally:
        starting.join()
        scheduler.stop()


def test_a_wait_in_vain_ends_6_and_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    assert main({"ENDPOINT": "http://127.0.0.1:9"}, patience_seconds=0) == 6
    said = capfd.readouterr().err
    assert said.startswith("Error: cannot reach the scheduler at http://127.0.0.1:9: connection refused ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENDPOINT", "scheduler:8080"), ("MONITOR_API_PORT", "65536"), ("MONITOR_API_PORT", "http")],
)
@pytest.mark.parametrize("command", [main, server.main])
def test_a_setting_that_cannot_be_used_is_named(
    command: Callable[[dict[str, str]], int], name: str, value: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command({name: value}) == 2
    assert capfd.readouterr().err.startswith(f"Error: {name}: ")


def test_the_service_takes_no_arguments(capfd: pytest.CaptureFixture[str]) -> None:
    assert server.main({}, arguments=["--help"]) == 2
    assert "docs/settings.md" in capfd.readouterr().err


def test_what_it_writes_is_sent_at_once() -> None:
    with server.listening(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "headers and body are two writes"
