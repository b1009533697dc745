"""The way to a client-scheduler: who may see the token, whom to trust, what other servers' answers mean."""

import asyncio
import time
from http import HTTPStatus
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from monitor_client import errors
from monitor_client.api.problems import Refused, refusal
from monitor_client.failures import code_of
from monitor_client.http_api import HttpApi
from monitor_client.patience import PATIENCE_SECONDS, Patience
from monitor_client.remote import RemoteMonitors
from monitor_client.server_problems import error_of, retry_seconds
from monitor_client.view import MonitorView
from monitor_core.contract import Verdict
from monitor_core.settings import SettingsError
from support.fake_scheduler import result, status
from support.tls import client_context, server_context
from support.web import Target, serving

VIEW: dict[str, Any] = {
    "job_id": "job-1",
    "instance_id": "monitor-job-1",
    "state": "Running",
    "run": "run-1",
    "request": None,
    "status": status(),
    "result": None,
    "failure": None,
    "created_at": "2026-01-01T12:00:00Z",
    "last_updated_at": "2026-01-01T12:00:01Z",
}
CUT = b""
ENDED = {**VIEW, "state": "Completed", "result": result(), "of_a_newer_version": True}


class Credential:
    """Gives tokens, and counts them."""

    def __init__(self, lasts: float = 3600, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.is_closed = False
        self._lasts, self._error = lasts, error

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked += scopes
        if self._error:
            raise self._error
        return AccessToken(f"token-{len(self.asked)}", int(time.time() + self._lasts))

    async def close(self) -> None:
        self.is_closed = True

    async def __aenter__(self) -> "Credential":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def answered(response: web.Response) -> Exception:
    """What an answer to `get` means."""

    async def answer(_: web.Request) -> web.Response:
        return response

    async with serving(answer) as target:
        api = HttpApi(target.url(""))
        try:
            await RemoteMonitors(api).get("job-1")
        except Exception as error:  # noqa: BLE001 # it is the answer
            return error
        finally:
            await api.close()
    raise AssertionError("it was taken")


def problem(code: int, detail: str = "because") -> web.Response:
    said = refusal(Refused(HTTPStatus(code), detail))
    return web.Response(status=code, body=bytes(said.body), content_type="application/problem+json")


@pytest.mark.parametrize(
    ("response", "kind", "says"),
    [
        (lambda: problem(401), errors.NotAdmitted, "because .*MONITOR_SERVER_AUDIENCE.*az login"),
        (lambda: problem(403), errors.NotAdmitted, "because .*Monitor.Operate"),
        (lambda: web.Response(status=401), errors.NotAdmitted, "answers 401 .*az login"),
        (lambda: problem(413), errors.ServerRefused, "refuses: because$"),
        (lambda: problem(404), errors.NoClientScheduler, "answers 404, because.*a client-scheduler's URL"),
        (lambda: web.Response(status=502, text="bad"), errors.ServerUnreachable, "answers 502"),
        (lambda: web.json_response({"state": "Running"}), errors.NoClientScheduler, "else than MonitorView"),
        (lambda: web.Response(text="<html>"), errors.NoClientScheduler, "answers 200 with something else"),
        (lambda: web.json_response({"errors": 3}, status=400), errors.NoClientScheduler, "answers 400"),
        (lambda: web.Response(status=302, headers={"Location": "/x"}), errors.NoClientScheduler, "redirection"),
    ],
)
async def test_every_other_answer_says_what_to_do_and_exits_6(
    response: Any, kind: type[Exception], says: str
) -> None:
    error = await answered(response())
    assert type(error) is kind
    assert code_of(error) == 6
    with pytest.raises(kind, match=says):
        raise error


async def test_the_token_is_asked_for_once_and_follows_no_redirection() -> None:
    credential, elsewhere = Credential(), Target(lambda _: asyncio.sleep(0, web.Response()))

    async def answer(asked: web.Request) -> web.Response:
        if asked.path.endswith("gone"):
            return web.Response(status=307, headers={"Location": elsewhere.url()})
        return web.json_response(VIEW)

    async with serving(elsewhere.answer) as elsewhere, serving(answer, tls=server_context()) as target:
        api = HttpApi(target.url(""), "api://monitor", credential=lambda: credential, trusted=client_context())
        remote = RemoteMonitors(api)
        await asyncio.gather(*(remote.get("job-1") for _ in range(3)))
        with pytest.raises(errors.NoClientScheduler):
            await remote.get("gone")
        await api.close()
        assert credential.asked == ["api://monitor/.default"]
        assert {asked.headers["Authorization"] for asked in target.asked} == {"Bearer token-1"}
        assert elsewhere.asked == []
    assert credential.is_closed


async def test_a_token_near_its_end_is_replaced() -> None:
    credential = Credential(lasts=200)
    async with serving(lambda _: asyncio.sleep(0, web.json_response(VIEW)), tls=server_context()) as target:
        api = HttpApi(target.url(""), "api://m", credential=lambda: credential, trusted=client_context())
        await RemoteMonitors(api).get("job-1")
        await RemoteMonitors(api).get("job-1")
        await api.close()
        assert [asked.headers["Authorization"] for asked in target.asked] == ["Bearer token-1", "Bearer token-2"]


async def test_without_a_token_to_be_had_nothing_is_asked() -> None:
    credential = Credential(error=ClientAuthenticationError("not signed in\nmuch more"))
    api = HttpApi("https://127.0.0.1:9", "api://m", credential=lambda: credential)
    with pytest.raises(errors.NoServerToken, match=r"not signed in \(run `az login`"):
        await RemoteMonitors(api).get("job-1")
    await api.close()


def test_no_token_goes_in_clear() -> None:
    with pytest.raises(SettingsError, match="MONITOR_SERVER_AUDIENCE: goes with an https server"):
        HttpApi("http://127.0.0.1:9", "api://m")


async def test_a_certificate_that_nobody_trusts_is_refused() -> None:
    async with serving(tls=server_context()) as target:
        api = HttpApi(target.url(""))
        with pytest.raises(errors.ServerUnreachable, match=r"(?i)certificate"):
            await RemoteMonitors(api).get("job-1")
        await api.close()
        assert target.asked == []


async def test_what_speaks_no_http_is_told_in_words() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x00\x00\x18\x04 no HTTP\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        api = HttpApi(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(errors.ServerUnreachable, match=r": what answers speaks no HTTP \("):
            await RemoteMonitors(api).get("job-1")
        await api.close()


async def test_a_proxy_is_asked_but_for_this_machine() -> None:
    async with serving(lambda _: asyncio.sleep(0, web.json_response(VIEW))) as proxy:
        far = HttpApi("http://monitors.example", proxies=lambda: {"http": proxy.url()})
        assert (await RemoteMonitors(far).get("job-1")).job_id == "job-1"
        assert [asked.headers["Host"] for asked in proxy.asked] == ["monitors.example"]
        await far.close()
        near = HttpApi("http://127.0.0.1:9", proxies=lambda: {"http": proxy.url()})
        with pytest.raises(
            errors.ServerUnreachable,
            match=r"cannot reach the client-scheduler at http://127.0.0.1:9: connection refused \(",
        ):
            await RemoteMonitors(near).get("job-1")
        await near.close()
        assert len(proxy.asked) == 1


async def seen_of(*streams: list[bytes]) -> tuple[list[MonitorView], list[str]]:
    """The views that a watch gives of these streams, one a connection, and what it tells of the server."""
    left, seen, views = iter(streams), asyncio.Event(), list[MonitorView]()

    async def answer(asked: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(asked)
        for part in next(left):
            if part == CUT and asked.transport is not None:
                await seen.wait()
                asked.transport.abort()
            else:
                await response.write(part)
        return response

    async with serving(answer) as target:
        api, told = HttpApi(target.url("")), list[str]()
        try:
            async for view in RemoteMonitors(api).watch("job-1", on_unreachable=told.append):
                views.append(view)
                seen.set()
        finally:
            await api.close()
    return views, told


def event(name: str, view: dict[str, Any]) -> bytes:
    return f"event: {name}\r\ndata: {web.json_response(view).text}\r\nid: 1\r\n\r\n".encode()


async def test_a_stream_that_breaks_off_is_taken_up_again_and_nothing_is_seen_twice() -> None:
    first = [b": ping\n\n", event("monitor", VIEW), event("monitor", VIEW)[:50], CUT]
    views, told = await seen_of(first, [event("monitor", VIEW)], [event("verdict", ENDED)])
    assert [view.state for view in views] == ["Running", Verdict.COMPLETED]
    assert len(told) == 1
    assert "cannot reach the client-scheduler" in told[0]


async def test_a_stream_of_something_else_is_said_to_be_none() -> None:
    with pytest.raises(errors.NoClientScheduler, match="not JSON"):
        await seen_of([b"data: {\n\n"])


def test_patience_begins_when_the_server_goes_however_quiet_it_was_before() -> None:
    moments, told = iter([1000.0, 1001.0, 1000.0 + PATIENCE_SECONDS]), list[str]()
    patience = Patience(told.append, clock=lambda: next(moments))
    gone = errors.ServerUnreachable("http://s", "down")
    with pytest.raises(errors.ServerUnreachable):
        patience.bear(gone)
    patience.renew()
    patience.bear(gone)
    patience.bear(gone)
    assert len(told) == 1
    with pytest.raises(errors.GaveUp):
        patience.bear(gone)


def test_a_server_that_is_busy_is_borne_from_the_start_but_not_for_ever() -> None:
    moments, told = iter([0.0, PATIENCE_SECONDS]), list[str]()
    patience = Patience(told.append, clock=lambda: next(moments))
    busy = errors.ServerBusy("http://s", "too much", 1)
    patience.bear(busy)
    assert told == []
    with pytest.raises(errors.ServerBusy):
        patience.bear(busy)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 1),
        ("7", 7),
        ("0", 0.1),
        ("86400", 30),
        ("-1", 1),
        ("nan", 1),
        ("soon", 1),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.1),
        ("Fri, 31 Dec 2199 23:59:59 GMT", 30),
    ],
)
def test_retry_after_is_heeded_within_bounds(text: str | None, seconds: float) -> None:
    assert retry_seconds(text) == seconds


def test_an_error_of_a_newer_server_is_told_all_the_same() -> None:
    said = {"type": "urn:durable-monitor:Sequence", "title": "x", "status": 409, "detail": "something new", "n": 1}
    error = error_of(said, 409, "http://s")
    assert (type(error), str(error)) == (
        errors.ServerRefused,
        "the client-scheduler at http://s refuses: something new",
    )
