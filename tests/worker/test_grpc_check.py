"""The kind `grpc` against real servers with the health service: serving or not, gone, untrusted, hostile."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode, aio
from grpc_health.v1._async import HealthServicer as AsyncHealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass, parse_request
from monitor_core.kinds import BUILT_IN, GrpcCheck
from monitor_worker.checks import grpc as grpc_module
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.grpc import GrpcDriver
from monitor_worker.checks.grpc_answer import Answer
from monitor_worker.checks.targets import Resolve, Resolved, TargetGuard
from monitor_worker.loop import LoopThread, ask
from support.tls import files

CONTEXT = CheckContext("job", "run.0.1.1", 1, 30.0)
IMPATIENT = replace(CONTEXT, timeout_seconds=0.5)
HERE = "127.0.0.1"
LONG = 60.0
SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
NO_ANSWER = {"serving": False, "connected": False, "status": ""}
Method = Callable[[bytes, Any], Awaitable[bytes]]


@dataclass
class Server:
    """A real gRPC server with the health service."""

    port: int
    health: Any = field(default_factory=AsyncHealthServicer)

    async def set(self, status: Any, service: str = "") -> None:
        await self.health.set(service, status)


@asynccontextmanager
async def serving(
    method: Method | None = None, credentials: Any = None, host: str = HERE, port: int = 0
) -> AsyncIterator[Server]:
    """A server; with a method that one takes the place of the health service's Check."""
    server, running = aio.server(), Server(port)
    if method is None:
        add_HealthServicer_to_server(running.health, server)
    else:
        handlers = {"Check": grpc.unary_unary_rpc_method_handler(method)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", handlers),))
    place = f"{host}:{port}"
    running.port = server.add_secure_port(place, credentials) if credentials else server.add_insecure_port(place)
    await server.start()
    try:
        yield running
    finally:
        await server.stop(None)


def aborting(code: StatusCode) -> Method:
    async def check(request: bytes, context: Any) -> bytes:
        await context.abort(code, "a stranger's words")
        return b""

    return check


def answering(reply: bytes) -> Method:
    async def check(request: bytes, context: Any) -> bytes:
        return reply

    return check


async def hanging(request: bytes, context: Any) -> bytes:
    await asyncio.sleep(LONG)
    return b""


def resolving(*addresses: str) -> Resolve:
    async def resolve(host: str, port: int) -> Resolved:
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, address) for address in addresses]

    return resolve


def guard(port: int, *addresses: str) -> TargetGuard:
    allowed = [f"127.0.0.0/8:{port}", f"[::1]:{port}"]
    return TargetGuard(allowed, resolve=resolving(*addresses)) if addresses else TargetGuard(allowed)


async def look(port: int, context: CheckContext = CONTEXT, **fields: Any) -> Observation:
    spec = GrpcCheck.model_validate({"host": HERE, "port": port, **fields})
    return await GrpcDriver(guard(port)).check(spec, context)


async def failure(driver: GrpcDriver, spec: GrpcCheck, context: CheckContext = CONTEXT) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        await driver.check(spec, context)
    return caught.value


def closed_port() -> int:
    with socket.create_server((HERE, 0)) as server:
        return int(server.getsockname()[1])


async def test_a_server_is_serving_once_it_says_so() -> None:
    async with serving() as server:
        await server.set(NOT_SERVING)
        before = await look(server.port)
        await server.set(SERVING)
        after = await look(server.port)

    assert (before.status, before.error) == ("NOT_SERVING", None)
    assert {**before.variables, "latency_ms": 0} == {
        "serving": False,
        "connected": True,
        "status": "NOT_SERVING",
        "latency_ms": 0,
    }
    assert (after.status, after.variables["serving"], after.variables["status"]) == ("SERVING", True, "SERVING")
    assert after.variables["latency_ms"] > 0
    assert set(after.variables) == set(GrpcCheck.variables)
    assert after.summary
    assert after.summary.startswith("the server is SERVING, in ")


async def test_a_service_has_a_status_of_its_own() -> None:
    async with serving() as server:
        await server.set(SERVING)
        unknown = await look(server.port, service="shop.Orders")
        await server.set(NOT_SERVING, "shop.Orders")
        known = await look(server.port, service="shop.Orders")

    assert (unknown.status, unknown.variables["connected"], unknown.error) == ("SERVICE_UNKNOWN", True, None)
    assert unknown.summary
    assert unknown.summary.startswith("the service shop.Orders is SERVICE_UNKNOWN")
    assert (known.status, known.variables["serving"]) == ("NOT_SERVING", False)


