"""`python -m job_simulator` as a process: its first line, its signals, its errors."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

import job_simulator

PATIENCE_SECONDS = 60
BANNER = "Job simulator (development only) on "


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Process]:
    assert job_simulator.__file__ is not None
    environment = os.environ | {"PYTHONPATH": str(Path(job_simulator.__file__).parents[1])}
    environment.pop("PYTHONUNBUFFERED", None)  # it would hide a line that is not flushed
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "job_simulator", *arguments, env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def url_of(process: Process) -> str:
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line.startswith(BANNER)
    return line.removeprefix(BANNER).strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_listens_and_stops_when_told(number: signal.Signals) -> None:
    async with running("--port", "0", "--auto-create") as process:
        url = await url_of(process)
        async with aiohttp.ClientSession(url) as session:
            async with session.get("/healthz") as response:
                assert response.status == 200
            hanging = asyncio.create_task(session.get("/jobs/nightly", params={"hang": "true"}))
            await seen(session, "nightly")
            process.send_signal(number)
            output, errors = await process.communicate()
            with pytest.raises(aiohttp.ClientConnectionError):
                await hanging
    assert (process.returncode, output, errors) == (0, b"", b"")


async def seen(session: aiohttp.ClientSession, job_id: str) -> None:
    entries: list[object] = []
    while not entries:
        async with session.get("/ledger", params={"job_id": job_id}) as response:
            entries = await response.json()


async def test_without_auto_create_an_unknown_job_stays_unknown() -> None:
    async with (
        running("--port", "0") as process,
        aiohttp.ClientSession(await url_of(process)) as session,
        session.get("/jobs/nightly") as response,
    ):
        assert response.status == 404


async def test_a_taken_port_is_named_without_a_traceback() -> None:
    taken = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with taken:
        port = str(taken.sockets[0].getsockname()[1])
        async with running("--port", port) as process:
            output, errors = await process.communicate()
    assert (process.returncode, output) == (2, b"")
    assert f"cannot listen on --host 127.0.0.1 --port {port}" in errors.decode()
    assert b"Traceback" not in errors


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
async def test_a_port_that_is_none_is_refused(port: str) -> None:
    async with running(f"--port={port}") as process:
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert f"should be a number from 0 to 65535, not '{port}'" in errors.decode()
