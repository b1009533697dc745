"""A secret of the worker's arrives where it may, over TLS, goes nowhere else, and leaves no trace in a report."""

import base64
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken

from monitor_core.contract import ErrorClass
from monitor_core.kinds import HttpCheck
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.http import HttpDriver
from monitor_worker.checks.http_client import HttpClient
from monitor_worker.checks.http_request import Request
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tokens import Tokens
from monitor_worker.turns import Checkpoint, Look
from support import tls
from support.looks import look
from support.web import Target, redirecting, serving

KEY = "env:MONITOR_SECRET_API_TOKEN"
LONG = "eyJ-s3cr3t." + "0123456789abcdef" * 40  # longer than what messages show of a URL
SHORT = "s3cr3t-0123456789"
ODD = 'pa ss/w"+rd&=%7;!'
IDENTITY = "t0ken-of-the-worker-s-identity"
AUDIENCE = "api://jobs"
BEARER = {"type": "bearer", "token": KEY}
BASIC = {"type": "basic", "username": "me", "password": KEY}
API_KEY = {"type": "api_key", "header": "X-Api-Key", "key": KEY}
MANAGED = {"type": "managed_identity", "audience": AUDIENCE}
WAYS = [BEARER, BASIC, API_KEY, MANAGED]


class Identity:
    """A credential with one token."""

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken(IDENTITY, 0)

    async def close(self) -> None: ...

    async def __aenter__(self) -> "Identity":
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Worker:
    """Looks at targets with one secret and an identity."""

    def __init__(self, driver: HttpDriver, masker: Masker) -> None:
        self.driver, self.masker = driver, masker

    async def look(
        self,
        url: str,
        auth: object,
        checkpoint: Checkpoint = None,
        success_when: str | None = None,
        **fields: object,
    ) -> Look:
        check = {"kind": "http", "url": url, "auth": auth, **fields}
        return await look({"check": check, "success_when": success_when}, self.driver, self.masker, checkpoint)


@asynccontextmanager
async def working(*targets: Target, secret: str = LONG, origin: str | None = None) -> AsyncIterator[Worker]:
    """A worker that may reach the targets, and send its secret and its tokens to the first (or to `origin`)."""
    place, masker = origin or f"https://127.0.0.1:{targets[0].port}", Masker()
    secrets = Secrets(Allowed([f"{KEY}={place}"]), {"MONITOR_SECRET_API_TOKEN": secret}, masker=masker)
    authorizer = Authorizer(secrets, Tokens(Allowed([f"{AUDIENCE}={place}"]), Identity, masker))
    guard = TargetGuard([f"127.0.0.1:{target.port}" for target in targets])
    driver = HttpDriver(HttpClient(guard, tls.client_context()), authorizer)
    try:
        yield Worker(driver, masker)
    finally:
        await driver.close()


def sent(request: web.Request) -> str:
    return request.headers.get("Authorization", "") + request.headers.get("X-Api-Key", "")


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (BEARER, "Authorization", f"Bearer {LONG}"),
        (BASIC, "Authorization", "Basic " + base64.b64encode(f"me:{LONG}".encode()).decode()),
        (API_KEY, "X-Api-Key", LONG),
        (MANAGED, "Authorization", f"Bearer {IDENTITY}"),
    ],
)
async def test_it_arrives_over_tls(auth: object, header: str, value: str) -> None:
    async with serving(tls=tls.server_context()) as target, working(target) as worker:
        seen = await worker.look(target.url(), auth, headers={"X-Mine": "1"})

    assert seen.observation is not None
    assert seen.observation.success
    assert target.asked[0].headers.getall(header) == [value]
    assert target.asked[0].headers["X-Mine"] == "1"
    assert target.asked[0].secure


@pytest.mark.parametrize("auth", WAYS)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_it_is_refused_for_another_origin_and_nothing_is_asked(auth: object, scheme: str) -> None:
    context = tls.server_context() if scheme == "https" else None
    elsewhere = "https://127.0.0.1:1"
    async with serving(tls=context) as target, working(target, origin=elsewhere) as worker:
        seen = await worker.look(target.url(), auth)

    assert target.asked == []
    assert seen.error is not None
    assert seen.error.error_class is ErrorClass.MISCONFIGURED
    assert f"may not be sent to {scheme}://127.0.0.1:{target.port}" in seen.error.message


@pytest.mark.parametrize("auth", WAYS)
@pytest.mark.parametrize("code", [302, 307])
async def test_it_stays_with_its_origin_over_redirects(auth: object, code: int) -> None:
    async with (
        serving(tls=tls.server_context()) as other,
        serving(tls=tls.server_context()) as target,
        working(target, other) as worker,
    ):
        target.answer = redirecting("/there", code)
        await worker.look(target.url(), auth)
        target.answer = redirecting(other.url("/there"), code)
        await worker.look(target.url(), auth)
        other.answer = redirecting(target.url("/back"), code)
        target.answer = redirecting(other.url("/"), code)
        await worker.look(target.url(), auth)

    assert [(each.path, bool(sent(each))) for each in target.asked] == [
        ("/", True),
        ("/there", True),
        ("/", True),
        ("/", True),
        ("/back", False),
    ]
    assert [sent(each) for each in other.asked] == ["", ""]


