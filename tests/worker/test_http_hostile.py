"""The kind `http` against servers that break off, drip, flood and lie."""

import asyncio
import gzip
import itertools
import struct
import traceback
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET, socket

import pytest

from monitor_core.contract import ErrorClass
from monitor_core.kinds import HttpCheck
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.base import CheckContext, CheckFailed
from monitor_worker.checks.http import HttpDriver
from monitor_worker.checks.http_client import LARGEST_ANSWER, HttpClient
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tokens import Tokens

CONTEXT = CheckContext("job", "run.0.1.1", 1, 10.0)
OK = b"HTTP/1.1 200 OK\r\n"
MIB = 1024 * 1024
LONG = 60.0
Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Raw:
    """A server that reads a request's head and then says what it likes."""

    talk: Talk
    port: int = 0
    sent: int = 0
    connections: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    talks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = asyncio.create_task(self._serve(reader, writer))
        self.talks.add(talk)
        await asyncio.wait([talk])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await self.talk(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.close()

    async def stop(self) -> None:
        for talk in self.talks:
            talk.cancel()
        await asyncio.gather(*self.talks, return_exceptions=True)

    async def flood(self, writer: asyncio.StreamWriter, piece: bytes, times: int) -> None:
        for _ in range(times):
            writer.write(piece)
            await writer.drain()
            self.sent += len(piece)

    def check(self, method: str = "GET") -> HttpCheck:
        return HttpCheck.model_validate({"url": f"http://127.0.0.1:{self.port}/x?sig=secret", "method": method})


def driving(port: int) -> HttpDriver:
    return HttpDriver(HttpClient(TargetGuard([f"127.0.0.1:{port}"])), Authorizer(Secrets(), Tokens()))


@asynccontextmanager
async def talking(talk: Talk | bytes) -> AsyncIterator[tuple[Raw, HttpDriver]]:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(talk if isinstance(talk, bytes) else b"")
        await writer.drain()

    raw = Raw(say if isinstance(talk, bytes) else talk)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.port = server.sockets[0].getsockname()[1]
    driver = driving(raw.port)
    try:
        yield raw, driver
    finally:
        await driver.close()
        server.close()
        await raw.stop()
        await server.wait_closed()


async def failure(raw: Raw, driver: HttpDriver) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        await driver.check(raw.check(), CONTEXT)
    assert "?sig=" not in "".join(traceback.format_exception(failed.value))
    return failed.value


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "closed the connection without an answer"),
        (b"garbage\r\n\r\n", "is no HTTP that can be read"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "is no HTTP that can be read"),
        (b"HTTP/9.9 200 OK\r\n\r\n", "is no HTTP that can be read"),
        (b"\x16\x03\x01\x00\x00\r\n\r\n", "is no HTTP that can be read"),
        (OK + b"no colon\r\n\r\n", "is no HTTP that can be read"),
        (OK + b"X: " + b"a" * 100_000 + b"\r\n\r\n", "is no HTTP that can be read"),
        (OK + b"Content-Length: -1\r\n\r\n", "is no HTTP that can be read"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", "is no HTTP that can be read"),
        (OK, "closed the connection without an answer"),
        (OK + b"Content-Length: 100\r\n\r\nabc", "broke off"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", "broke off"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabcde\r\n", "is no HTTP that can be read"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde", "cannot be decoded"),
        (OK + b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\nabcde", "is no HTTP that can be read"),
    ],
    ids=lambda value: ascii(value)[:60],
)
async def test_what_is_no_whole_answer_is_a_transient_error(said: bytes, words: str) -> None:
    async with talking(said) as (raw, driver):
        failed = await failure(raw, driver)

    assert failed.error_class is ErrorClass.TRANSIENT
    assert words in str(failed)
    assert f"http://127.0.0.1:{raw.port}/x" in str(failed)


async def test_a_port_that_nobody_listens_on_is_a_transient_error() -> None:
    async with talking(b"") as (raw, _):
        pass
    driver = driving(raw.port)

    failed = await failure(raw, driver)
    await driver.close()

    assert failed.error_class is ErrorClass.TRANSIENT
    assert str(failed) == f"cannot connect to http://127.0.0.1:{raw.port}/x: Connection refused"


@pytest.mark.parametrize("before", [b"", OK, OK + b"Content-Length: 100\r\n\r\nabc"])
async def test_a_reset_is_a_transient_error(before: bytes) -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.write(before)
        await writer.drain()
        await asyncio.sleep(0.05)
        connection: socket = writer.get_extra_info("socket")
        connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with talking(reset) as (raw, driver):
        failed = await failure(raw, driver)

    assert failed.error_class is ErrorClass.TRANSIENT


async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async with talking(b"HTTP/1.0 200 OK\r\n\r\nhello") as (raw, driver):
        seen = await driver.check(raw.check(), CONTEXT)

    assert seen.variables["text"] == "hello"


async def test_repeated_headers_are_joined_and_odd_bytes_replaced() -> None:
    said = OK + b"X-A: 1\r\nx-a: 2\r\nX-Odd: a\xe9b\r\nContent-Length: 0\r\n\r\n"
    async with talking(said) as (raw, driver):
        seen = await driver.check(raw.check(), CONTEXT)

    assert seen.variables["headers"] == {"x-a": "1, 2", "x-odd": "a?b", "content-length": "0"}


async def test_a_compressed_answer_is_observed() -> None:
    content = gzip.compress(b'{"status": "Succeeded"}')
    said = OK + b"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(
        content
    )
    async with talking(said + content) as (raw, driver):
        seen = await driver.check(raw.check(), CONTEXT)

    assert seen.status == "Succeeded"
    assert seen.summary is not None
    assert seen.summary.startswith("200 OK, 23 bytes in ")