async def test_a_server_that_comes_and_goes_is_observed() -> None:
    async with serving() as server:
        await server.set(SERVING)
        assert (await look(server.port)).status == "SERVING"
    gone = await look(server.port)
    async with serving(port=server.port) as again:
        await again.set(SERVING)
        # At once: nothing is left of how long gRPC would have left the server alone.
        back = await look(server.port)

    assert (gone.status, gone.variables, gone.error) == ("Refused", NO_ANSWER, None)
    assert gone.summary == f"{HERE}:{server.port} refuses the connection"
    assert back.status == "SERVING"


async def test_a_status_of_a_newer_protocol_is_unknown() -> None:
    async with serving(answering(b"\x08\x07")) as server:
        observed = await look(server.port)
    assert (observed.status, observed.variables["serving"]) == ("UNKNOWN", False)


async def test_a_server_without_the_health_service_is_a_permanent_error() -> None:
    async with serving(aborting(StatusCode.UNIMPLEMENTED)) as server:
        spec = GrpcCheck(host=HERE, port=server.port)
        error = await failure(GrpcDriver(guard(server.port)), spec)
    assert error.error_class is ErrorClass.PERMANENT
    assert "has no health service (grpc.health.v1.Health)" in str(error)


@pytest.mark.parametrize(
    ("code", "error_class", "words"),
    [
        (StatusCode.PERMISSION_DENIED, ErrorClass.PERMANENT, "refuses the caller (PERMISSION_DENIED)"),
        (StatusCode.UNAUTHENTICATED, ErrorClass.PERMANENT, "refuses the caller (UNAUTHENTICATED)"),
        (StatusCode.INVALID_ARGUMENT, ErrorClass.PERMANENT, "does not take the call (INVALID_ARGUMENT)"),
        (StatusCode.INTERNAL, ErrorClass.TRANSIENT, "answers INTERNAL"),
        (StatusCode.RESOURCE_EXHAUSTED, ErrorClass.TRANSIENT, "answers RESOURCE_EXHAUSTED"),
        (StatusCode.UNKNOWN, ErrorClass.TRANSIENT, "answers UNKNOWN"),
    ],
)
async def test_an_answer_that_shows_nothing_is_an_error(
    code: StatusCode, error_class: ErrorClass, words: str
) -> None:
    async with serving(aborting(code)) as server:
        error = await failure(GrpcDriver(guard(server.port)), GrpcCheck(host=HERE, port=server.port))
    assert error.error_class is error_class
    assert words in str(error)
    assert "stranger" not in str(error)


@pytest.mark.parametrize("reply", [b"\xff", b"x" * 100_000])
async def test_an_answer_that_is_none_is_a_transient_error(reply: bytes) -> None:
    async with serving(answering(reply)) as server:
        error = await failure(GrpcDriver(guard(server.port)), GrpcCheck(host=HERE, port=server.port))
    assert error.error_class is ErrorClass.TRANSIENT


async def test_a_server_that_is_unavailable_for_now_is_observed() -> None:
    async with serving(aborting(StatusCode.UNAVAILABLE)) as server:
        observed = await look(server.port)
    assert (observed.status, observed.variables) == ("UNAVAILABLE", NO_ANSWER | {"connected": True})
    assert observed.summary == f"{HERE}:{server.port} answers UNAVAILABLE"


async def test_a_server_that_never_answers_is_observed_before_the_check_s_time_is_over() -> None:
    async with serving(hanging) as server:
        observed = await asyncio.wait_for(look(server.port, replace(CONTEXT, timeout_seconds=1.0)), LONG)
    assert (observed.status, observed.variables) == ("DEADLINE_EXCEEDED", NO_ANSWER | {"connected": True})


async def test_a_port_that_never_speaks_is_observed() -> None:
    with socket.create_server((HERE, 0)) as mute:
        port = mute.getsockname()[1]
        observed = await asyncio.wait_for(look(port, IMPATIENT), LONG)
    assert (observed.status, observed.variables) == ("Unreachable", NO_ANSWER)
    assert observed.summary == f"{HERE}:{port} did not answer in time"


