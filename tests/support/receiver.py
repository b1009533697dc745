"""A receiver of webhooks: a real server on a thread of its own, which notes each delivery and answers as planned.

with receiving(SECRET) as receiver:
    receiver.plan("/flaky", code(500), code(503, retry_after=1), die)   # then 204, for good
    receiver.plan("/gone", then=code(410))
    ...
    taken = receiver.wait("/flaky", 4)
    assert {one.id for one in taken} == {taken[0].id}
    assert all(one.signed for one in taken)
"""

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook, WebhookVerificationError

_PATIENCE: Final = 30.0
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Delivery:
    """One request, whole.

    Args:
        path: with its query.
        headers: their names in small letters.
        body: as it came.
        signed: whether it verifies by the receiver's secret, now.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    signed: bool

    @property
    def id(self) -> str:
        """Its webhook-id."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> BaseCloudEvent:
        """The event that it is, by either mode."""
        return from_http_event(HTTPMessage(dict(self.headers), self.body))

    @property
    def notice(self) -> Mapping[str, Any]:
        """The event's data."""
        data = self.event.get_data()
        assert isinstance(data, dict)
        return data


def code(status: int, *, retry_after: object = None, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer by this code."""
    more = {} if retry_after is None else {"Retry-After": str(retry_after)}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={**more, **(headers or {})})

    return answer


async def hang(_: web.Request) -> web.StreamResponse:
    """No answer, until whoever waits for it hangs up."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def die(request: web.Request) -> web.StreamResponse:
    """The connection ends in the middle of the answer's first line: the delivery came, nobody says so."""
    return await _ending(request, b"HTTP/1.1 2")


async def break_off(request: web.Request) -> web.StreamResponse:
    """The connection ends in the middle of the answer's content: the delivery is taken, the rest is missing."""
    return await _ending(request, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nnot all")


async def _ending(request: web.Request, beginning: bytes) -> web.StreamResponse:
    assert request.transport
    request.transport.write(beginning)
    request.transport.close()
    return web.Response()


TAKEN: Final = code(204)


class Receiver:
    """Notes what is delivered. Use it from any thread.

    Args:
        secret: what deliveries are verified by; without one none is signed.
    """

    def __init__(self, secret: str | None = None) -> None:
        self._verifier = Webhook(secret) if secret else None
        self._plans: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self._then: dict[str, Answer] = {}
        self._taken: list[Delivery] = []
        self._changed = threading.Condition()
        self.port = 0

    def url(self, path: str = "/") -> str:
        """Where to deliver to."""
        return f"http://127.0.0.1:{self.port}{path}"

    def plan(self, path: str, *answers: Answer, then: Answer = TAKEN) -> None:
        """Answer deliveries to a path like this, one after the other, and all others by `then`."""
        with self._changed:
            self._plans[path], self._then[path] = deque(answers), then

    def at(self, path: str) -> list[Delivery]:
        """What has come to a path, the query aside; the newest last."""
        with self._changed:
            return [one for one in self._taken if one.path.partition("?")[0] == path]

    def wait(self, path: str, count: int = 1, seconds: float = _PATIENCE) -> list[Delivery]:
        """As `at`, once there are so many."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.at(path)) >= count, seconds)
        assert came, f"{len(self.at(path))} of {count} deliveries came to {path}"
        return self.at(path)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take one delivery."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        with self._changed:
            self._taken.append(Delivery(request.path_qs, headers, body, self._is_signed(headers, body)))
            left = self._plans[request.path]
            answer = left.popleft() if left else self._then.get(request.path, TAKEN)
            self._changed.notify_all()
        return await answer(request)

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        with suppress(WebhookVerificationError):
            if self._verifier:
                self._verifier.verify(body, dict(headers), json_parse=False)
                return True
        return False


@contextmanager
def receiving(secret: str | None = None) -> Iterator[Receiver]:
    """A receiver on a free port of 127.0.0.1."""
    receiver, loop = Receiver(secret), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(_started(receiver), loop).result(_PATIENCE)
    try:
        yield receiver
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(_PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        loop.close()


async def _started(receiver: Receiver) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("POST", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.port = runner.addresses[0][1]
    return runner