@pytest.mark.parametrize(
    ("code", "auth", "says"),
    [
        (401, None, "it asks who is asking, and the check does not say: set check.auth"),
        (403, None, "perhaps check.auth has to say who is asking"),
        (401, BEARER, "it does not accept the credentials of check.auth"),
        (403, BEARER, "it knows who is asking by check.auth, who may not read it"),
    ],
)
async def test_a_refusal_says_what_to_do(code: int, auth: object, says: str) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code)

    async with serving(refuse, tls.server_context()) as target, working(target) as worker:
        seen = await worker.look(target.url(), auth)

    assert seen.error is not None
    assert seen.error.error_class is ErrorClass.PERMANENT
    assert seen.error.message.endswith(says)


@pytest.mark.parametrize("code", [401, 403])
async def test_a_refusal_where_it_was_not_sent_says_so(code: int) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code)

    async with serving(refuse, tls.server_context()) as other, serving(tls=tls.server_context()) as target:
        target.answer = redirecting(other.url())
        async with working(target, other) as worker:
            seen = await worker.look(target.url(), BEARER)

    assert seen.error is not None
    assert "check.auth goes to the origin of check.url alone" in seen.error.message


def in_status(request: web.Request) -> web.Response:
    return web.json_response({"status": sent(request), "more": sent(request)})


def in_a_cut_status(request: web.Request) -> web.Response:
    return web.json_response({"status": "x" * 70 + sent(request)})


def in_headers(request: web.Request) -> web.Response:
    return web.Response(headers={"X-Echo": sent(request), "WWW-Authenticate": sent(request)}, text=sent(request))


def in_validators(request: web.Request) -> web.Response:
    headers = {"ETag": f'"{sent(request)}"', "Last-Modified": sent(request)}
    return web.json_response({"status": sent(request)}, headers=headers)


def in_reason(request: web.Request) -> web.Response:
    return web.Response(status=418, reason=sent(request), text=sent(request))


def in_redirect(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": f"http://127.0.0.1:1/{sent(request)}?{sent(request)}"})


def in_quoted_redirect(request: web.Request) -> web.Response:
    path = quote(sent(request), safe="")
    return web.Response(status=302, headers={"Location": f"http://127.0.0.1:1/{path}"})


def in_redirects(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": f"/{sent(request)}"})


def in_a_bad_location(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": f"ftp://{sent(request)}/"})


def in_a_host(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": f"https://{sent(request).split()[-1][:60]}.example:0/"})


ECHOES = [
    *(in_status, in_a_cut_status, in_headers, in_validators, in_reason),
    *(in_redirect, in_quoted_redirect, in_redirects, in_a_bad_location, in_a_host),
]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("auth", WAYS, ids=lambda auth: str(auth["type"]))
@pytest.mark.parametrize("secret", [LONG, ODD], ids=["long", "odd"])
@pytest.mark.parametrize("success_when", [None, "int(headers['x-echo']) == 5"])
async def test_a_server_that_echoes_it_leaves_no_trace_of_it(
    caplog: pytest.LogCaptureFixture,
    echo: Callable[[web.Request], web.Response],
    auth: dict[str, str],
    secret: str,
    success_when: str | None,
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return echo(request)

    caplog.set_level(logging.DEBUG)
    async with serving(answer, tls.server_context()) as target, working(target, secret=secret) as worker:
        seen = await worker.look(target.url(), auth, None, success_when, conditional=True)
        again = await worker.look(target.url(), auth, seen.checkpoint, success_when, conditional=True)

    assert sent(target.asked[0])
    pair = base64.b64encode(f"me:{secret}".encode()).decode()
    ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # the server's
    for told in (repr(seen), repr(again), *ours):
        for form in (secret, quote(secret), quote(secret, safe=""), pair, IDENTITY):
            assert form[:16] not in told


async def test_a_masked_tag_is_asked_for_in_vain() -> None:
    """It is not sent back in clear by way of the history: the answer comes whole."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return in_validators(request)

    async with serving(answer, tls.server_context()) as target, working(target, secret=SHORT) as worker:
        seen = await worker.look(target.url(), BEARER, conditional=True)
        again = await worker.look(target.url(), BEARER, seen.checkpoint, conditional=True)

    assert SHORT in target.asked[0].headers["Authorization"]
    assert SHORT not in target.asked[1].headers["If-None-Match"]
    assert again.observation is not None


def test_a_request_shows_nothing_of_it() -> None:
    request = Request("GET", Request.first(HttpCheck(url="https://a.example/")).url, {}, None, None, {"A": LONG})

    assert LONG not in repr(request)
    assert request.authorization == {"A": LONG}


async def test_the_example_runs() -> None:
    """The one in the documentation, with this server's address in it."""
    states = ["running", "done", "error"]

    async def answer(request: web.Request) -> web.StreamResponse:
        if sent(request) != f"Bearer {LONG}" or request.path != "/jobs/42":
            return web.Response(status=401)
        return web.json_response({"state": states.pop(0)})

    async with serving(answer, tls.server_context()) as target, working(target) as worker:
        example = dict(HttpCheck.example)
        check = {
            **example["check"],
            "url": example["check"]["url"].replace("api.example.com", f"127.0.0.1:{target.port}"),
        }
        conditions = {name: example[name] for name in ("success_when", "failure_when")}
        asked = {**example, "check": check}
        looks = [await look(asked, worker.driver, worker.masker) for _ in range(3)]

    assert set(example) <= {"check", "polling", "timeout_seconds", *conditions}
    seen = [each.observation for each in looks if each.observation]
    assert [(each.success, each.failure) for each in seen] == [(False, False), (True, False), (False, True)]
