"""Who may do what: every route without, with the wrong, with the right role; tokens, hosts, other sites' pages."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from starlette.routing import Route

from monitor_client.api import create_app
from monitor_client.api.entra import Entra, Expected, PublishedKeys
from monitor_client.server import authenticator_of
from monitor_core.settings import SettingsError, auth_settings
from support.fake_scheduler import FakeScheduler
from support.serving import serving

ISSUER, AUDIENCE = "https://login.example/tenant/v2.0", "api://monitor"
OPEN = {"/healthz", "/readyz"}


@dataclass
class Issuer:
    """Publishes its key, and counts how often it is asked."""

    key: rsa.RSAPrivateKey
    asked: int = 0
    url: str = ""

    def token(self, kid: str = "k1", key: rsa.RSAPrivateKey | None = None, **claims: Any) -> str:
        said = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 600, "oid": "me", **claims}
        return jwt.encode(
            {name: value for name, value in said.items() if value is not None},
            key or self.key,
            algorithm="RS256",
            headers={"kid": kid},
        )


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    found = Issuer(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    app = FastAPI()

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        found.asked += 1
        key = jwt.algorithms.RSAAlgorithm.to_jwk(found.key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": "k1", "use": "sig"}]}

    with serving(app) as url:
        found.url = f"{url}/keys"
        yield found


def protected(issuer: Issuer, *, platform: bool = False) -> FastAPI:
    entra = Entra(PublishedKeys(issuer.url), Expected((ISSUER,), (AUDIENCE,)), platform=platform)
    return create_app(
        FakeScheduler().service(), "http://scheduler", authenticator=entra, requests_per_second=10_000
    )


@pytest.fixture(scope="module")
def base(issuer: Issuer) -> Iterator[str]:
    with serving(protected(issuer)) as url:
        yield url


async def ask(
    url: str, method: str = "GET", headers: dict[str, str] | None = None, data: bytes | None = None
) -> tuple[int, dict[str, str], str]:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, url, headers=headers, data=data, allow_redirects=False) as answer,
    ):
        return answer.status, dict(answer.headers), await answer.text()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def routes() -> list[tuple[str, str]]:
    """Every route there is: one that is added later is tested too."""
    app = create_app(FakeScheduler().service(), "http://scheduler")
    found = {
        (method, route.path)
        for route in every_route(app)
        for method in (route.methods or set()) - {"HEAD"}
        if route.path not in OPEN and not route.path.startswith("/static/")
    }
    documented = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    assert found >= documented - {("GET", path) for path in OPEN}, "a route of the document was not found"
    return sorted(found)


def every_route(of: Any) -> Iterator[Route]:
    """The routes of an application, those of the routers that it includes too."""
    for route in of.routes:
        if isinstance(route, Route):
            yield route
        elif router := getattr(route, "original_router", None):
            yield from every_route(router)


def filled(path: str) -> str:
    return path.replace("{job_id}", "job-1").replace("{action}", "cancel")


def test_there_are_routes() -> None:
    assert {("GET", "/"), ("GET", "/m/{job_id}"), ("GET", "/start"), ("POST", "/monitors")} <= set(routes())


@pytest.mark.parametrize(("method", "path"), routes())
async def test_every_route_takes_its_role(base: str, issuer: Issuer, method: str, path: str) -> None:
    url = f"{base}{filled(path)}"
    status, headers, text = await ask(url, method)
    assert (status, json.loads(text)["status"], headers["Content-Type"]) == (401, 401, "application/problem+json")
    assert headers["WWW-Authenticate"].startswith("Bearer")
    wrong = "Monitor.Other" if method == "GET" else "Monitor.Read"
    status, _, text = await ask(url, method, bearer(issuer.token(roles=[wrong])))
    assert (status, json.loads(text)["status"]) == (403, 403)
    right = "Monitor.Read" if method == "GET" else "Monitor.Operate"
    assert (await ask(url, method, bearer(issuer.token(roles=[right]))))[0] not in {401, 403, 500}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "POST", "DELETE", "MOVE"])
async def test_any_other_method_than_to_read_takes_the_role_to_operate(
    base: str, issuer: Issuer, method: str
) -> None:
    for path in ("/monitors", "/monitors/job-1", "/", "/nothing"):
        assert (await ask(f"{base}{path}", method))[0] == 401
        assert (await ask(f"{base}{path}", method, bearer(issuer.token(roles=["Monitor.Read"]))))[0] == 403


async def test_to_operate_includes_to_read(base: str, issuer: Issuer) -> None:
    assert (await ask(f"{base}/monitors", headers=bearer(issuer.token(roles=["Monitor.Operate"]))))[0] == 200


@pytest.mark.parametrize("path", sorted(OPEN))
async def test_probes_need_not_say_who_they_are(base: str, path: str) -> None:
    assert (await ask(f"{base}{path}"))[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/healthz/", "/healthz/../monitors", "//healthz", "/static/../monitors", "/static/%2e%2e/monitors", "/x"],
)
async def test_nothing_else_is_open(base: str, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(base.rpartition(":")[2]))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    first = await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert b" 401 " in first or (path.startswith("/static") and b" 404 " in first)


OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"exp": 1}, "it has expired"),
        ({"exp": None}, "says too little"),
        ({"aud": "api://other"}, "it is for another audience"),
        ({"aud": None}, "says too little"),
        ({"iss": "https://evil.example"}, "it is of another issuer"),
        ({"kid": "k2"}, "a key that its issuer does not have"),
        ({"key": OTHER}, "its signature is wrong"),
        ({"nbf": time.time() + 3600}, "it is none, or says too little"),
    ],
)
async def test_a_token_that_is_not_valid_says_why(
    base: str, issuer: Issuer, claims: dict[str, Any], says: str
) -> None:
    status, headers, text = await ask(
        f"{base}/monitors", headers=bearer(issuer.token(roles=["Monitor.Read"], **claims))
    )
    assert status == 401
    assert says in json.loads(text)["detail"]
    assert 'error="invalid_token"' in headers["WWW-Authenticate"]


def unsigned() -> str:
    """One that names a key of the issuer's, and would be let in if it were signed by it."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 600, "roles": ["Monitor.Read"]}
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "k1"})


