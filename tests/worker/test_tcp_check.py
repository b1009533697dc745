"""The kind `tcp` against real sockets: what answers, refuses, stays silent, speaks TLS, or must not be reached."""

import asyncio
import errno
import gc
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass
from monitor_core.kinds import TcpCheck
from monitor_worker.checks import tcp
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.targets import Resolved, TargetGuard
from monitor_worker.checks.tcp import TcpDriver
from monitor_worker.checks.tcp_errors import Step, seen
from support import hostile, tls
from support.hostile import resolving

CONTEXT = CheckContext("job", "run.0.1.1", 1, 30.0)
IMPATIENT = CheckContext("job", "run.0.1.1", 1, 0.5)
UNHURRIED = CheckContext("job", "run.0.1.1", 1, 60.0)
HERE = "127.0.0.1"
LONG = 60.0
NOTHING = {"connected": False, "tls": False, "tls_verified": False, "has_banner": False}
Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Port:
    """A server that says what it likes, then waits until the other side hangs up."""

    talk: Talk
    number: int = 0
    heard: bytes = b""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.talk(writer)
            self.heard += await reader.read()
        except OSError:
            pass  # the check has hung up in the midst of it
        finally:
            writer.close()
            self.hung_up.set()


def saying(*pieces: bytes) -> Talk:
    async def talk(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)

    return talk


