"""The kind `http` against real servers: requests, redirects, the guard, TLS."""

import asyncio
import socket
import ssl
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitor_core.contract import ErrorClass
from monitor_core.kinds import HttpCheck
from monitor_worker.checks import http
from monitor_worker.checks.base import CheckContext, CheckFailed, Resources
from monitor_worker.checks.http import HttpDriver
from monitor_worker.checks.http_connect import guarded_session
from monitor_worker.checks.http_request import VERSION
from monitor_worker.checks.targets import Resolve, Resolved, TargetDenied, TargetGuard

CONTEXT = CheckContext("job", "run.0.1.1", 1, 10.0)
METADATA = "169.254.169.254"


@dataclass
class Target:
    """A server that notes what it is asked."""

    answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    port: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.text())
        self.connections.add(request.transport)
        return await self.answer(request)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


def always(response: Callable[[], web.Response]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return response()

    return answer


def succeeded() -> web.Response:
    return web.json_response({"status": "Succeeded"})


def redirecting(location: str, status: int = 302) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """`/` redirects, every other path answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            return web.Response(status=status, headers={"Location": location})
        return succeeded()

    return answer


@asynccontextmanager
async def serving(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Target]:
    target = Target(answer or always(succeeded))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", target.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(ssl=tls)
    assert server.port
    target.port = server.port
    try:
        yield target
    finally:
        await server.close()


@asynccontextmanager
async def driving(guard: TargetGuard, tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpDriver]:
    driver = HttpDriver(guard, tls)
    try:
        yield driver
    finally:
        await driver.close()


@asynccontextmanager
async def checking(target: Target, **guard: Any) -> AsyncIterator[HttpDriver]:
    """A driver that may ask the target at 127.0.0.1."""
    async with driving(TargetGuard([f"127.0.0.1:{target.port}"], **guard)) as driver:
        yield driver


def answering(*addresses: str) -> Resolve:
    """Each look-up gets the next of the addresses."""
    left = iter(addresses)

    async def resolve(host: str, port: int) -> Resolved:
        return [(socket.AF_INET, next(left))]

    return resolve


async def failure(driver: HttpDriver, spec: HttpCheck) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        await driver.check(spec, CONTEXT)
    return failed.value


async def test_it_observes_an_answer() -> None:
    async with serving() as target, checking(target) as driver:
        seen = await driver.check(HttpCheck(url=target.url("/jobs/1?a=b#c")), CONTEXT)

    assert seen.status == "Succeeded"
    assert seen.variables["body"] == {"status": "Succeeded"}
    assert seen.variables["headers"]["content-type"] == "application/json; charset=utf-8"
    assert seen.variables["latency_ms"] > 0
    assert seen.error is None
    assert target.asked[0].path_qs == "/jobs/1?a=b"
    assert target.asked[0].method == "GET"


async def test_it_says_who_asks() -> None:
    async with serving() as target, checking(target) as driver:
        await driver.check(HttpCheck(url=target.url()), CONTEXT)

    headers = target.asked[0].headers
    assert headers["User-Agent"] == f"durable-monitor/{VERSION}"
    assert headers["Accept"] == "application/json, */*;q=0.5"
    assert headers["x-ms-client-request-id"] == "run.0.1.1"
    assert headers["Host"] == f"127.0.0.1:{target.port}"


def test_the_version_it_names_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())

    assert project["project"]["version"] == VERSION


async def test_the_spec_s_headers_go_over_the_defaults() -> None:
    spec = {"accept": "text/plain", "X-Api-Version": "7", "user-agent": "mine"}
    async with serving() as target, checking(target) as driver:
        await driver.check(HttpCheck(url=target.url(), headers=spec), CONTEXT)

    headers = target.asked[0].headers
    assert headers.getall("Accept") == ["text/plain"]
    assert headers.getall("User-Agent") == ["mine"]
    assert headers["X-Api-Version"] == "7"


@pytest.mark.parametrize(
    ("body", "headers", "sent", "content_type"),
    [
        ({"a": [1, "é"]}, {}, '{"a":[1,"\\u00e9"]}', "application/json"),
        ("é", {}, "é", "text/plain; charset=utf-8"),
        ({}, {"content-type": "application/merge-patch+json"}, "{}", "application/merge-patch+json"),
    ],
)
async def test_a_body_is_sent(body: Any, headers: dict[str, str], sent: str, content_type: str) -> None:
    async with serving() as target, checking(target) as driver:
        spec = HttpCheck(url=target.url(), method="POST", allow_repeat=True, body=body, headers=headers)
        await driver.check(spec, CONTEXT)

    assert target.bodies == [sent]
    assert target.asked[0].headers.getall("Content-Type") == [content_type]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_method_is_sent_as_it_is(method: str) -> None:
    async with serving() as target, checking(target) as driver:
        spec = HttpCheck.model_validate({"url": target.url(), "method": method, "allow_repeat": True})
        seen = await driver.check(spec, CONTEXT)

    assert target.asked[0].method == method
    assert target.bodies == [""]
    assert seen.variables["text"] == ("" if method == "HEAD" else '{"status": "Succeeded"}')


async def test_an_unexpected_code_is_an_observation_with_its_error() -> None:
    def unavailable() -> web.Response:
        return web.json_response({"status": "Busy"}, status=503, headers={"Retry-After": "7"})

    async with serving(always(unavailable)) as target, checking(target) as driver:
        seen = await driver.check(HttpCheck(url=target.url("/x?sig=s3cr3t")), CONTEXT)

    assert seen.error is not None
    assert str(seen.error).startswith(f"503 Service Unavailable from GET http://127.0.0.1:{target.port}/x: ")
    assert seen.error.error_class is ErrorClass.TRANSIENT
    assert seen.retry_after_seconds == 7
    assert seen.status == "Busy"


async def test_connections_are_reused_and_the_host_not_looked_up_again() -> None:
    async with serving() as target, checking(target, resolve=answering("127.0.0.1")) as driver:
        for _ in range(3):
            await driver.check(HttpCheck(url=target.url(host="app.example")), CONTEXT)

    assert len(target.asked) == 3
    assert len(target.connections) == 1


async def test_many_checks_at_a_time_share_one_driver() -> None:
    async with serving() as target, checking(target) as driver:
        spec = HttpCheck(url=target.url())
        seen = await asyncio.gather(*(driver.check(spec, CONTEXT) for _ in range(150)))

    assert [each.status for each in seen] == ["Succeeded"] * 150
    assert len(target.connections) <= 100


async def test_no_cookie_is_kept() -> None:
    def with_cookie() -> web.Response:
        response = succeeded()
        response.set_cookie("session", "secret")
        return response

    # By a name: no jar keeps cookies of an address.
    async with serving(always(with_cookie)) as target, checking(target, resolve=answering("127.0.0.1")) as driver:
        for _ in range(2):
            await driver.check(HttpCheck(url=target.url(host="app.example")), CONTEXT)

    assert ["Cookie" in each.headers for each in target.asked] == [False, False]


async def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as target, serving() as proxy, checking(target) as driver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        await driver.check(HttpCheck(url=target.url()), CONTEXT)

    assert len(target.asked) == 1
    assert proxy.asked == []


async def test_a_closed_driver_makes_no_check() -> None:
    async with serving() as target, checking(target) as driver:
        await driver.check(HttpCheck(url=target.url()), CONTEXT)
        await driver.close()

        assert (await failure(driver, HttpCheck(url=target.url()))).error_class is ErrorClass.TRANSIENT


async def test_a_driver_that_made_no_check_closes() -> None:
    await http.create(Resources(TargetGuard())).close()


class TestGuard:
    """Nothing is asked that the guard does not permit, and nothing else is connected to."""

    @pytest.mark.parametrize(
        "host",
        [
            *("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::1]"),
            *("2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1", "127.0.0.1."),
            *(
                "①②⑦.0.0.1",
                "\uff11\uff12\uff17.0.0.1",
                "127。0。0。1",
                "LOCALHOST",
                "0.0.0.0",
                "[::]",
                "0",
                "[2002:7f00:1::]",
            ),
            *("[2001::1]", "[64:ff9b:1::7f00:1]", "[fe80::1%25lo]", "127.0.0.2"),
        ],
    )
    async def test_the_loopback_is_not_asked_by_any_spelling(self, host: str) -> None:
        async with serving() as target, driving(TargetGuard()) as driver:
            failed = await failure(driver, HttpCheck(url=f"http://{host}:{target.port}/?sig=s3cr3t"))

        assert target.asked == []
        assert failed.error_class is ErrorClass.MISCONFIGURED
        assert "s3cr3t" not in str(failed)

    @pytest.mark.parametrize(
        "host", [METADATA, "168.63.129.16", "[fd00:ec2::254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]"]
    )
    async def test_the_platform_is_never_asked_whatever_is_allowed(self, host: str) -> None:
        async with driving(TargetGuard(["0.0.0.0/0:*", "[::/0]:*"])) as driver:
            failed = await failure(driver, HttpCheck(url=f"http://{host}/metadata"))

        assert failed.error_class is ErrorClass.MISCONFIGURED
        assert "can never be a target" in str(failed)

    @pytest.mark.parametrize(
        "address", ["127.0.0.1", METADATA, "168.63.129.16", "10.0.0.1", "100.64.0.1", "64:ff9b::7f00:1"]
    )
    async def test_a_name_that_resolves_to_what_is_not_public_is_not_asked(self, address: str) -> None:
        async with serving() as target, driving(TargetGuard(resolve=answering(address))) as driver:
            failed = await failure(driver, HttpCheck(url=target.url(host="innocent.example")))

        assert target.asked == []
        assert failed.error_class is ErrorClass.MISCONFIGURED
        assert "innocent.example (" in str(failed)

    async def test_the_message_says_how_to_allow_the_target(self) -> None:
        async with driving(TargetGuard()) as driver:
            failed = await failure(driver, HttpCheck(url="http://10.0.0.5:8080/x"))

        assert str(failed) == (
            "10.0.0.5:8080 is not a public address; "
            "to allow it add 10.0.0.5:8080 to MONITOR_ALLOWED_TARGETS of the worker"
        )

    async def test_an_entry_with_another_port_does_not_do(self) -> None:
        async with serving() as target, driving(TargetGuard([f"127.0.0.1:{target.port + 1}"])) as driver:
            assert (await failure(driver, HttpCheck(url=target.url()))).error_class is ErrorClass.MISCONFIGURED

        assert target.asked == []

    async def test_a_name_that_is_allowed_is_asked_at_its_private_address(self) -> None:
        async with serving() as target:
            guard = TargetGuard([f"job-simulator:{target.port}"], resolve=answering("127.0.0.1"))
            async with driving(guard) as driver:
                await driver.check(HttpCheck(url=target.url(host="Job-Simulator")), CONTEXT)

        assert target.asked[0].headers["Host"] == f"job-simulator:{target.port}"

    async def test_a_name_that_is_allowed_does_not_allow_its_address(self) -> None:
        async with serving() as target:
            target.answer = redirecting(target.url("/there"))
            guard = TargetGuard([f"job-simulator:{target.port}"], resolve=answering("127.0.0.1"))
            async with driving(guard) as driver:
                failed = await failure(driver, HttpCheck(url=target.url(host="job-simulator")))

        assert [request.path for request in target.asked] == ["/"]
        assert failed.error_class is ErrorClass.MISCONFIGURED

    async def test_what_was_resolved_and_permitted_is_what_is_connected_to(self) -> None:
        """A name that changes its address at every look-up: only what is looked up once and judged is asked."""

        def closing() -> web.Response:
            response = succeeded()
            response.force_close()
            return response

        async with serving(always(closing)) as target:
            rebinding = answering("127.0.0.1", METADATA, "127.0.0.1", "127.0.0.2")
            async with checking(target, resolve=rebinding) as driver:
                spec = HttpCheck(url=target.url(host="rebinding.example"))
                await driver.check(spec, CONTEXT)
                second = await failure(driver, spec)
                await driver.check(spec, CONTEXT)
                fourth = await failure(driver, spec)

        assert len(target.asked) == 2
        assert METADATA in str(second)
        assert "127.0.0.2" in str(fourth)

    @pytest.mark.parametrize("others", [[], ["127.0.0.2"]])
    async def test_the_socket_refuses_what_a_resolver_let_through(self, others: list[str]) -> None:
        class Careless(TargetGuard):
            async def addresses(self, host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
                return [(socket.AF_INET, address) for address in ["127.0.0.1", *others]]

        async with serving() as target, guarded_session(Careless()) as session:
            with pytest.raises((TargetDenied, IndexError)):
                await session.get(target.url(host="innocent.example"))

        assert target.asked == []

    async def test_a_host_without_an_address_is_a_transient_error(self) -> None:
        async def unknown(host: str, port: int) -> Resolved:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        async with driving(TargetGuard(resolve=unknown)) as driver:
            failed = await failure(driver, HttpCheck(url="http://no.example/"))

        assert failed.error_class is ErrorClass.TRANSIENT
        assert str(failed) == "the host no.example cannot be resolved: Name or service not known"


class TestRedirects:
    """They are followed as clients do, and each is judged like the URL."""

    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("location", ["/there?x=1", "there?x=1", "//127.0.0.1:{port}/there?x=1"])
    async def test_one_is_followed(self, code: int, location: str) -> None:
        async with serving() as target, checking(target) as driver:
            target.answer = redirecting(location.format(port=target.port), code)
            seen = await driver.check(HttpCheck(url=target.url()), CONTEXT)

        assert seen.status == "Succeeded"
        assert [request.path_qs for request in target.asked] == ["/", "/there?x=1"]

    @pytest.mark.parametrize(
        ("method", "code", "then"),
        [
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("POST", 303, "GET"),
            ("PUT", 303, "GET"),
            ("HEAD", 303, "HEAD"),
            ("PUT", 302, "PUT"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
        ],
    )
    async def test_method_and_body_are_kept_or_dropped_as_clients_do(
        self, method: str, code: int, then: str
    ) -> None:
        body = None if method == "HEAD" else {"a": 1}
        async with serving(redirecting("/there", code)) as target, checking(target) as driver:
            spec = {"url": target.url(), "method": method, "allow_repeat": True, "body": body}
            spec["headers"] = {"Content-Language": "en", "X-Mine": "1"}
            await driver.check(HttpCheck.model_validate(spec), CONTEXT)

        there = target.asked[1]
        kept = then == method and body is not None
        assert there.method == then
        assert target.bodies[1] == ('{"a":1}' if kept else "")
        assert there.headers.get("Content-Type") == ("application/json" if kept else None)
        assert ("Content-Language" in there.headers) is (then == method)
        assert there.headers["X-Mine"] == "1"

    async def test_the_spec_s_headers_do_not_leave_the_origin(self) -> None:
        async with serving() as other, serving(redirecting(other.url("/there"), 307)) as target:
            guard = TargetGuard([f"127.0.0.1:{target.port}", f"127.0.0.1:{other.port}"])
            async with driving(guard) as driver:
                headers = {"X-Api-Key": "k", "Accept": "text/plain", "Content-Type": "application/x"}
                spec = HttpCheck(url=target.url(), method="PUT", allow_repeat=True, body={}, headers=headers)
                await driver.check(spec, CONTEXT)

        assert target.asked[0].headers["X-Api-Key"] == "k"
        there = other.asked[0].headers
        assert "X-Api-Key" not in there
        assert there["Accept"] == "application/json, */*;q=0.5"
        assert there["Content-Type"] == "application/x"
        assert there["x-ms-client-request-id"] == "run.0.1.1"

    async def test_headers_that_were_dropped_do_not_come_back_with_the_origin(self) -> None:
        async with serving() as target, serving(redirecting(target.url("/there"))) as other:
            target.answer = redirecting(other.url())
            guard = TargetGuard([f"127.0.0.1:{target.port}", f"127.0.0.1:{other.port}"])
            async with driving(guard) as driver:
                await driver.check(HttpCheck(url=target.url(), headers={"X-Api-Key": "k"}), CONTEXT)

        assert [request.headers.get("X-Api-Key") for request in target.asked] == ["k", None]

    async def test_credentials_in_a_location_are_not_used(self) -> None:
        async with serving() as target, checking(target) as driver:
            target.answer = redirecting(f"http://user:secret@127.0.0.1:{target.port}/there")
            await driver.check(HttpCheck(url=target.url()), CONTEXT)

        assert "Authorization" not in target.asked[1].headers

    @pytest.mark.parametrize(
        "location",
        [
            *(
                f"http://{METADATA}/metadata",
                "http://168.63.129.16/",
                "http://[fd00:ec2::254]/",
                "http://10.0.0.1/",
            ),
            *(
                "http://[::ffff:169.254.169.254]/",
                "http://2852039166/",
                "//169.254.169.254/",
                "http://rebound.example/",
            ),
            *("http://[64:ff9b::a9fe:a9fe]/", "http://[2002:a9fe:a9fe::]/", "http://0xa9.254.169.254/"),
        ],
    )
    async def test_one_to_what_is_not_permitted_is_not_followed(self, location: str) -> None:
        resolve = answering(METADATA)
        async with serving(redirecting(location)) as target, checking(target, resolve=resolve) as driver:
            failed = await failure(driver, HttpCheck(url=target.url()))

        assert failed.error_class is ErrorClass.MISCONFIGURED
        assert len(target.asked) == 1

    @pytest.mark.parametrize(
        "location",
        [
            "",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "http://",
            "http://[::1/",
            "http://h:99999/",
            "javascript:1",
        ],
    )
    async def test_one_to_nowhere_is_an_error(self, location: str) -> None:
        async with serving(redirecting(location)) as target, checking(target) as driver:
            failed = await failure(driver, HttpCheck(url=target.url("/?sig=s3cr3t")))

        assert failed.error_class is ErrorClass.PERMANENT
        assert "redirects" in str(failed)
        assert "s3cr3t" not in str(failed)

    async def test_one_without_a_location_is_an_error(self) -> None:
        async with serving(always(lambda: web.Response(status=302))) as target, checking(target) as driver:
            failed = await failure(driver, HttpCheck(url=target.url()))

        assert failed.error_class is ErrorClass.PERMANENT
        assert "without saying where to" in str(failed)

    async def test_they_are_followed_so_many_times(self) -> None:
        async def onwards(request: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": f"/{int(request.path[1:]) + 1}?sig=s3cr3t"})

        async with serving(onwards) as target, checking(target) as driver:
            failed = await failure(driver, HttpCheck(url=target.url("/0?sig=s3cr3t"), max_redirects=3))

        assert failed.error_class is ErrorClass.PERMANENT
        assert str(failed) == f"{target.url('/0')} redirects more than 3 times, at last to {target.url('/4')}"
        assert len(target.asked) == 4

    async def test_without_following_one_is_an_answer(self) -> None:
        async with serving(redirecting("/there")) as target, checking(target) as driver:
            spec = HttpCheck.model_validate({"url": target.url(), "max_redirects": 0, "expected_codes": ["302"]})
            seen = await driver.check(spec, CONTEXT)

        assert seen.variables["code"] == 302
        assert seen.variables["headers"]["location"] == "/there"
        assert seen.error is None

    @pytest.mark.parametrize("code", [300, 304])
    async def test_other_codes_of_the_class_are_answers(self, code: int) -> None:
        async with serving(redirecting("/there", code)) as target, checking(target) as driver:
            seen = await driver.check(HttpCheck(url=target.url()), CONTEXT)

        assert seen.variables["code"] == code
        assert seen.error is not None
        assert seen.error.error_class is ErrorClass.PERMANENT


class Certificate:
    """A self-made certificate for 127.0.0.1: a server's context that has it, a client's that trusts it."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "both.pem").write_bytes(pem + secret)
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.server.load_cert_chain(folder / "both.pem")
        self.client = ssl.create_default_context(cadata=pem.decode())


class TestTls:
    """Certificates are verified, and what comes over https does not go on over http."""

    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Certificate:
        return Certificate(tmp_path)

    async def test_a_trusted_certificate_does(self, certificate: Certificate) -> None:
        async with serving(tls=certificate.server) as target:
            guard = TargetGuard([f"127.0.0.1:{target.port}"])
            async with driving(guard, certificate.client) as driver:
                seen = await driver.check(HttpCheck(url=target.url().replace("http", "https")), CONTEXT)

        assert seen.status == "Succeeded"

    async def test_an_untrusted_certificate_is_a_permanent_error(self, certificate: Certificate) -> None:
        async with serving(tls=certificate.server) as target, checking(target) as driver:
            failed = await failure(driver, HttpCheck(url=target.url("/x?y").replace("http", "https")))

        assert failed.error_class is ErrorClass.PERMANENT
        assert str(failed) == (
            f"the certificate of https://127.0.0.1:{target.port}/x is not trusted: self-signed certificate"
        )
        assert target.asked == []

    async def test_a_certificate_of_another_host_is_a_permanent_error(self, certificate: Certificate) -> None:
        async with serving(tls=certificate.server) as target:
            guard = TargetGuard([f"127.0.0.1:{target.port}"], resolve=answering("127.0.0.1"))
            async with driving(guard, certificate.client) as driver:
                failed = await failure(driver, HttpCheck(url=f"https://other.example:{target.port}/"))

        assert failed.error_class is ErrorClass.PERMANENT
        assert "not valid for 'other.example'" in str(failed)

    async def test_a_server_without_tls_is_a_transient_error(self) -> None:
        async with serving() as target, checking(target) as driver:
            failed = await failure(driver, HttpCheck(url=target.url().replace("http", "https")))

        assert failed.error_class is ErrorClass.TRANSIENT
        assert str(failed).startswith(f"no TLS connection to https://127.0.0.1:{target.port}/: ")

    async def test_a_redirect_from_https_to_http_is_not_followed(self, certificate: Certificate) -> None:
        async with serving() as plain, serving(redirecting(plain.url("/there")), certificate.server) as target:
            guard = TargetGuard([f"127.0.0.1:{plain.port}", f"127.0.0.1:{target.port}"])
            async with driving(guard, certificate.client) as driver:
                failed = await failure(driver, HttpCheck(url=target.url().replace("http", "https")))

        assert failed.error_class is ErrorClass.PERMANENT
        assert "from https to http" in str(failed)
        assert plain.asked == []
