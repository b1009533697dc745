"""The kind `blob` and what Azure answers but Azurite never does: a server says it, and is asked over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from xml.sax.saxutils import escape

import pytest
from aiohttp import web

from monitor_core.contract import ErrorClass
from monitor_core.kinds import BlobCheck
from monitor_core.kinds.blob import MOST_BLOBS
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.blob import BlobDriver
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tokens import Tokens
from support.tokens import Identity

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONTEXT = CheckContext("job", "run.0.1.1", 1, 30.0)
AUDIENCE = "https://storage.azure.com"
REFERENCE = "env:MONITOR_SECRET_SAS"
LONG = 60.0
MODIFIED = "Tue, 24 Nov 2026 22:00:00 GMT"


def saying(status: int, code: str | None = None, body: str = "", **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if code:
            given["x-ms-error-code"] = code
        text = body or (f"<Error><Code>{code}</Code><Message>no secret</Message></Error>" if code else "")
        return web.Response(status=status, text=text, headers=given, content_type="application/xml")

    return answer


class Service:
    """What was asked of the server, and the driver that asks it."""

    def __init__(self, port: int, asked: list[web.Request]) -> None:
        self.asked = asked
        self.origin = f"http://127.0.0.1:{port}"
        self.identity = Identity()
        secrets = Secrets(Allowed([f"{REFERENCE}={self.origin}"]), {"MONITOR_SECRET_SAS": "sv=1&sig=s3cr3t"})
        tokens = Tokens(Allowed([f"{AUDIENCE}={self.origin}"]), lambda: self.identity)
        self.driver = BlobDriver(Resources(TargetGuard([f"127.0.0.1:{port}"]), secrets, tokens))

    async def look(self, **fields: object) -> Observation:
        what = {} if "prefix" in fields else {"blob": "a"}
        spec = BlobCheck.model_validate({"account_url": self.origin, "container": "abc", **what, **fields})
        return await self.driver.check(spec, CONTEXT)

    async def failure(self, **fields: object) -> CheckFailed:
        with pytest.raises(CheckFailed) as failed:
            await self.look(**fields)
        return failed.value


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Service]:
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service = Service(runner.addresses[0][1], asked)
    try:
        yield service
    finally:
        await service.driver.close()
        await runner.cleanup()


@pytest.mark.parametrize("what", [{}, {"prefix": "in/"}])
@pytest.mark.parametrize(
    ("status", "code", "auth", "error_class", "says"),
    [
        (403, "AuthorizationPermissionMismatch", {}, ErrorClass.PERMANENT, "the role Storage Blob Data Reader"),
        (403, "AuthorizationPermissionMismatch", {"sas": REFERENCE}, ErrorClass.PERMANENT, "lacks the permission"),
        (403, "AuthenticationFailed", {"sas": REFERENCE}, ErrorClass.PERMANENT, "has expired"),
        (401, "InvalidAuthenticationInfo", {}, ErrorClass.PERMANENT, "is not of the tenant"),
        (403, "AuthorizationFailure", {}, ErrorClass.PERMANENT, "its network rules do not let the worker in"),
        (401, "NoAuthenticationInformation", {"anonymous": True}, ErrorClass.PERMANENT, "it is not public"),
        (409, "PublicAccessNotPermitted", {"anonymous": True}, ErrorClass.PERMANENT, "takes no anonymous"),
        (403, None, {}, ErrorClass.PERMANENT, "refuses the worker's identity (HTTP 403)"),
        (403, "AccountIsDisabled", {}, ErrorClass.PERMANENT, "(AccountIsDisabled)"),
        (404, None, {}, ErrorClass.MISCONFIGURED, "is no container of a Blob service (HTTP 404)"),
        (400, "InvalidUri", {}, ErrorClass.MISCONFIGURED, "see check.account_url"),
        (409, "SomethingElse", {}, ErrorClass.TRANSIENT, "is busy (SomethingElse)"),
        (429, None, {}, ErrorClass.TRANSIENT, "is busy (HTTP 429)"),
        (503, "ServerBusy", {}, ErrorClass.TRANSIENT, "is not available (ServerBusy)"),
        (500, "<b>odd</b>", {}, ErrorClass.TRANSIENT, "is not available (HTTP 500)"),
        (418, None, {}, ErrorClass.TRANSIENT, "gives no answer that can be used"),
    ],
)
async def test_an_answer_that_shows_nothing_is_an_error_of_its_class(  # noqa: PLR0917 # a table
    what: dict[str, str],
    status: int,
    code: str | None,
    auth: dict[str, object],
    error_class: ErrorClass,
    says: str,
) -> None:
    async with serving(saying(status, code)) as service:
        error = await service.failure(**auth, **what)
    assert (error.error_class, error.retry_after_seconds) == (error_class, None)
    assert says in str(error)
    assert "s3cr3t" not in str(error)
    assert len(service.asked) == 1


@pytest.mark.parametrize("what", [{}, {"prefix": "in/"}])
@pytest.mark.parametrize(
    ("status", "code", "anonymous", "seen"),
    [
        (404, "BlobNotFound", False, ("Absent", None)),
        (404, "ContainerNotFound", False, ("No container", "no container abc")),
        (409, "ContainerBeingDeleted", False, ("No container", "no container abc")),
        (
            404,
            "ResourceNotFound",
            True,
            ("Absent", "nothing to be seen in abc: it is not there, or it is not public"),
        ),
    ],
)
async def test_what_is_not_there_is_observed(
    what: dict[str, str], status: int, code: str, anonymous: bool, seen: tuple[str, str | None]
) -> None:
    async with serving(saying(status, code)) as service:
        observed = await service.look(anonymous=anonymous, **what)
    assert observed.status == seen[0]
    assert seen[1] in {None, observed.summary}


@pytest.mark.parametrize("what", [{}, {"prefix": "in/"}])
async def test_a_busy_service_is_left_alone_as_long_as_it_asks(what: dict[str, str]) -> None:
    async with serving(saying(503, "ServerBusy", Retry_After="7")) as service:
        error = await service.failure(**what)
    assert (error.error_class, error.retry_after_seconds) == (ErrorClass.TRANSIENT, 7)
    assert len(service.asked) == 1


@pytest.mark.parametrize("what", [{}, {"prefix": "in/"}])
async def test_a_redirect_is_not_followed(what: dict[str, str]) -> None:
    async with serving(saying(307, Location="/elsewhere/a")) as service:
        error = await service.failure(**what)
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert len(service.asked) == 1


async def test_a_server_cannot_have_a_token_for_another_audience() -> None:
    challenge = (
        "Bearer authorization_uri=https://login.microsoftonline.com/0/oauth2/authorize "
        "resource_id=https://management.azure.com"
    )
    async with serving(saying(401, "InvalidAuthenticationInfo", WWW_Authenticate=challenge)) as service:
        await service.failure()
    assert service.identity.scopes == [f"{AUDIENCE}/.default"]
    assert len(service.asked) == 1


async def test_who_asks_is_told_to_the_service() -> None:
    async with serving(saying(404, "BlobNotFound")) as service:
        await service.look()
        await service.look(sas=REFERENCE)
        await service.look(anonymous=True)
    by_token, by_signature, stranger = service.asked
    assert by_token.headers["Authorization"].startswith("Bearer ")
    assert by_token.headers["x-ms-client-request-id"] == CONTEXT.request_id
    assert by_signature.query["sig"] == "s3cr3t"
    assert not stranger.query_string
    assert all("Authorization" not in request.headers for request in (by_signature, stranger))


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ({}, saying(200)),
        ({"prefix": ""}, saying(200, body="<html><body>Welcome</body></html>")),
        ({"prefix": ""}, saying(200, body="no XML")),
        ({"prefix": ""}, saying(200, body=
            '<EnumerationResults ContainerName="abc"><Blobs><Blob><Name>a</Name><Properties/></Blob></Blobs>'
            "</EnumerationResults>")),
    ],
)  # fmt: skip
async def test_what_is_no_blob_service_shows_no_blob(what: dict[str, str], answer: Answer) -> None:
    async with serving(answer) as service:
        error = await service.failure(**what)
    assert error.error_class is ErrorClass.TRANSIENT
    assert "Blob service" in str(error) or "no answer that can be used" in str(error)


async def test_an_answer_without_end_is_not_read() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"<a>" * 100_000)
        except OSError:
            return response

    async with serving(endless) as service:
        error = await service.failure(prefix="")
    assert error.error_class is ErrorClass.PERMANENT
    assert "its answer has no end" in str(error)


async def test_empty_pages_are_gone_through() -> None:
    async def page(request: web.Request) -> web.Response:
        marker = int(request.query.get("marker", "0")) + 1
        after = f"<NextMarker>{marker}</NextMarker>" if marker < 400 else ""
        text = f'<EnumerationResults ContainerName="abc"><Blobs/>{after}</EnumerationResults>'
        return web.Response(text=text, content_type="application/xml")

    async with serving(page) as service:
        assert (await service.look(prefix="")).status == "Absent"
    assert len(service.asked) == 400


async def test_a_listing_ends_at_so_many_blobs() -> None:
    async def page(request: web.Request) -> web.Response:
        size, start = int(request.query["maxresults"]), int(request.query.get("marker", "0"))
        blobs = "".join(
            f"<Blob><Name>{escape(f'{number:06}')}</Name><Properties><Last-Modified>{MODIFIED}</Last-Modified>"
            "<Etag>0x1</Etag><Content-Length>2</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"
            for number in range(start, start + size)
        )
        text = (
            f'<EnumerationResults ContainerName="abc"><MaxResults>{size}</MaxResults><Blobs>{blobs}</Blobs>'
            f"<NextMarker>{start + size}</NextMarker></EnumerationResults>"
        )
        return web.Response(text=text, content_type="application/xml")

    async with serving(page) as service:
        seen = await service.look(prefix="")
    assert (seen.variables["count"], seen.variables["truncated"]) == (MOST_BLOBS, True)
    assert len(service.asked) == 26  # pages that hold no other check up for long
    assert seen.summary
    assert seen.summary.startswith("more than 5,000 blobs, 10,000 bytes")


async def test_a_check_that_is_cancelled_hangs_up() -> None:
    arrived, hung_up = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()
        hung_up.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    service = Service(server.sockets[0].getsockname()[1], [])
    check = asyncio.create_task(service.look(anonymous=True))
    await asyncio.wait_for(arrived.wait(), LONG)
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    await asyncio.wait_for(hung_up.wait(), LONG)
    await service.driver.close()
    server.close()
    await server.wait_closed()


async def test_a_service_that_does_not_answer_is_a_transient_error() -> None:
    async with serving(saying(200)) as service:
        pass
    again = BlobDriver(Resources(TargetGuard([service.origin.partition("://")[2]])))
    spec = BlobCheck(account_url=service.origin, container="abc", blob="a", anonymous=True)
    with pytest.raises(CheckFailed, match="cannot connect to") as failed:
        await again.check(spec, CONTEXT)
    await again.close()
    assert failed.value.error_class is ErrorClass.TRANSIENT
