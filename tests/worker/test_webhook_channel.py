"""The kind `webhook` against a real receiver, which verifies and parses with the standards' own libraries."""

import asyncio
import base64
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from monitor_core.channels import WebhookChannel
from monitor_core.contract import ErrorClass, Notice
from monitor_worker.channels.base import Resources
from monitor_worker.channels.webhook import WebhookDriver, create
from monitor_worker.checks.base import CheckFailed
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from support import hostile, tls
from support.notices import AT, CONTEXT, notice
from support.receiver import Receiver, break_off, code, die, hang, receiving
from support.web import serving

KEY: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_KEY: Final = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQh"
TOKEN: Final = "t0ken-pl4nted"
SECRET, OLD, BEARER, PLACE = (f"env:MONITOR_SECRET_{name}" for name in ("KEY", "OLD", "TOKEN", "PLACE"))
MODES: Final = ("structured", "binary")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(KEY) as started:
        yield started


def secrets(url: str, **values: str) -> Secrets:
    """The worker's secrets, all of which may be sent to the origin of `url`."""
    kept = {"KEY": KEY, "OLD": OLD_KEY, "TOKEN": TOKEN, "PLACE": url} | values
    allowed = Allowed(f"env:MONITOR_SECRET_{name}={'/'.join(url.split('/')[:3])}" for name in kept)
    return Secrets(allowed, {f"MONITOR_SECRET_{name}": value for name, value in kept.items()})


@asynccontextmanager
async def driving(port: int, of: Secrets | None = None, **options: Any) -> AsyncIterator[WebhookDriver]:
    """A driver that may reach a port of this machine."""
    guard = TargetGuard([f"127.0.0.1:{port}"])
    driver = WebhookDriver(Resources(guard, of or secrets(f"http://127.0.0.1:{port}/")), **options)
    try:
        yield driver
    finally:
        await driver.close()


async def deliver(receiver: Receiver, path: str = "/", told: Notice | None = None, **fields: Any) -> str:
    spec = WebhookChannel.model_validate({"url": receiver.url(path), **fields})
    async with driving(receiver.port) as driver:
        return await driver.deliver(spec, told or notice(), CONTEXT)


async def refusal(receiver: Receiver, path: str = "/", **fields: Any) -> CheckFailed:
    with pytest.raises(CheckFailed) as refused:
        await deliver(receiver, path, **fields)
    return refused.value


@pytest.mark.parametrize("mode", MODES)
async def test_a_notice_arrives_signed_as_a_cloud_event(receiver: Receiver, mode: str) -> None:
    assert await deliver(receiver, secret=SECRET, content_mode=mode) == "HTTP 204"

    (came,) = receiver.at("/")
    assert came.signed
    assert came.event.get_attributes() == {
        "specversion": "1.0",
        "type": "DurableMonitor.Verdict",
        "source": "/taskhubs/default",
        "subject": "monitors/nightly",
        "id": "monitor-nightly:run-1:Failed:0",
        "time": AT,
        "datacontenttype": "application/json",
    }
    assert Notice.model_validate(came.notice) == notice()
    kind = "application/cloudevents+json" if mode == "structured" else "application/json"
    assert came.headers["content-type"] == kind
    assert ("ce-id" in came.headers) is (mode == "binary")


async def test_its_own_example_is_delivered(receiver: Receiver) -> None:
    await deliver(receiver, **{**WebhookChannel.example["to"], "url": receiver.url("/"), "secret": SECRET})
    assert receiver.at("/")[0].signed


@pytest.mark.parametrize(
    ("occasion", "name"), [("verdict", "Verdict"), ("transition", "Transition"), ("reminder", "Reminder")]
)
async def test_the_type_says_what_is_told(receiver: Receiver, occasion: str, name: str) -> None:
    await deliver(receiver, told=notice(occasion=occasion))
    assert receiver.at("/")[0].event.get_type() == f"DurableMonitor.{name}"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("job_id", ["v1.2/ä %\"'\\,", "線香花火\r\nX-Evil: 1", "a.1700000000.{}", "x" * 300])
