"""What every answer tells a browser, and how much a caller may send and ask."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from monitor_client.api import create_app
from monitor_client.api.protection import LARGEST_BATCH_BODY, LARGEST_BODY
from support.closing import connections_closed
from support.fake_scheduler import FakeScheduler
from support.serving import serving


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    app = create_app(FakeScheduler().service(), "http://scheduler", requests_per_second=10_000)
    with serving(app) as url:
        yield url


async def post(url: str, data: io.BytesIO | AsyncIterator[bytes], content_type: str = "application/json") -> int:
    async with (
        connections_closed(),
        aiohttp.ClientSession() as http,
        http.post(url, data=data, headers={"Content-Type": content_type}) as answer,
    ):
        return answer.status


@pytest.mark.parametrize("path", ["/healthz", "/monitors", "/nothing", "/openapi.json"])
async def test_every_answer_has_the_headers(base: str, path: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(base + path) as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in answer.headers, "over http it means nothing"


async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(base: str) -> None:
    large = b" " * (LARGEST_BODY + 1)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    assert await post(f"{base}/monitors", io.BytesIO(large)) == 413
    assert await post(f"{base}/monitors", pieces()) == 413


async def test_a_batch_may_be_larger_but_not_any_size(base: str) -> None:
    assert await post(f"{base}/monitors:batch", io.BytesIO(b" " * (LARGEST_BODY + 1))) == 400
    assert await post(f"{base}/monitors:batch", io.BytesIO(b" " * (LARGEST_BATCH_BODY + 1))) == 413


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_what_a_plain_form_can_send_is_refused(base: str, content_type: str) -> None:
    assert await post(f"{base}/monitors", io.BytesIO(b'{"job_id":"j"}'), content_type) == 415


async def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    app = create_app(FakeScheduler().service(), "http://scheduler", requests_per_second=5)
    with serving(app) as url:
        async with aiohttp.ClientSession() as http:

            async def ask() -> tuple[int, str | None]:
                async with http.get(f"{url}/monitors") as answer:
                    return answer.status, answer.headers.get("Retry-After")

            answers = await asyncio.gather(*(ask() for _ in range(40)))
            async with http.get(f"{url}/healthz") as probe:
                assert probe.status == 200, "probes are not counted"
    assert (429, "1") in answers
    assert (200, None) in answers