async def test_a_web_server_is_observed_to_speak_no_grpc() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, HERE, 0)
    async with server:
        observed = await look(server.sockets[0].getsockname()[1])
    assert (observed.status, observed.variables) == ("No gRPC", NO_ANSWER)


@dataclass
class Tls:
    """A server's credentials, and the certificate to trust them by."""

    server: Any
    trusted: bytes


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    authority, chain, key = files(tmp_path, "db.test", HERE)
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), chain.read_bytes())])
    return Tls(credentials, authority.read_bytes())


@pytest.mark.parametrize("host", [HERE, "db.test", "db.test.", "DB.test"])
async def test_with_tls_the_certificate_is_the_host_s(tls: Tls, host: str) -> None:
    async with serving(credentials=tls.server) as server:
        await server.set(SERVING)
        driver = GrpcDriver(guard(server.port, HERE), tls.trusted)
        observed = await driver.check(GrpcCheck(host=host, port=server.port, tls=True), CONTEXT)
    assert observed.status == "SERVING"


async def test_a_certificate_for_another_host_is_untrusted(tls: Tls) -> None:
    async with serving(credentials=tls.server) as server:
        driver = GrpcDriver(guard(server.port, HERE), tls.trusted)
        observed = await driver.check(GrpcCheck(host="other.test", port=server.port, tls=True), CONTEXT)
    assert (observed.status, observed.variables, observed.error) == ("Untrusted", NO_ANSWER, None)
    assert observed.summary == f"the certificate of other.test:{server.port} is for other names"


async def test_a_certificate_of_an_unknown_authority_is_untrusted(tls: Tls) -> None:
    async with serving(credentials=tls.server) as server:
        observed = await look(server.port, tls=True)
    assert (observed.status, observed.variables) == ("Untrusted", NO_ANSWER)
    assert observed.summary
    assert observed.summary.endswith("CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate")


async def test_a_server_without_tls_is_observed_where_tls_is_asked_for() -> None:
    async with serving() as server:
        observed = await look(server.port, tls=True)
    assert (observed.status, observed.variables) == ("No TLS", NO_ANSWER)


async def test_a_server_with_tls_is_observed_where_none_is_asked_for(tls: Tls) -> None:
    async with serving(credentials=tls.server) as server:
        observed = await look(server.port)
    assert (observed.status, observed.variables) == ("Unreachable", NO_ANSWER)