async def test_any_job_id_has_an_id_that_a_header_can_carry(receiver: Receiver, job_id: str, mode: str) -> None:
    told = notice(job_id, id=f"{job_id[:100]}:run-1:Failed:0")
    await deliver(receiver, told=told, secret=SECRET, content_mode=mode)
    await deliver(receiver, told=told, secret=SECRET, content_mode=mode)

    first, again = receiver.at("/")
    assert first.id == again.id
    assert first.id.isascii()
    # A full stop would let the id run into the time that is signed behind it.
    assert not {".", " ", '"'} & set(first.id)
    assert first.signed
    assert again.signed
    assert first.event.get_id() == told.id
    subject = first.event.get_subject() or ""
    assert unquote(subject) == f"monitors/{job_id}"
    assert subject.isascii()
    assert subject.count("/") == 1
    assert first.notice["job_id"] == job_id
    assert "x-evil" not in first.headers


async def test_two_ids_never_have_one_name(receiver: Receiver) -> None:
    for name in ("a.b", "a%2Eb", "a%252Eb"):
        await deliver(receiver, told=notice(id=name))
    assert len({one.id for one in receiver.at("/")}) == 3


async def test_without_a_secret_it_is_unsigned_but_has_its_id(receiver: Receiver) -> None:
    await deliver(receiver)
    (came,) = receiver.at("/")
    assert "webhook-signature" not in came.headers
    assert came.id == "monitor-nightly:run-1:Failed:0"


@pytest.mark.parametrize("known", [KEY, OLD_KEY])
async def test_while_secrets_change_either_verifies(known: str) -> None:
    with receiving(known) as receiver:
        await deliver(receiver, secret=[SECRET, OLD])
        (came,) = receiver.at("/")
    assert came.signed
    assert len(came.headers["webhook-signature"].split(" ")) == 2


async def test_another_secret_does_not_verify(receiver: Receiver) -> None:
    await deliver(receiver, secret=OLD)
    assert not receiver.at("/")[0].signed


async def test_each_attempt_is_signed_at_its_own_time(receiver: Receiver) -> None:
    times = iter([datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC)])
    async with driving(receiver.port, now=lambda: next(times)) as driver:
        spec = WebhookChannel.model_validate({"url": receiver.url(), "secret": SECRET})
        for _ in range(2):
            await driver.deliver(spec, notice(), CONTEXT)
    assert [one.signed for one in receiver.at("/")] == [False, True]
    assert len({one.body for one in receiver.at("/")}) == 1


@pytest.mark.parametrize(
    "value",
    [
        KEY.removeprefix("whsec_"),
        "whsec_",
        "whsec_not*base64*not*base64*not*base64*",
        "whsec_c2hvcnQ=",
        KEY + "\n",
        "whsec_" + "QUJD" * 22,
        "whsk_" + KEY.removeprefix("whsec_"),
    ],
)
async def test_what_is_no_secret_to_sign_with_is_said_and_not_sent(receiver: Receiver, value: str) -> None:
    spec = WebhookChannel.model_validate({"url": receiver.url(), "secret": SECRET})
    async with driving(receiver.port, secrets(receiver.url(), KEY=value)) as driver:
        with pytest.raises(CheckFailed, match=f"^{SECRET} holds no secret to sign with") as refused:
            await driver.deliver(spec, notice(), CONTEXT)
    assert refused.value.error_class is ErrorClass.MISCONFIGURED
    assert value.strip() not in str(refused.value).replace("should be whsec_", "")
    assert not receiver.at("/")


async def test_padding_may_be_left_out() -> None:
    key = "whsec_" + base64.b64encode(b"x" * 32).decode()
    with receiving(key) as receiver:
        spec = WebhookChannel.model_validate({"url": receiver.url(), "secret": SECRET})
        async with driving(receiver.port, secrets(receiver.url(), KEY=key.rstrip("="))) as driver:
            await driver.deliver(spec, notice(), CONTEXT)
        assert receiver.at("/")[0].signed


