"""Waiting on a client that may go away, without a server."""

import asyncio

import pytest
from starlette.types import Message

from job_simulator.hanging import Unanswered, gone_within


class Client:
    """An ASGI client that has sent its request, and goes away when told."""

    def __init__(self, *, gone: bool) -> None:
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        if gone:
            self._messages.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        return await self._messages.get()

    async def send(self, message: Message) -> None:
        pytest.fail(f"sent {message}")


async def test_a_client_that_stays_is_answered_after_the_delay() -> None:
    assert not await gone_within(Client(gone=False).receive, 0.01)


async def test_a_client_that_goes_ends_the_wait() -> None:
    async with asyncio.timeout(60):
        assert await gone_within(Client(gone=True).receive, 3600)


async def test_without_a_delay_nothing_is_waited_for() -> None:
    assert not await gone_within(Client(gone=True).receive, 0)


async def test_nothing_is_sent_until_the_client_goes() -> None:
    staying, leaving = Client(gone=False), Client(gone=True)
    async with asyncio.timeout(60):
        await Unanswered()({}, leaving.receive, leaving.send)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Unanswered()({}, staying.receive, staying.send), 0.05)