async def test_the_machine_s_trusted_certificates_count(tls: Tls, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with serving(credentials=tls.server) as server:
        await server.set(SERVING)
        driver = grpc_module.create(Resources(guard(server.port)))
        observed = await driver.check(GrpcCheck(host=HERE, port=server.port, tls=True), CONTEXT)
        await driver.close()
    assert observed.status == "SERVING"


async def test_an_ipv6_address_is_reached() -> None:
    async with serving(host="[::1]") as server:
        await server.set(SERVING)
        observed = await look(server.port, host="::1")
    assert observed.status == "SERVING"


async def test_each_permitted_address_is_tried_and_no_other() -> None:
    async with serving() as server:
        await server.set(SERVING)
        driver = GrpcDriver(guard(server.port, "169.254.169.254", "127.0.0.2", HERE))
        observed = await driver.check(GrpcCheck(host="many.test", port=server.port), CONTEXT)
    assert observed.status == "SERVING"


async def test_an_address_that_does_not_answer_leaves_time_for_the_next() -> None:
    async with serving() as server:
        await server.set(SERVING)
        with socket.create_server(("127.0.0.2", server.port)):
            driver = GrpcDriver(guard(server.port, "127.0.0.2", HERE))
            spec = GrpcCheck(host="many.test", port=server.port)
            observed = await driver.check(spec, replace(CONTEXT, timeout_seconds=2.0))
    assert observed.status == "SERVING"


async def test_of_several_addresses_the_most_telling_counts() -> None:
    with socket.create_server(("127.0.0.2", 0)) as mute:
        port = mute.getsockname()[1]
        for addresses in (("127.0.0.2", "127.0.0.3"), ("127.0.0.3", "127.0.0.2")):
            driver = GrpcDriver(guard(port, *addresses))
            observed = await driver.check(GrpcCheck(host="many.test", port=port), IMPATIENT)
            assert observed.status == "Refused"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0x7f000001", "127.1", "localhost"])
async def test_this_machine_is_denied_by_whatever_name(host: str) -> None:
    async with serving() as server:
        error = await failure(GrpcDriver(TargetGuard()), GrpcCheck(host=host, port=server.port))
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "MONITOR_ALLOWED_TARGETS" in str(error)


@pytest.mark.parametrize("address", ["169.254.169.254", "168.63.129.16", "64:ff9b::a9fe:a9fe", "100.64.0.1"])
async def test_a_name_that_leads_to_a_hostile_address_is_denied(address: str) -> None:
    driver = GrpcDriver(TargetGuard(resolve=resolving(address)))
    error = await failure(driver, GrpcCheck(host="friendly.example", port=443, tls=True))
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "friendly.example" in str(error)


async def test_a_name_is_looked_up_once_and_by_nobody_else() -> None:
    asked = []

    async def rebinding(host: str, port: int) -> Resolved:
        asked.append(host)
        return [(socket.AF_INET, HERE if len(asked) == 1 else "169.254.169.254")]

    async with serving() as server:
        await server.set(SERVING)
        driver = GrpcDriver(TargetGuard([f"{HERE}:{server.port}"], resolve=rebinding))
        observed = await driver.check(GrpcCheck(host="rebinding.test", port=server.port), CONTEXT)
    assert (observed.status, asked) == ("SERVING", ["rebinding.test"])


async def test_a_name_that_cannot_be_resolved_is_a_transient_error() -> None:
    async def nowhere(host: str, port: int) -> Resolved:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = await failure(GrpcDriver(TargetGuard(resolve=nowhere)), GrpcCheck(host="none.test", port=80))
    assert error.error_class is ErrorClass.TRANSIENT
    assert "none.test cannot be resolved" in str(error)


@pytest.mark.parametrize(
    ("code", "connected"), [(StatusCode.UNIMPLEMENTED, True), (StatusCode.UNAVAILABLE, False)]
)
def test_what_a_server_says_before_it_hangs_up_is_its_answer(code: StatusCode, connected: bool) -> None:
    error = aio.AioRpcError(code, aio.Metadata(), aio.Metadata(), None, None)
    assert Answer.failed(error, connected=False).connected is connected


class Ear:
    """A port that listens, says nothing, and knows when the other side has hung up."""

    def __init__(self) -> None:
        self.port, self.called, self.hung_up = 0, asyncio.Event(), asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.called.set()
        try:
            while await reader.read(1000):
                pass
        except OSError:
            pass  # hung up all the same
        finally:
            writer.close()
            self.hung_up.set()


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    listening = Ear()
    server = await asyncio.start_server(listening.serve, HERE, 0)
    listening.port = server.sockets[0].getsockname()[1]
    async with server:
        yield listening


async def test_once_an_address_is_reached_no_other_is_asked(ear: Ear) -> None:
    async with serving(host="127.0.0.2", port=ear.port) as server:
        await server.set(SERVING)
        driver = GrpcDriver(guard(ear.port, "127.0.0.2", HERE))
        observed = await driver.check(GrpcCheck(host="many.test", port=ear.port), CONTEXT)
    assert observed.status == "SERVING"
    assert not ear.called.is_set()


async def test_no_proxy_of_the_environment_is_used(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("grpc_proxy", "http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(variable, f"http://{HERE}:{ear.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_grpc_proxy", raising=False)
    async with serving() as server:
        await server.set(SERVING)
        observed = await look(server.port)
    assert observed.status == "SERVING"
    assert not ear.called.is_set()


async def test_a_connection_that_is_never_made_is_closed_when_the_check_s_time_is_over(ear: Ear) -> None:
    assert (await look(ear.port, IMPATIENT)).status == "Unreachable"
    await asyncio.wait_for(ear.hung_up.wait(), 10)  # gRPC's own time is 20 s


async def test_so_is_one_that_is_being_made_when_the_check_is_cancelled(ear: Ear) -> None:
    check = asyncio.create_task(look(ear.port, replace(CONTEXT, timeout_seconds=1.0)))
    await asyncio.wait_for(ear.called.wait(), LONG)
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    await asyncio.wait_for(ear.hung_up.wait(), 10)


class Relay:
    """Hands a connection on to a server, and knows when the caller has hung up."""

    def __init__(self, port: int) -> None:
        self._port, self.hung_up, self.connections = port, asyncio.Event(), 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection(HERE, self._port)
        answers = asyncio.create_task(copy(there, writer))
        await copy(reader, back)
        self.hung_up.set()
        await answers


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(4096):
            writer.write(piece)
    writer.close()


@asynccontextmanager
async def relayed(port: int) -> AsyncIterator[tuple[int, Relay]]:
    relay = Relay(port)
    server = await asyncio.start_server(relay.serve, HERE, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], relay


async def test_the_connection_is_closed_after_the_check() -> None:
    async with serving() as server, relayed(server.port) as (port, relay):
        await server.set(SERVING)
        assert (await look(port, replace(CONTEXT, timeout_seconds=LONG))).status == "SERVING"
        await asyncio.wait_for(relay.hung_up.wait(), LONG / 4)


async def test_each_check_has_a_connection_of_its_own() -> None:
    async with serving() as server, relayed(server.port) as (port, relay):
        await server.set(SERVING)
        seen = await asyncio.gather(*(look(port) for _ in range(20)))
    assert {observed.status for observed in seen} == {"SERVING"}
    assert relay.connections == 20


async def test_a_check_that_is_cancelled_leaves_no_connection() -> None:
    async with serving(hanging) as server, relayed(server.port) as (port, relay):
        check = asyncio.create_task(look(port, replace(CONTEXT, timeout_seconds=LONG)))
        await asyncio.sleep(0.3)
        check.cancel()
        with pytest.raises(asyncio.CancelledError):
            await check
        await asyncio.wait_for(relay.hung_up.wait(), LONG / 4)


class Authorities(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in its stubs alone
    """Remembers as which host it was called."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def service(self, details: Any) -> Any:
        def check(request: bytes, context: Any) -> bytes:
            self.seen.append(context._rpc_event.call_details.host.decode())
            return b"\x08\x01"

        return grpc.unary_unary_rpc_method_handler(check)


@contextmanager
def threaded(handler: Any, place: str = HERE) -> Iterator[int]:
    """A server on threads of its own: for checks that are made on another loop."""
    server = grpc.server(ThreadPoolExecutor(4), handlers=[handler])
    port = server.add_insecure_port(f"{place}:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait(LONG)


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("db.test", "db.test"),
        ("db.test.", "db.test"),
        ("b\u00fccher.test", "xn--bcher-kva.test"),
        ("::1", "[::1]"),
    ],
)
async def test_the_server_is_called_by_the_host_s_name(host: str, authority: str) -> None:
    handler = Authorities()
    with threaded(handler, "[::1]" if host == "::1" else HERE) as port:
        driver = GrpcDriver(guard(port, HERE))
        await driver.check(GrpcCheck(host=host, port=port), CONTEXT)
    assert handler.seen == [f"{authority}:{port}"]


def test_many_checks_are_made_on_the_worker_s_loop() -> None:
    with threaded(Authorities()) as port:
        loop = LoopThread()
        loop.start()
        driver, spec = GrpcDriver(guard(port)), GrpcCheck(host=HERE, port=port)
        with ThreadPoolExecutor(8) as activities:
            seen = list(activities.map(lambda _: loop.run(ask(driver, spec, CONTEXT)).status, range(40)))
        loop.run(driver.close())
        loop.stop()
    assert seen == ["SERVING"] * 40


async def test_the_example_runs(tls: Tls) -> None:
    example = dict(GrpcCheck.example)
    async with serving(credentials=tls.server) as server:
        here = {**example["check"], "host": "db.test", "port": server.port}
        request = parse_request({"job_id": "j", **example, "check": here}, BUILT_IN)
        success, _ = conditions(request.success_when, request.failure_when, GrpcCheck)
        assert success is not None
        driver = GrpcDriver(guard(server.port, HERE), tls.trusted)
        spec = GrpcCheck.model_validate(dict(request.check))
        held = []
        for status in (None, NOT_SERVING, SERVING):
            if status is not None:
                await server.set(status, spec.service)
            held.append(success.holds((await driver.check(spec, CONTEXT)).variables))
    assert held == [False, False, True]
