"""Behind a proxy: the address that callers are counted by is the proxy's word, not theirs; so is the scheme."""

import asyncio

import aiohttp
import pytest
from fastapi import FastAPI
from multidict import CIMultiDict
from starlette.requests import Request

from monitor_client.api import create_app
from monitor_client.api.entra import Entra, Expected, PublishedKeys
from monitor_client.callback import PREFIX
from support.fake_scheduler import FakeScheduler
from support.serving import serving

# Nobody answers there: a callback token is never looked up among Entra's keys.
ENTRA = Entra(PublishedKeys("http://127.0.0.1:9/keys"), Expected(("https://login.example/",), ("api://monitor",)))
TOKEN = f"{PREFIX}{'x' * 43}"
LOADED = 40
"""Requests at once, of which a service that lets 5 a second through refuses most."""


def naming() -> FastAPI:
    """An application that says whom it takes its caller for."""
    app = FastAPI()

    @app.get("/")
    def name(request: Request) -> list[str]:
        assert request.client
        return [request.client.host, request.url.scheme]

    return app


@pytest.mark.parametrize(
    ("proxies", "given", "host"),
    [
        ("*", ["203.0.113.9"], "203.0.113.9"),
        ("*", ["10.0.0.1, 198.51.100.1 , 203.0.113.9"], "203.0.113.9"),
        ("*", ["10.0.0.1", "198.51.100.1,203.0.113.9"], "203.0.113.9"),
        ("*", ["198.51.100.1, [2001:db8::9]:443"], "2001:db8::9"),
        ("*", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1,203.0.113.0/24", ["198.51.100.1, 203.0.113.9"], "198.51.100.1"),
        ("192.0.2.1", ["203.0.113.9"], "127.0.0.1"),
    ],
)
async def test_a_caller_is_who_the_proxy_saw(proxies: str, given: list[str], host: str) -> None:
    headers = CIMultiDict([("X-Forwarded-For", value) for value in given] + [("X-Forwarded-Proto", "https")])
    with serving(naming(), proxies=proxies) as url:
        async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
            scheme = "http" if proxies == "192.0.2.1" else "https"
            assert await answer.json() == [host, scheme]


async def refused(url: str, callers: list[str]) -> int:
    """How many of callbacks with a token of nobody's, sent at once by these callers, are one too many."""
    async with aiohttp.ClientSession() as http:

        async def call(caller: str) -> int:
            headers = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": caller}
            async with http.post(f"{url}/monitors/x/complete", headers=headers) as answer:
                return answer.status

        codes = await asyncio.gather(*map(call, callers))
    assert set(codes) <= {401, 429}
    return codes.count(429)


@pytest.mark.parametrize(
    "callers",
    [
        [f"198.51.100.{number}, 203.0.113.9" for number in range(LOADED)],
        [f"2001:db8:0:1::{number:x}" for number in range(LOADED)],
    ],
    ids=["what a caller writes before it", "the addresses of one network"],
)
async def test_nobody_is_counted_as_many(callers: list[str]) -> None:
    app = create_app(FakeScheduler().service(), "http://scheduler", authenticator=ENTRA, requests_per_second=5)
    with serving(app, proxies="*") as url:
        assert await refused(url, callers) > 0


async def test_others_are_not_held_up_by_who_asks_too_often() -> None:
    app = create_app(FakeScheduler().service(), "http://scheduler", authenticator=ENTRA, requests_per_second=5)
    with serving(app, proxies="*") as url:
        many = [f"198.51.100.{number}" for number in range(LOADED)]
        assert await refused(url, many) == 0
        assert await refused(url, [f"::ffff:192.0.2.{number}" for number in range(LOADED)]) == 0
        assert await refused(url, [f"2001:db8:0:{number:x}::1" for number in range(LOADED)]) == 0