async def closing(writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def listening(talk: Talk | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Port]:
    port = Port(talk or saying())
    server = await asyncio.start_server(port.serve, HERE, 0, ssl=tls)
    port.number = server.sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def mute_port() -> AsyncIterator[int]:
    """The kernel takes the connection, and nobody ever speaks."""
    with socket.create_server((HERE, 0)) as server:
        yield server.getsockname()[1]


def refusing_port() -> int:
    with socket.create_server((HERE, 0)) as server:
        return int(server.getsockname()[1])


def driver(port: int, tls: ssl.SSLContext | None = None) -> TcpDriver:
    return TcpDriver(TargetGuard([f"127.0.0.0/8:{port}"]), tls)


async def look(port: int, context: CheckContext = CONTEXT, **fields: object) -> Observation:
    return await driver(port).check(TcpCheck.model_validate({"host": HERE, "port": port, **fields}), context)


def is_success(observation: Observation) -> bool:
    natural = conditions(None, None, TcpCheck)
    assert natural.success is not None
    return natural.success.holds(observation.variables)


async def failure(driver: TcpDriver, spec: TcpCheck) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        await driver.check(spec, CONTEXT)
    return failed.value


async def test_a_port_that_answers_is_connected_and_hung_up_on() -> None:
    async with listening() as port:
        observed = await look(port.number)
        await asyncio.wait_for(port.hung_up.wait(), LONG)

    assert observed.status == "Connected"
    assert observed.variables["latency_ms"] >= 0
    assert {**observed.variables, "latency_ms": 0} == {**NOTHING, "connected": True, "latency_ms": 0}
    assert observed.error is None
    assert port.heard == b""
    assert is_success(observed)


async def test_a_port_that_refuses_is_observed() -> None:
    observed = await look(refusing_port(), tls=True, banner_bytes=10)

    assert (observed.status, observed.variables) == ("Refused", {**NOTHING, "tls": True})
    assert observed.summary
    assert "refuses the connection" in observed.summary
    assert observed.error is None
    assert not is_success(observed)


@contextmanager
def silent_port(host: str = HERE, port: int = 0) -> Iterator[int]:
    """A full backlog: the kernel drops what would connect, as a firewall does."""
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind((host, port))
        full.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            assert waiting.connect_ex(full.getsockname()) in {0, errno.EINPROGRESS}
        yield full.getsockname()[1]


async def test_a_port_that_does_not_answer_is_observed_before_the_check_s_time_is_over() -> None:
    with silent_port() as port:
        observed = await asyncio.wait_for(look(port, CheckContext("job", "run.0.1.1", 1, 1.0)), LONG)

    assert (observed.status, observed.variables) == ("Unreachable", NOTHING)
    assert observed.summary
    assert observed.summary.endswith("did not answer in time")


async def test_an_address_that_does_not_answer_leaves_time_for_the_next() -> None:
    async with listening() as port:
        with silent_port("127.0.0.2", port.number):
            guard = TargetGuard([f"127.0.0.0/8:{port.number}"], resolve=resolving("127.0.0.2", HERE))
            spec = TcpCheck(host="two.test", port=port.number)
            observed = await TcpDriver(guard).check(spec, CheckContext("job", "run.0.1.1", 1, 2.0))

    assert observed.status == "Connected"


@pytest.mark.parametrize(
    ("pieces", "size", "banner"),
    [
        ([b"220 ready\r\n"], 100, "220 ready\r\n"),
        ([b"22", b"0 rea", b"dy\r\n"], 100, "220 ready\r\n"),
        ([b"220 ready\r\n"], 3, "220"),
        ([b"22", b"0 ready\r\n"], 3, "220"),
        ([b"a\x00\xff\n"], 100, "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\n"),
    ],
)
async def test_what_a_port_says_first_is_its_banner(pieces: list[bytes], size: int, banner: str) -> None:
    async with listening(saying(*pieces)) as port:
        # Within the check's long time: the end of a line ends the reading.
        observed = await asyncio.wait_for(look(port.number, UNHURRIED, banner_bytes=size), LONG / 4)

    assert (observed.variables["has_banner"], observed.variables["banner"]) == (True, banner)
    assert observed.summary
    assert "220" not in observed.summary


async def test_a_banner_without_the_end_of_a_line_is_read_until_time_is_nearly_over() -> None:
    async with listening(saying(b"hello")) as port:
        observed = await look(port.number, IMPATIENT, banner_bytes=100)

    assert observed.variables["banner"] == "hello"


@pytest.mark.parametrize("talk", [saying(), closing])
async def test_a_port_that_says_nothing_has_no_banner(talk: Talk) -> None:
    async with listening(talk) as port:
        observed = await look(port.number, IMPATIENT, banner_bytes=100)

    assert (observed.status, observed.variables["has_banner"]) == ("Connected", False)
    assert "banner" not in observed.variables


async def test_a_banner_is_not_read_unless_asked_for() -> None:
    async with listening(saying(b"220 ready\r\n")) as port:
        observed = await look(port.number)

    assert observed.variables["has_banner"] is False


def server(days: float = 90) -> ssl.SSLContext:
    return tls.server_context(HERE, "db.test", until=datetime.now(UTC) + timedelta(days=days))


@pytest.mark.parametrize("days", [90, 2])
async def test_tls_shows_its_version_and_how_long_the_certificate_is_good(days: int) -> None:
    until = datetime(2040, 1, 1, tzinfo=UTC)
    async with listening(saying(b"* OK\r\n"), tls.server_context(HERE, until=until)) as port:
        now = (until - timedelta(days=days)).timestamp
        checks = TcpDriver(TargetGuard([f"{HERE}:{port.number}"]), tls.client_context(), now)
        observed = await checks.check(TcpCheck(host=HERE, port=port.number, tls=True, banner_bytes=50), CONTEXT)
        await asyncio.wait_for(port.hung_up.wait(), LONG)

    assert observed.status == "Connected"
    assert observed.variables["tls_verified"] is True
    assert observed.variables["tls_version"] == "TLSv1.3"
    assert observed.variables["certificate_days_left"] == days
    assert observed.variables["banner"] == "* OK\r\n"
    assert set(observed.variables) == set(TcpCheck.variables)
    assert is_success(observed)
    enough, _ = conditions("tls_verified && certificate_days_left > 14.0", None, TcpCheck)
    assert enough is not None
    assert enough.holds(observed.variables) is (days > 14)


async def test_tls_is_verified_for_the_name_that_was_asked_for() -> None:
    async with listening(tls=server()) as port:
        guard = TargetGuard([f"{HERE}:{port.number}"], resolve=resolving(HERE))
        checks = TcpDriver(guard, tls.client_context())
        right = await checks.check(TcpCheck(host="db.test.", port=port.number, tls=True), CONTEXT)
        wrong = await checks.check(TcpCheck(host="other.test", port=port.number, tls=True), CONTEXT)

    assert (right.status, wrong.status) == ("Connected", "Untrusted")
    assert wrong.summary
    assert "other.test" in wrong.summary


@pytest.mark.parametrize(
    ("days", "trusts", "why"),
    [(90, False, "unable to get local issuer certificate"), (-1, True, "certificate has expired")],
)
async def test_a_certificate_that_cannot_be_trusted_is_observed(days: int, trusts: bool, why: str) -> None:
    async with listening(tls=server(days)) as port:
        checks = driver(port.number, tls.client_context() if trusts else None)
        observed = await checks.check(TcpCheck(host=HERE, port=port.number, tls=True), CONTEXT)

    assert (observed.status, observed.error) == ("Untrusted", None)
    assert (observed.variables["connected"], observed.variables["tls_verified"]) == (True, False)
    assert "certificate_days_left" not in observed.variables
    assert observed.summary
    assert observed.summary.endswith(why)
    assert not is_success(observed)


async def test_the_end_of_tls_is_told_to_the_port() -> None:
    with socket.create_server((HERE, 0)) as listener:
        listener.settimeout(LONG)
        port = listener.getsockname()[1]

        def serve() -> bytes:
            connection, _ = listener.accept()
            connection.settimeout(LONG)
            # Without the other side's goodbye this raises SSLEOFError.
            with server().wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as encrypted:
                return encrypted.recv(1)

        served = asyncio.create_task(asyncio.to_thread(serve))
        spec = TcpCheck(host=HERE, port=port, tls=True, banner_bytes=10)
        observed = await driver(port, tls.client_context()).check(spec, IMPATIENT)
        assert await served == b""

    assert observed.variables["tls_verified"] is True


@pytest.mark.parametrize("talk", [saying(b"220 ready\r\n"), closing])
async def test_a_port_without_tls_is_observed(talk: Talk) -> None:
    async with listening(talk) as port:
        observed = await look(port.number, tls=True)

    assert (observed.status, observed.error) == ("No TLS", None)
    assert (observed.variables["connected"], observed.variables["tls_verified"]) == (True, False)
    assert not is_success(observed)


async def test_a_port_that_never_shakes_hands_is_observed() -> None:
    async with mute_port() as port:
        observed = await look(port, IMPATIENT, tls=True)

    assert observed.status == "No TLS"
    assert observed.summary
    assert observed.summary.endswith("no TLS handshake in time")


async def test_each_permitted_address_is_tried_and_no_other() -> None:
    async with listening() as port:
        resolve = resolving("169.254.169.254", "127.0.0.2", HERE)
        checks = TcpDriver(TargetGuard([f"127.0.0.0/8:{port.number}"], resolve=resolve))
        observed = await checks.check(TcpCheck(host="two.test", port=port.number), CONTEXT)

    assert observed.status == "Connected"


async def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as port, hostile.trap() as proxy:
        hostile.set_proxies(monkeypatch, f"http://{HERE}:{proxy.port}")
        assert (await look(port.number)).status == "Connected"

    assert proxy.connections == 0


async def test_the_name_is_looked_up_once_for_a_check() -> None:
    rebinding = hostile.Rebinding()
    async with listening() as port:
        checks = TcpDriver(TargetGuard([f"{HERE}:{port.number}"], resolve=rebinding))
        observed = await checks.check(TcpCheck(host="rebinding.test", port=port.number), CONTEXT)

    assert (observed.status, rebinding.asked) == ("Connected", 1)


async def test_a_name_that_cannot_be_resolved_is_a_transient_error() -> None:
    async def nowhere(host: str, port: int) -> Resolved:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = await failure(TcpDriver(TargetGuard(resolve=nowhere)), TcpCheck(host="none.test", port=80))

    assert error.error_class is ErrorClass.TRANSIENT
    assert "none.test cannot be resolved" in str(error)


async def test_a_resolver_that_hangs_is_a_transient_error() -> None:
    async def hanging(host: str, port: int) -> Resolved:
        await asyncio.sleep(LONG)
        return []

    with pytest.raises(CheckFailed, match="could not be resolved in time") as failed:
        await TcpDriver(TargetGuard(resolve=hanging)).check(TcpCheck(host="slow.test", port=80), IMPATIENT)
    assert failed.value.error_class is ErrorClass.TRANSIENT


def test_of_several_addresses_the_most_telling_failure_counts() -> None:
    errors = [OSError(errno.EHOSTUNREACH, ""), ConnectionRefusedError(), TimeoutError()]

    assert seen(Step.CONNECTING, [*errors], "a.example:22").status == "Refused"
    assert seen(Step.CONNECTING, [errors[0]], "a.example:22").status == "Unreachable"


def test_what_the_worker_lacks_is_no_observation_of_the_port() -> None:
    with pytest.raises(CheckFailed, match="the worker cannot connect to the port") as failed:
        seen(Step.CONNECTING, [OSError(errno.EMFILE, "")], "the port")
    assert failed.value.error_class is ErrorClass.TRANSIENT


async def test_a_check_that_is_cancelled_leaves_no_connection() -> None:
    async with listening() as port:
        check = asyncio.create_task(look(port.number, banner_bytes=10))
        await asyncio.sleep(0.2)
        check.cancel()
        with pytest.raises(asyncio.CancelledError):
            await check
        await asyncio.wait_for(port.hung_up.wait(), LONG)
    gc.collect()  # an open socket would warn, and warnings are errors here


async def test_the_driver_is_made_from_the_worker_s_resources() -> None:
    port = refusing_port()
    checks = tcp.create(Resources(TargetGuard([f"{HERE}:{port}"])))
    assert (await checks.check(TcpCheck(host=HERE, port=port), CONTEXT)).status == "Refused"
    await checks.close()
