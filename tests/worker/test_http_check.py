"""The kind `http` against real servers: requests, redirects, the guard, TLS."""

import asyncio
import socket
import ssl
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from monitor_core import __version__
from monitor_core.conditions import Condition
from monitor_core.contract import ErrorClass
from monitor_core.kinds import HttpCheck
from monitor_worker.checks import http
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.base import CheckContext, CheckFailed, Resources
from monitor_worker.checks.http import HttpDriver
from monitor_worker.checks.http_client import HttpClient
from monitor_worker.checks.http_connect import guarded_session
from monitor_worker.checks.http_response import Response
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import Resolve, Resolved, TargetDenied, TargetGuard
from monitor_worker.checks.tokens import Tokens
from support import hostile, tls
from support.hostile import METADATA
from support.web import Target, always, redirecting, serving, succeeded

CONTEXT = CheckContext("job", "run.0.1.1", 1, 10.0)
HOSTILE = [*hostile.TARGETS, hostile.Target("127.0.0.1.")]
NOBODY = Authorizer(Secrets(), Tokens())


@asynccontextmanager
async def driving(guard: TargetGuard, trust: ssl.SSLContext | None = None) -> AsyncIterator[HttpDriver]:
    driver = HttpDriver(HttpClient(guard, trust or tls.client_context()), NOBODY)
    try:
        yield driver
    finally:
        await driver.close()


@asynccontextmanager
async def checking(target: Target, **guard: Any) -> AsyncIterator[HttpDriver]:
    """A driver that may ask the target at 127.0.0.1."""
    async with driving(TargetGuard([f"127.0.0.1:{target.port}"], **guard)) as driver:
        yield driver


def client(target: Target, response: type[Response] = Response) -> HttpClient:
    return HttpClient(TargetGuard([f"127.0.0.1:{target.port}"]), tls.client_context(), response)


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
    assert headers["User-Agent"] == f"durable-monitor/{__version__}"
    assert headers["Accept"] == "application/json, */*;q=0.5"
    assert headers["x-ms-client-request-id"] == "run.0.1.1"
    assert headers["Host"] == f"127.0.0.1:{target.port}"


def test_the_version_it_names_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())

    assert project["project"]["version"] == __version__


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
    assert seen.variables.get("text") == (None if method == "HEAD" else '{"status": "Succeeded"}')
    assert seen.variables["method"] == method


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
        hostile.set_proxies(monkeypatch, proxy.url())
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

    @pytest.mark.parametrize("target", HOSTILE, ids=str)
    async def test_no_redirect_leads_to_a_hostile_target(self, target: hostile.Target) -> None:
        async def ask(host: str, port: int, guard: TargetGuard) -> None:
            first.answer = redirecting(f"http://{target.in_url()}:{port}/")
            permitted = target.guard(port, f"127.0.0.1:{first.port}")
            async with driving(permitted) as driver:
                await driver.check(HttpCheck(url=first.url()), CONTEXT)

        async with serving() as first:
            await hostile.require_closed(target, ask)

        assert len(first.asked) == 1

    async def test_the_message_says_how_to_allow_the_target(self) -> None:
        async with driving(TargetGuard()) as driver:
            failed = await failure(driver, HttpCheck(url="http://10.0.0.5:8080/x"))

        assert str(failed) == (
            "10.0.0.5:8080 is not a public address; "
            "to allow it add 10.0.0.5:8080 to MONITOR_ALLOWED_TARGETS of the worker"
        )

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