async def test_headers_and_credentials_go_with_it(receiver: Receiver) -> None:
    auth = {"type": "bearer", "token": BEARER}
    await deliver(receiver, headers={"X-Tenant": "7", "user-agent": "mine"}, auth=auth)
    headers = receiver.at("/")[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert (headers["x-tenant"], headers["user-agent"]) == ("7", "mine")
    assert headers["x-ms-client-request-id"] == CONTEXT.request_id


@pytest.mark.parametrize("fields", [{"secret": SECRET}, {"auth": {"type": "bearer", "token": BEARER}}])
async def test_a_secret_that_may_go_elsewhere_is_not_used_here(receiver: Receiver, fields: dict[str, Any]) -> None:
    spec = WebhookChannel.model_validate({"url": receiver.url(), **fields})
    async with driving(receiver.port, secrets("https://elsewhere.example/")) as driver:
        with pytest.raises(CheckFailed, match=r"may not be sent to http://127\.0\.0\.1") as refused:
            await driver.deliver(spec, notice(), CONTEXT)
    assert refused.value.error_class is ErrorClass.MISCONFIGURED
    assert not receiver.at("/")


async def test_a_url_may_be_a_secret_and_messages_show_its_origin_only(receiver: Receiver) -> None:
    spec = WebhookChannel.model_validate({"url_secret": PLACE, "secret": SECRET})
    place = receiver.url("/hooks/pl4nted-path?sig=pl4nted-query")
    receiver.plan("/hooks/pl4nted-path", code(500), die)
    async with driving(receiver.port, secrets(place)) as driver:
        for message in (
            f"500 Internal Server Error from POST http://127.0.0.1:{receiver.port}/: the trouble is on its side",
            f"http://127.0.0.1:{receiver.port}/ closed the connection|is no HTTP that can be read",
        ):
            with pytest.raises(CheckFailed, match=message) as refused:
                await driver.deliver(spec, notice(), CONTEXT)
            assert "pl4nted" not in "".join(traceback.format_exception(refused.value))
        assert await driver.deliver(spec, notice(), CONTEXT) == "HTTP 204"
    assert [one.path for one in receiver.at("/hooks/pl4nted-path")] == [place.partition(str(receiver.port))[2]] * 3


@pytest.mark.parametrize(
    "value",
    [
        "http://me:pl4nted@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/pl4nted\n",
        "http://127.0.0.1:{port}/pl4nted two",
        "http://127.0.0.1:{port}\\@pl4nted.example/",
        "postgresql://127.0.0.1:{port}/pl4nted",
        "http://127.0.0.1:pl4nted/",
        "pl4nted",
    ],
)
async def test_a_secret_that_is_no_url_is_said_and_not_shown(receiver: Receiver, value: str) -> None:
    spec = WebhookChannel.model_validate({"url_secret": PLACE})
    of = secrets(receiver.url(), PLACE=value.format(port=receiver.port))
    async with driving(receiver.port, of) as driver:
        with pytest.raises(CheckFailed, match=f"^{PLACE} ") as refused:
            await driver.deliver(spec, notice(), CONTEXT)
    assert refused.value.error_class is ErrorClass.MISCONFIGURED
    assert "pl4nted" not in "".join(traceback.format_exception(refused.value))
    assert not receiver.at("/")


async def test_a_url_that_is_a_secret_goes_where_it_may_alone(receiver: Receiver) -> None:
    spec = WebhookChannel.model_validate({"url_secret": PLACE})
    async with driving(receiver.port, secrets("https://a.example/", PLACE=receiver.url())) as driver:
        with pytest.raises(CheckFailed, match=r"may not be sent to http://127\.0\.0\.1") as refused:
            await driver.deliver(spec, notice(), CONTEXT)
    assert refused.value.error_class is ErrorClass.MISCONFIGURED
    assert not receiver.at("/")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_taken(receiver: Receiver, status: int) -> None:
    receiver.plan("/", code(status))
    assert await deliver(receiver) == f"HTTP {status}"


@pytest.mark.parametrize(
    ("status", "error_class", "words"),
    [
        (300, ErrorClass.PERMANENT, "give the URL itself"),
        (304, ErrorClass.PERMANENT, "give the URL itself"),
        (400, ErrorClass.TRANSIENT, "did not take it"),
        (401, ErrorClass.TRANSIENT, "to.secret"),
        (403, ErrorClass.TRANSIENT, "to.auth"),
        (404, ErrorClass.TRANSIENT, "nothing there, perhaps not yet"),
        (405, ErrorClass.PERMANENT, "takes no POST"),
        (408, ErrorClass.TRANSIENT, "in time"),
        (409, ErrorClass.TRANSIENT, "did not take it"),
        (410, ErrorClass.PERMANENT, "gone for good"),
        (413, ErrorClass.PERMANENT, "more than it takes"),
        (415, ErrorClass.PERMANENT, "does not know this form"),
        (422, ErrorClass.TRANSIENT, "did not take it"),
        (425, ErrorClass.TRANSIENT, "later"),
        (429, ErrorClass.TRANSIENT, "too much at a time"),
        (500, ErrorClass.TRANSIENT, "on its side"),
        (503, ErrorClass.TRANSIENT, "on its side"),
        (599, ErrorClass.TRANSIENT, "on its side"),
    ],
)
async def test_any_other_code_is_a_failure_with_a_meaning(
    receiver: Receiver, status: int, error_class: ErrorClass, words: str
) -> None:
    receiver.plan("/hook", code(status))
    failed = await refusal(receiver, "/hook?key=pl4nted")
    assert failed.error_class is error_class
    assert words in str(failed)
    assert f"from POST {receiver.url('/hook')}:" in str(failed)
    assert "pl4nted" not in str(failed)
    assert failed.retry_after_seconds is None


@pytest.mark.parametrize("status", [429, 503, 500])
async def test_a_receiver_says_when_to_come_again(receiver: Receiver, status: int) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    receiver.plan(
        "/", code(status, retry_after=120), code(status, retry_after="Sun, 01 Mar 2026 00:01:00 GMT"), code(status)
    )
    spec, seconds = WebhookChannel.model_validate({"url": receiver.url()}), []
    async with driving(receiver.port, now=lambda: now) as driver:
        for _ in range(3):
            with pytest.raises(CheckFailed) as refused:
                await driver.deliver(spec, notice(), CONTEXT)
            seconds.append(refused.value.retry_after_seconds)
    assert seconds == [120.0, 60.0, None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("hostname", [hostile.METADATA, "127.0.0.1"])
async def test_no_redirect_is_followed_nor_shown(receiver: Receiver, status: int, hostname: str) -> None:
    async with hostile.trap() as trap:
        place = f"http://{hostname}:{trap.port}/latest/meta-data"
        receiver.plan("/", code(status, headers={"Location": place}))
        failed = await refusal(receiver, secret=SECRET)
        assert trap.connections == 0
    assert failed.error_class is ErrorClass.PERMANENT
    assert "give the URL itself that it redirects to" in str(failed)
    assert "meta-data" not in str(failed)


async def test_a_receiver_that_dies_before_it_answers_has_not_taken_it(receiver: Receiver) -> None:
    receiver.plan("/", die, then=code(200))
    assert (await refusal(receiver, secret=SECRET)).error_class is ErrorClass.TRANSIENT
    assert await deliver(receiver, secret=SECRET) == "HTTP 200"
    first, again = receiver.at("/")
    assert first.id == again.id
    assert first.body == again.body
    assert first.signed
    assert again.signed


async def test_once_the_code_is_known_the_rest_does_not_matter(receiver: Receiver) -> None:
    receiver.plan("/", break_off)
    assert await deliver(receiver) == "HTTP 200"


async def test_one_that_hangs_is_left_at_the_caller_s_time(receiver: Receiver) -> None:
    receiver.plan("/", hang)
    spec = WebhookChannel.model_validate({"url": receiver.url()})
    async with driving(receiver.port) as driver:
        before = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await driver.deliver(spec, notice(), CONTEXT)
        assert asyncio.all_tasks() == before
        assert await driver.deliver(spec, notice(), CONTEXT) == "HTTP 204"
    assert len(receiver.at("/")) == 2


async def test_an_endless_answer_is_not_read() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    async with serving(endless) as target, driving(target.port) as driver:
        spec = WebhookChannel.model_validate({"url": target.url()})
        assert await driver.deliver(spec, notice(), CONTEXT) == "HTTP 200"


async def test_no_connection_is_used_twice() -> None:
    async with serving() as target, driving(target.port) as driver:
        spec = WebhookChannel.model_validate({"url": target.url()})
        for _ in range(3):
            await driver.deliver(spec, notice(), CONTEXT)
    assert len(target.connections) == 3


async def test_it_delivers_over_tls_to_whom_it_trusts() -> None:
    async with serving(tls=tls.server_context()) as target:
        spec = WebhookChannel.model_validate({"url": target.url(), "secret": SECRET})
        of = secrets(target.url())
        async with driving(target.port, of, tls=tls.client_context()) as driver:
            assert await driver.deliver(spec, notice(), CONTEXT) == "HTTP 200"
        assert Webhook(KEY).verify(target.bodies[0], dict(target.asked[0].headers))
        async with driving(target.port, of) as stranger:
            with pytest.raises(CheckFailed, match=r"certificate of .* is not trusted") as refused:
                await stranger.deliver(spec, notice(), CONTEXT)
    assert refused.value.error_class is ErrorClass.PERMANENT


async def test_planted_secrets_are_in_no_error_log_or_receipt(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        said = request.headers["Authorization"] + str(request.url)
        reason = said.replace("\n", " ")
        status = 200 if request.path == "/ok" else 500
        return web.Response(status=status, reason=reason, text=said, headers={"Retry-After": said})

    caplog.set_level(logging.DEBUG)
    fields = {"url_secret": PLACE, "secret": [SECRET, OLD], "auth": {"type": "bearer", "token": BEARER}}
    spec, said = WebhookChannel.model_validate(fields), []
    async with serving(echo) as target:
        for path in ("/ok", "/error"):
            url = target.url(f"{path}?key=pl4nted-query")
            async with driving(target.port, secrets(url)) as driver:
                try:
                    said.append(await driver.deliver(spec, notice(), CONTEXT))
                except CheckFailed as error:
                    said += ["".join(traceback.format_exception(error)), str(error.retry_after_seconds)]
    assert len(said) == 3
    for secret in (KEY, KEY.removeprefix("whsec_"), OLD_KEY, TOKEN, "pl4nted"):
        assert secret not in "".join(said)
        # asyncio and aiohttp log as well; the server's own lines are not the worker's.
        assert secret not in "".join(one.getMessage() for one in caplog.records if "access" not in one.name)


async def test_after_the_end_nothing_is_delivered(receiver: Receiver) -> None:
    driver = create(Resources(TargetGuard([f"127.0.0.1:{receiver.port}"])))
    await driver.close()
    with pytest.raises(CheckFailed, match="the worker is stopping") as refused:
        await driver.deliver(WebhookChannel.model_validate({"url": receiver.url()}), notice(), CONTEXT)
    assert refused.value.error_class is ErrorClass.TRANSIENT
    assert not receiver.at("/")


async def test_a_closed_port_is_passing_trouble(receiver: Receiver) -> None:
    async with hostile.trap() as trap:
        port = trap.port
    async with driving(port) as driver:
        spec = WebhookChannel.model_validate({"url": f"http://127.0.0.1:{port}/"})
        with pytest.raises(CheckFailed, match="cannot connect") as refused:
            await driver.deliver(spec, notice(), CONTEXT)
    assert refused.value.error_class is ErrorClass.TRANSIENT
