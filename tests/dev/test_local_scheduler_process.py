"""`python -m local_scheduler` as a process: its first line, its signals, its errors, its statistics."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from durabletask.client import TaskHubGrpcClient

import local_scheduler

PATIENCE_SECONDS = 60
BANNER = re.compile(
    r"Local scheduler \(development only, nothing is kept when it ends\) on http://(127\.0\.0\.1:\d+)\n"
)


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Process]:
    environment = os.environ | {"PYTHONPATH": str(Path(local_scheduler.__file__).parents[1])}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "local_scheduler", *arguments, env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def address_of(process: Process) -> str:
    assert process.stdout is not None
    banner = BANNER.fullmatch((await process.stdout.readline()).decode())
    assert banner is not None
    return banner[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_with_clients_connected(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    async with running("--port", "0", "--stats-file", str(path)) as process:
        client = TaskHubGrpcClient(host_address=await address_of(process))
        assert client.schedule_new_orchestration("monitor", instance_id="one") == "one"

        process.send_signal(number)
        out, err = await process.communicate()
        client.close()

    assert (process.returncode, out, err) == (0, b"", b"")
    assert json.loads(path.read_text())["actions"] == {}


async def test_a_taken_port_is_one_line_and_exit_code_1() -> None:
    async with running("--port", "0") as first:
        port = (await address_of(first)).rpartition(":")[2]
        async with running("--port", port) as second:
            out, err = await second.communicate()

    assert (second.returncode, out) == (1, b"")
    assert re.fullmatch(rf"Cannot listen on 127\.0\.0\.1:{port}: [^\n]+\n", err.decode())


async def test_mends_are_left_out_by_name() -> None:
    async with running("--port", "0", "--without", "redelivery", "--without", "dispatch") as process:
        await address_of(process)
        process.terminate()
        await process.wait()

    assert process.returncode == 0


async def test_an_unknown_mend_is_refused_and_the_known_ones_named() -> None:
    async with running("--without", "everything") as process:
        _, err = await process.communicate()

    assert process.returncode == 2
    assert "'everything'" in err.decode()
    assert "'redelivery'" in err.decode()


async def test_statistics_that_cannot_be_written_end_it_at_once(tmp_path: Path) -> None:
    async with running("--port", "0", "--stats-file", str(tmp_path / "missing" / "stats.json")) as process:
        out, err = await process.communicate()

    assert (process.returncode, out) == (1, b"")
    assert "missing" in err.decode()
