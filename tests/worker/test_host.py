"""What the host sees: probes that tell, a signal that is heard, and an end in any case."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest

from monitor_worker.host import EXIT_STUCK, HealthServer

WORKER = Path(__file__).parents[2] / "services" / "worker"
PATIENCE = 60


async def status(address: str, path: str) -> tuple[int, object]:
    async with aiohttp.ClientSession() as session, session.get(address + path) as answer:
        return answer.status, await answer.json() if answer.content_type == "application/json" else None


class Probes:
    """Alive and ready, until a test says otherwise."""

    alive = ready = True

    def server(self, port: int = 0) -> HealthServer:
        return HealthServer("127.0.0.1", port, lambda: self.alive, lambda: self.ready)


@pytest.mark.parametrize(
    ("alive", "ready", "codes"),
    [(True, True, (200, 200)), (True, False, (200, 503)), (False, True, (503, 200)), (False, False, (503, 503))],
)
async def test_each_probe_has_its_own_answer(alive: bool, ready: bool, codes: tuple[int, int]) -> None:
    probes = Probes()
    server = probes.server()
    address = await server.start()
    probes.alive, probes.ready = alive, ready
    words = {200: {"status": "ok"}, 503: {"status": "no"}}
    try:
        assert await status(address, "/healthz") == (codes[0], words[codes[0]])
        assert await status(address, "/readyz") == (codes[1], words[codes[1]])
    finally:
        await server.stop()


async def test_a_probe_is_asked_anew_every_time() -> None:
    probes = Probes()
    server = probes.server()
    address = await server.start()
    try:
        for ready, code in ((True, 200), (False, 503), (True, 200)):
            probes.ready = ready
            assert (await status(address, "/readyz"))[0] == code
    finally:
        await server.stop()


async def test_nothing_else_is_served() -> None:
    server = Probes().server()
    address = await server.start()
    try:
        assert (await status(address, "/"))[0] == 404
        async with aiohttp.ClientSession() as session, session.post(address + "/healthz") as answer:
            assert answer.status == 405
    finally:
        await server.stop()


async def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    first = Probes().server()
    address = await first.start()
    second = Probes().server(port=int(address.rpartition(":")[2]))
    try:
        with pytest.raises(OSError, match="address already in use"):
            await second.start()
    finally:
        await second.stop()
        await first.stop()


async def test_once_stopped_it_answers_no_more() -> None:
    server = Probes().server()
    address = await server.start()
    await server.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await status(address, "/healthz")


Spawn = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def python() -> Iterator[Spawn]:
    """Starts a Python process that knows the worker; what still runs in the end is killed."""
    with ExitStack() as processes:

        def start(code: str) -> subprocess.Popen[str]:
            environment = {**os.environ, "PYTHONPATH": str(WORKER)}
            process = subprocess.Popen(
                [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
            )
            processes.enter_context(process)
            processes.callback(process.kill)
            return process

        yield start


def test_a_drain_that_hangs_ends_all_the_same(python: Spawn) -> None:
    process = python("import time; from monitor_worker.host import end_after; end_after(0.05); time.sleep(600)")
    assert process.wait(PATIENCE) == EXIT_STUCK


def test_a_drain_in_time_is_not_cut_off(python: Spawn) -> None:
    process = python("from monitor_worker.host import end_after; end_after(600).cancel(); print('done')")
    assert process.communicate(timeout=PATIENCE)[0] == "done\n"
    assert process.returncode == 0


LISTENING = """
import signal, threading, time
from monitor_worker.host import listen_for_signals

def tell():
    while signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # the second of the two to be set
        time.sleep(0.01)
    print("waiting", flush=True)

threading.Thread(target=tell).start()
listen_for_signals().wait()
print("draining", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_heard_and_the_second_ends_at_once(number: signal.Signals, python: Spawn) -> None:
    process = python(LISTENING)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(number)
    assert process.stdout.readline() == "draining\n"
    process.send_signal(number)
    assert process.wait(PATIENCE) == 128 + number