def signed_with_the_public_key(issuer: Issuer) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"k1"}').rstrip(b"=").decode()
    return header + issuer.token().partition(".")[2]


async def test_a_token_that_chooses_its_own_algorithm_is_none(base: str, issuer: Issuer) -> None:
    for token in (unsigned(), signed_with_the_public_key(issuer), "x", "a.b.c", "é"):
        assert (await ask(f"{base}/monitors", headers=bearer(token)))[0] == 401


async def test_unknown_keys_do_not_have_the_issuer_asked_each_time(issuer: Issuer) -> None:
    before = issuer.asked
    with serving(protected(issuer)) as url:
        for number in range(20):
            token = issuer.token(kid=f"unknown-{number}", roles=["Monitor.Read"])
            assert (await ask(f"{url}/monitors", headers=bearer(token)))[0] == 401
    assert issuer.asked - before <= 2


async def test_keys_that_cannot_be_read_are_no_fault_of_the_caller(issuer: Issuer) -> None:
    entra = Entra(PublishedKeys("http://127.0.0.1:9/keys"), Expected((ISSUER,), (AUDIENCE,)))
    app = create_app(FakeScheduler().service(), "http://scheduler", authenticator=entra)
    with serving(app) as url:
        status, headers, _ = await ask(f"{url}/monitors", headers=bearer(issuer.token()))
    assert (status, headers["Retry-After"]) == (503, "10")


def principal(*roles: str) -> dict[str, str]:
    claims = [{"typ": "roles", "val": role} for role in roles]
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"claims": claims}).encode()).decode()}


async def test_the_platform_s_sign_in_counts_only_where_it_is_set(base: str, issuer: Issuer) -> None:
    assert (await ask(f"{base}/monitors", headers=principal("Monitor.Operate")))[0] == 401
    with serving(protected(issuer, platform=True)) as url:
        assert (await ask(f"{url}/monitors", headers=principal("Monitor.Read")))[0] == 200
        assert (await ask(f"{url}/monitors/x", "DELETE", principal("Monitor.Read")))[0] == 403
        for garbage in ("", "x", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"claims": 1}').decode()):
            assert (await ask(f"{url}/monitors", headers={"X-MS-CLIENT-PRINCIPAL": garbage}))[0] == 401


@pytest.fixture(scope="module")
def anyone() -> Iterator[str]:
    app = create_app(FakeScheduler().service(), "http://scheduler", requests_per_second=10_000)
    with serving(app) as url:
        yield url


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("rebound.example", 421),
        ("localhost.evil", 421),
        ("127.0.0.1.rebound.example", 421),
        ("2130706433", 421),
        ("localhost.", 421),
    ],
)
async def test_without_authentication_the_host_has_to_be_expected(anyone: str, host: str, status: int) -> None:
    assert (await ask(f"{anyone}/monitors", headers={"Host": host}))[0] == status


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"Origin": "http://localhost:7"}, False),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://localhost:8"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:7"}, False),
    ],
)
async def test_another_site_s_page_changes_nothing(anyone: str, headers: dict[str, str], refused: bool) -> None:
    status = (await ask(f"{anyone}/monitors/job-1", "DELETE", {"Host": "localhost:7", **headers}))[0]
    assert status == (403 if refused else 404)


async def test_nobody_is_let_in_by_cors(anyone: str) -> None:
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    status, headers, _ = await ask(f"{anyone}/monitors", "OPTIONS", preflight)
    assert status >= 400
    assert not [name for name in headers if name.lower().startswith("access-control-")]


async def test_closed_is_closed_to_all_but_probes() -> None:
    authenticator = authenticator_of(auth_settings({"AUTH_MODE": "closed", "CONTAINER_APP_NAME": "client"}))
    app = create_app(FakeScheduler().service(), "http://scheduler", authenticator=authenticator)
    with serving(app) as url:
        status, _, text = await ask(f"{url}/monitors", headers=principal("Monitor.Operate"))
        assert (status, "has no authentication" in text) == (403, True)
        assert (await ask(f"{url}/readyz"))[0] == 200


def test_it_does_not_start_open_in_a_container_app() -> None:
    with pytest.raises(SettingsError, match="AUTH_MODE=none does not start in a container app"):
        auth_settings({"CONTAINER_APP_NAME": "client-scheduler"})


@pytest.mark.parametrize("missing", ["AUTH_TENANT_ID", "AUTH_AUDIENCE"])
def test_entra_takes_a_tenant_and_an_audience(missing: str) -> None:
    given = {"AUTH_MODE": "entra", "AUTH_TENANT_ID": "t", "AUTH_AUDIENCE": "api://m"}
    assert isinstance(authenticator_of(auth_settings(given)), Entra)
    with pytest.raises(SettingsError, match="AUTH_MODE=entra takes AUTH_TENANT_ID and AUTH_AUDIENCE"):
        auth_settings({name: value for name, value in given.items() if name != missing})
