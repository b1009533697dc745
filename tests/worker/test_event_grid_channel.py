"""The kind `event_grid`: the real SDK over HTTPS against a topic that checks token, content type and batch."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from aiohttp import web
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError

from monitor_core.channels.event_grid import EventGridChannel
from monitor_core.contract import ErrorClass, Notice
from monitor_worker.channels.base import CheckFailed, Resources
from monitor_worker.channels.event_grid import EventGridDriver
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.origins import Allowed, Origin
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tokens import AUDIENCES, Tokens
from support import hostile, tls
from support.notices import CONTEXT, notice
from support.tokens import OneToken

HOST: Final = "monitors.westeurope-1.eventgrid.azure.net"
AUDIENCE: Final = "https://eventgrid.azure.net"
TOKEN: Final = "token-that-is-told-to-nobody-else"
KEY: Final = "env:MONITOR_SECRET_TOPIC"
SECRET: Final = "a2V5LXRoYXQtaXMtdG9sZC10by1ub2JvZHktZWxzZQ=="
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def taken(_: web.Request) -> web.StreamResponse:
    return web.Response()


def saying(status: int, code: str | None = None, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        # As the service does, and as one does that repeats what it was sent.
        error = {"error": {"code": code, "message": f"no: {request.headers.get('Authorization')}"}}
        return web.json_response(error if code else {}, status=status, headers=told)

    return answer


class Topic:
    """A topic that notes what is published, and answers as planned.

    Args:
        answer: after the request is found to be one that Event Grid takes.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer, self.events, self.headers = answer, list[Any](), list[dict[str, str]]()
        self.queries, self.peers = list[dict[str, str]](), set[object]()
        self.port = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.headers.append(headers)
        self.queries.append(dict(request.query))
        self.peers.add(request.transport and request.transport.get_extra_info("peername"))
        if headers.get("authorization") != f"Bearer {TOKEN}" and headers.get("aeg-sas-key") != SECRET:
            return web.json_response({"error": {"code": "Unauthorized", "message": "no"}}, status=401)
        if headers["content-type"] != "application/cloudevents-batch+json; charset=utf-8":
            return web.json_response({"error": {"code": "BadRequest", "message": "no"}}, status=400)
        self.events += json.loads(await request.text())
        return await self.answer(request)

    @property
    def endpoint(self) -> str:
        return f"https://{HOST}:{self.port}/api/events"


@asynccontextmanager
async def topic(answer: Answer = taken) -> AsyncIterator[Topic]:
    made = Topic(answer)
    app = web.Application()
    app.router.add_post("/{path:.*}", made.take)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls.server_context(HOST)).start()
        made.port = runner.addresses[0][1]
        yield made
    finally:
        await runner.cleanup()


@asynccontextmanager
async def driving(
    at: Topic,
    *,
    token: str = TOKEN,
    secret: str = SECRET,
    origin: str = "https://{host}:{port}",
    masker: Masker | None = None,
) -> AsyncIterator[EventGridDriver]:
    """A driver for a port of this machine, which is known by Event Grid's own name."""
    place = origin.format(host=HOST, port=at.port)
    resources = Resources(
        TargetGuard([f"{HOST}:{at.port}"], (), hostile.resolving("127.0.0.1")),
        Secrets(Allowed([f"{KEY}={place}"]), {"MONITOR_SECRET_TOPIC": secret}, masker=masker),
        Tokens(Allowed([f"{AUDIENCE}={place}"]), lambda: OneToken(token), masker),
    )
    driver = EventGridDriver(resources, tls.client_context(), lambda: NOW)
    try:
        yield driver
    finally:
        await driver.close()


def spec(at: Topic, **fields: object) -> EventGridChannel:
    return EventGridChannel.model_validate({"kind": "event_grid", "endpoint": at.endpoint, **fields})


async def refused(driver: EventGridDriver, to: EventGridChannel) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        await driver.deliver(to, notice(), CONTEXT)
    assert TOKEN not in str(failed.value)
    assert SECRET not in str(failed.value)
    assert failed.value.__cause__ is None
    return failed.value