@pytest.mark.parametrize(("size", "fits"), [(LARGEST_ANSWER, True), (LARGEST_ANSWER + 1, False)])
@pytest.mark.parametrize("compressed", [False, True])
async def test_the_limit_is_on_the_decompressed_bytes(size: int, fits: bool, compressed: bool) -> None:
    content = gzip.compress(b"a" * size) if compressed else b"a" * size
    coding = b"Content-Encoding: gzip\r\n" if compressed else b""
    said = OK + coding + b"Content-Length: %d\r\n\r\n" % len(content) + content
    async with talking(said) as (raw, driver):
        if fits:
            assert len((await driver.check(raw.check(), CONTEXT)).variables["text"]) == size
        else:
            failed = await failure(raw, driver)
            assert failed.error_class is ErrorClass.PERMANENT
            assert "larger than 1,048,576 bytes" in str(failed)


@pytest.mark.parametrize("head", [b"Content-Length: 1073741824\r\n\r\n", b"\r\n"])
async def test_a_flood_is_not_read_beyond_the_limit(head: bytes) -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + head)
        await raw.flood(writer, b"a" * 65_536, 16_384)

    async with talking(flood) as (raw, driver):
        assert (await failure(raw, driver)).error_class is ErrorClass.PERMANENT
        await asyncio.wait_for(raw.hung_up.wait(), LONG)

    assert raw.sent < 32 * MIB  # what fits into the limit and the buffers of both sockets


async def test_a_bomb_does_not_unfold() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(256)) + packer.flush()
    said = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with talking(said + bomb) as (raw, driver):
        tracemalloc.start()
        failed = await failure(raw, driver)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert failed.error_class is ErrorClass.PERMANENT
    assert peak < 32 * MIB


@pytest.mark.parametrize("head", [OK[:-2], OK + b"X: ", OK + b"Content-Length: 1000000\r\n\r\n"])
async def test_a_drip_is_cut_by_the_caller_and_the_connection_given_up(head: bytes) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for sent in itertools.count():
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.01)
            if sent == 5:
                limit.reschedule(0)

    async with talking(drip) as (raw, driver):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as limit:
                await driver.check(raw.check(), CONTEXT)
        await asyncio.wait_for(raw.hung_up.wait(), LONG)

        assert raw.connections == 1


async def test_a_check_that_is_cancelled_ends() -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    asked = asyncio.Event()
    async with talking(hang) as (raw, driver):
        check = asyncio.create_task(driver.check(raw.check(), CONTEXT))
        await asked.wait()
        check.cancel()
        with pytest.raises(asyncio.CancelledError):
            await check


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced() -> None:
    said = OK + b"Content-Length: 2\r\n\r\nok"
    async with talking(said) as (raw, driver):
        for _ in range(5):
            assert (await driver.check(raw.check(), CONTEXT)).status == "HTTP 200"

    assert raw.connections == 5


async def test_a_head_answer_has_no_content() -> None:
    async with talking(OK + b"Content-Length: 1073741824\r\n\r\n") as (raw, driver):
        seen = await driver.check(raw.check("HEAD"), CONTEXT)

    assert "text" not in seen.variables
    assert seen.summary is not None
    assert "bytes" not in seen.summary
    assert seen.variables["headers"]["content-length"] == "1073741824"


async def test_answers_before_the_answer_are_passed_over() -> None:
    said = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n"
    async with talking(said) as (raw, driver):
        assert (await driver.check(raw.check(), CONTEXT)).variables["code"] == 200