class TestTls:
    """Certificates are verified, and what comes over https does not go on over http."""

    async def test_a_trusted_certificate_does(self) -> None:
        async with serving(tls=tls.server_context()) as target, checking(target) as driver:
            seen = await driver.check(HttpCheck(url=target.url()), CONTEXT)

        assert seen.status == "Succeeded"

    @pytest.mark.parametrize("days", [90, 2])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_it_is_known_how_long_a_certificate_is_good(self, days: int, method: str) -> None:
        until = datetime(2040, 1, 1, tzinfo=UTC)
        server = tls.server_context(until=until)
        async with serving(tls=server) as target:
            driver = HttpDriver(client(target), NOBODY, lambda: until - timedelta(days=days))
            spec = HttpCheck.model_validate({"url": target.url(), "method": method})
            seen = [await driver.check(spec, CONTEXT) for _ in range(2)]
            await driver.close()

        assert [each.variables["certificate_days_left"] for each in seen] == [days] * 2
        assert len(target.connections) == 1
        assert Condition("success_when", "certificate_days_left > 30.0", HttpCheck.variables).holds(
            seen[0].variables
        ) is (days > 30)

    async def test_a_renewed_certificate_is_seen_once_the_connection_is_old(self) -> None:
        class ShortLived(Response):
            longest_connection_seconds = 0.0

        now = datetime.now(UTC)
        server = tls.server_context(until=now + timedelta(days=5))
        async with serving(tls=server) as target:
            driver = HttpDriver(client(target, ShortLived), NOBODY)
            before = await driver.check(HttpCheck(url=target.url()), CONTEXT)
            tls.certify(server, until=now + timedelta(days=90))
            after = await driver.check(HttpCheck(url=target.url()), CONTEXT)
            await driver.close()

        days = [each.variables["certificate_days_left"] for each in (before, after)]
        assert days == [pytest.approx(5, abs=1), pytest.approx(90, abs=1)]
        assert len(target.connections) == 2

    async def test_a_connection_that_is_not_old_keeps_what_it_has_shown(self) -> None:
        server = tls.server_context()
        async with serving(tls=server) as target, checking(target) as driver:
            before = await driver.check(HttpCheck(url=target.url()), CONTEXT)
            tls.certify(server, until=datetime.now(UTC) + timedelta(days=5))
            after = await driver.check(HttpCheck(url=target.url()), CONTEXT)

        assert after.variables["certificate_days_left"] > 5
        assert before.variables["certificate_days_left"] > after.variables["certificate_days_left"]

    @pytest.mark.parametrize(
        ("days", "trusts", "why"),
        [(90, False, "unable to get local issuer certificate"), (-1, True, "certificate has expired")],
    )
    async def test_a_certificate_that_cannot_be_trusted_is_a_permanent_error(
        self, days: int, trusts: bool, why: str
    ) -> None:
        server = tls.server_context(until=datetime.now(UTC) + timedelta(days=days))
        async with serving(tls=server) as target:
            guard = TargetGuard([f"127.0.0.1:{target.port}"])
            async with driving(guard, None if trusts else ssl.create_default_context()) as driver:
                failed = await failure(driver, HttpCheck(url=target.url("/x?y")))

        assert failed.error_class is ErrorClass.PERMANENT
        assert str(failed) == f"the certificate of {target.url('/x')} is not trusted: {why}"
        assert target.asked == []

    async def test_a_certificate_of_another_host_is_a_permanent_error(self) -> None:
        server = tls.server_context()
        async with serving(tls=server) as target, checking(target, resolve=answering("127.0.0.1")) as driver:
            failed = await failure(driver, HttpCheck(url=target.url(host="other.example")))

        assert failed.error_class is ErrorClass.PERMANENT
        assert "not valid for 'other.example'" in str(failed)

    async def test_a_server_without_tls_is_a_transient_error(self) -> None:
        async with serving() as target, checking(target) as driver:
            failed = await failure(driver, HttpCheck(url=target.url().replace("http", "https")))

        assert failed.error_class is ErrorClass.TRANSIENT
        assert str(failed).startswith(f"no TLS connection to https://127.0.0.1:{target.port}/: ")

    async def test_a_redirect_from_https_to_http_is_not_followed(self) -> None:
        server = tls.server_context()
        async with serving() as plain, serving(redirecting(plain.url("/there")), server) as target:
            guard = TargetGuard([f"127.0.0.1:{plain.port}", f"127.0.0.1:{target.port}"])
            async with driving(guard) as driver:
                failed = await failure(driver, HttpCheck(url=target.url()))

        assert failed.error_class is ErrorClass.PERMANENT
        assert "from https to http" in str(failed)
        assert plain.asked == []