async def test_a_notice_is_one_event_as_the_worker_s_identity() -> None:
    async with topic() as at, driving(at) as driver:
        assert await driver.deliver(spec(at), notice("a job/1"), CONTEXT) == "HTTP 200"
        (published,) = at.events
        event = JSONFormat().read(CloudEvent, json.dumps(published))
        assert event.get_type() == "DurableMonitor.Verdict"
        assert event.get_source() == CONTEXT.source
        assert event.get_subject() == "monitors/a%20job%2F1"
        assert event.get_id() == notice("a job/1").id
        assert event.get_time() == notice().at
        assert published["data"] == notice("a job/1").model_dump(mode="json")
        assert Notice.model_validate(published["data"]) == notice("a job/1")
        assert at.headers[0]["x-ms-client-request-id"] == CONTEXT.request_id
        assert "aeg-sas-key" not in at.headers[0]
        assert at.queries == [{"api-version": "2018-01-01"}]


async def test_the_example_is_taken_and_a_key_says_who_publishes() -> None:
    example = EventGridChannel.model_validate(EventGridChannel.example["to"])
    async with topic() as at, driving(at) as driver:
        assert example.endpoint == at.endpoint.replace(f":{at.port}", "")
        to = example.model_copy(update={"endpoint": at.endpoint, "key": KEY})
        await driver.deliver(to, notice(), CONTEXT)
        assert at.headers[0]["aeg-sas-key"] == SECRET
        assert "authorization" not in at.headers[0]


async def test_a_domain_finds_its_topic_in_the_source() -> None:
    async with topic() as at, driving(at) as driver:
        await driver.deliver(spec(at, topic="team-ops"), notice(), CONTEXT)
        assert at.events[0]["source"] == "team-ops"
        assert at.events[0]["data"]["job_id"] == notice().job_id


async def test_a_repeat_has_the_same_id_and_a_connection_of_its_own() -> None:
    async with topic(saying(503)) as at, driving(at) as driver:
        await refused(driver, spec(at))
        at.answer = taken
        await driver.deliver(spec(at), notice(), CONTEXT)
        assert [event["id"] for event in at.events] == [notice().id] * 2
        assert len(at.peers) == 2


@pytest.mark.parametrize(
    ("answer", "error_class", "words", "asks"),
    [
        (saying(400, "BadRequest"), ErrorClass.MISCONFIGURED, "(BadRequest): its input schema should be", None),
        (saying(401, "Unauthorized"), ErrorClass.PERMANENT, "the role EventGrid Data Sender", None),
        (saying(403, "Forbidden"), ErrorClass.PERMANENT, "refuses the worker's identity (Forbidden)", None),
        (saying(404), ErrorClass.MISCONFIGURED, "is no topic or domain of Event Grid (HTTP 404)", None),
        (saying(307, Location="/elsewhere"), ErrorClass.MISCONFIGURED, "is no topic or domain", None),
        (saying(409), ErrorClass.TRANSIENT, "is busy", None),
        (saying(413, "PayloadTooLarge"), ErrorClass.PERMANENT, "more than", None),
        (saying(429, Retry_After="7"), ErrorClass.TRANSIENT, "is busy", 7),
        (saying(418), ErrorClass.PERMANENT, "does not take this (HTTP 418)", None),
        (saying(500, "!<b>"), ErrorClass.TRANSIENT, "is not available (HTTP 500)", None),
        (saying(503, Retry_After="Sun, 01 Mar 2026 12:00:09 GMT"), ErrorClass.TRANSIENT, "is not available", 9),
    ],
)
async def test_what_event_grid_answers_has_its_class(
    answer: Answer, error_class: ErrorClass, words: str, asks: float | None
) -> None:
    async with topic(answer) as at, driving(at) as driver:
        error = await refused(driver, spec(at))
        assert len(at.events) == 1  # the client repeats nothing by itself, and follows no redirect
    assert error.error_class is error_class
    assert words in str(error)
    assert error.retry_after_seconds == asks


async def test_a_token_or_key_that_is_refused_is_final_and_asked_for_once() -> None:
    async with topic() as at, driving(at, token="another", secret="b3RoZXI=") as driver:
        by_token, by_key = await refused(driver, spec(at)), await refused(driver, spec(at, key=KEY))
        assert len(at.headers) == 2
    assert {by_token.error_class, by_key.error_class} == {ErrorClass.PERMANENT}
    assert f"refuses the key {KEY} (Unauthorized)" in str(by_key)


