"""The page on waiting over HTTP: each of its requests, run against a real server, does what the page says."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.http import HttpDriver
from monitor_worker.checks.http_client import HttpClient
from monitor_worker.checks.http_response import Response
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tokens import Tokens
from monitor_worker.turns import Look
from support import tls
from support.looks import look
from support.web import serving

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
BLOCKS = {
    title: json.loads(block) for title, block in re.findall(r"^## (.+?)\n.*?```json\n(.*?)```", PAGE, re.M | re.S)
}
Says = Callable[[web.Request], web.Response]


class Story(NamedTuple):
    """What the server says, check by check, and what becomes of each.

    `+` is success, `-` failure, `!` an error, `.` none of them.
    """

    says: list[Says]
    becomes: str


def code(number: int, **headers: str) -> Says:
    return lambda _: web.Response(status=number, headers=headers)


def document(state: str, tag: str) -> Says:
    def say(request: web.Request) -> web.Response:
        headers = {"ETag": tag}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        return web.json_response({"state": state}, headers=headers)

    return say


def known(request: web.Request) -> web.Response:
    is_known = request.headers.get("Authorization") == "Basic bWU6czNjcjN0"
    return web.json_response({"status": "Succeeded"}, status=200 if is_known else 401)


STORIES = {
    "A file behind a URL changes": Story(
        [code(200, ETag='"1"'), code(200, ETag='"1"'), code(200, ETag='"2"')], "..+"
    ),
    "A service is available": Story([code(503), code(200), code(204)], "!++"),
    "A resource is gone": Story([code(200), code(409), code(404), code(410), code(500)], "..++!"),
    "A certificate is renewed": Story([code(200), code(404)], ".+"),
    "A large document is ready": Story(
        [
            document("draft", '"1"'),
            document("draft", '"1"'),
            document("ready", '"2"'),
            document("rejected", '"3"'),
        ],
        "..+-",
    ),
    "Who is asking": Story([known], "+"),
}


class ShortLived(Response):
    longest_connection_seconds = 0.0


def test_every_request_of_the_page_is_run() -> None:
    assert BLOCKS.keys() == STORIES.keys()
    assert PAGE.count("```json") == len(BLOCKS)


@pytest.mark.parametrize("title", STORIES)
async def test_a_request_of_the_page_does_what_it_says(title: str) -> None:
    said = iter(STORIES[title].says)
    soon, later = (datetime.now(UTC) + timedelta(days=days) for days in (5, 90))
    server = tls.server_context(until=soon)

    async def answer(request: web.Request) -> web.StreamResponse:
        return next(said)(request)

    async with serving(answer, server) as target:
        here = f"https://127.0.0.1:{target.port}"
        secrets = Secrets(Allowed([f"env:MONITOR_SECRET_JOBS={here}"]), {"MONITOR_SECRET_JOBS": "s3cr3t"})
        client = HttpClient(TargetGuard([f"127.0.0.1:{target.port}"]), tls.client_context(), ShortLived)
        driver = HttpDriver(client, Authorizer(secrets, Tokens()))
        request: dict[str, Any] = BLOCKS[title]
        request["check"]["url"] = re.sub(r"^https://[a-z.]+", here, request["check"]["url"])
        became, checkpoint = "", None
        for _ in STORIES[title].says:
            seen = await look(request, driver, secrets.masker, checkpoint)
            checkpoint = checkpoint if seen.checkpoint is None else seen.checkpoint
            became += outcome(seen)
            tls.certify(server, until=later)
        await driver.close()

    assert became == STORIES[title].becomes


def outcome(seen: Look) -> str:
    if seen.observation is None or seen.error is not None:
        return "!"
    return "-" if seen.observation.failure else "+" if seen.observation.success else "."