@pytest.mark.parametrize("fields", [{}, {"key": KEY}])
async def test_token_and_key_go_to_no_other_origin(fields: dict[str, str]) -> None:
    async with topic() as at, driving(at, origin="https://{host}") as driver:
        error = await refused(driver, spec(at, **fields))
        assert at.headers == []
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert f"=https://{HOST}:{at.port} to MONITOR_ALLOWED_" in str(error)


async def test_a_key_that_no_header_can_carry_is_refused() -> None:
    async with topic() as at, driving(at, secret=f"{SECRET}\n") as driver:
        assert (await refused(driver, spec(at, key=KEY))).error_class is ErrorClass.MISCONFIGURED


async def test_a_certificate_for_another_name_is_final() -> None:
    async with topic() as at, driving(at) as driver:
        to = spec(at, endpoint=at.endpoint.replace(HOST, "127.0.0.1"), key=KEY)
        resources = Resources(
            TargetGuard([f"127.0.0.1:{at.port}"]),
            Secrets(Allowed([f"{KEY}=https://127.0.0.1:{at.port}"]), {"MONITOR_SECRET_TOPIC": SECRET}),
        )
        other = EventGridDriver(resources, tls.client_context())
        error = await refused(other, to)
        await other.close()
        assert at.headers == []
        await driver.deliver(spec(at), notice(), CONTEXT)
    assert error.error_class is ErrorClass.PERMANENT
    assert "is not trusted" in str(error)


async def dies(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


async def hangs(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def test_a_connection_that_breaks_is_transient_and_an_endless_answer_final() -> None:
    async with topic(dies) as at, driving(at) as driver:
        assert (await refused(driver, spec(at))).error_class is ErrorClass.TRANSIENT
        at.answer = endless
        error = await refused(driver, spec(at))
        assert error.error_class is ErrorClass.PERMANENT
        assert "has no end" in str(error)
    async with driving(at) as driver:
        assert (await refused(driver, spec(at))).error_class is ErrorClass.TRANSIENT  # nothing listens any more


async def test_a_delivery_that_is_cancelled_leaves_nothing_behind() -> None:
    async with topic(hangs) as at, driving(at) as driver:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await driver.deliver(spec(at), notice(), CONTEXT)
        at.answer = taken
        await driver.deliver(spec(at), notice(), CONTEXT)
        await driver.close()
        assert "the worker is stopping" in str(await refused(driver, spec(at)))


async def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hostile.trap() as proxy, topic() as at, driving(at) as driver:
        hostile.set_proxies(monkeypatch, f"http://127.0.0.1:{proxy.port}")
        await driver.deliver(spec(at), notice(), CONTEXT)
        assert proxy.connections == 0


async def test_token_and_key_are_masked_and_logged_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    masker = Masker()
    async with topic() as at, driving(at, masker=masker) as driver:
        for fields in ({}, {"key": KEY}):
            at.answer = taken
            await driver.deliver(spec(at, **fields), notice(), CONTEXT)
            at.answer = saying(401, "Unauthorized")
            await refused(driver, spec(at, **fields))
    for secret in (TOKEN, SECRET):
        assert secret not in caplog.text
        assert secret not in masker(f"it was {secret}")


def test_azure_s_own_topics_need_no_setting() -> None:
    allowed = Allowed(AUDIENCES)
    assert allowed.permits(AUDIENCE, Origin.parse(f"https://{HOST}"))
    for other in (
        f"http://{HOST}",
        f"https://{HOST}:8443",
        f"https://{HOST}.evil.example",
        "https://evil.example",
    ):
        assert not allowed.permits(AUDIENCE, Origin.parse(other))


@pytest.mark.parametrize(
    "fields",
    [
        {"endpoint": f"http://{HOST}/api/events"},
        {"endpoint": f"https://{HOST}/api/events?api-version=1"},
        {"endpoint": f"https://user:secret@{HOST}/api/events"},
        {"endpoint": HOST},
        {"topic": "https://elsewhere"},
        {"topic": ""},
        {"key": SECRET},
        {"access_key": KEY},
    ],
)
def test_what_is_wrong_is_refused_at_the_door(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        EventGridChannel.model_validate({**EventGridChannel.example["to"], **fields})
    if SECRET in fields.values():
        assert SECRET not in str(refused.value.errors(include_input=False))
