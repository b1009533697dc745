"""The tests' own receiver of webhooks: it answers as planned, and tells a signature from none."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
import pytest
from standardwebhooks import Webhook

from support.receiver import Receiver, break_off, code, die, hang, receiving

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY: Final = json.dumps({"specversion": "1.0", "id": "a", "source": "/b", "type": "c", "data": {"x": 1}})


async def post(receiver: Receiver, path: str, headers: dict[str, str] | None = None, seconds: float = 10) -> int:
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(receiver.url(path), data=BODY, headers=headers) as answer,
    ):
        await answer.read()
        return answer.status


def signed(secret: str = SECRET, sent: datetime | None = None) -> dict[str, str]:
    moment = sent or datetime.now(UTC)
    signature = Webhook(secret).sign("id-1", moment, BODY)
    return {
        "webhook-id": "id-1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }


async def test_it_answers_as_planned_and_then_takes() -> None:
    with receiving() as receiver:
        receiver.plan("/flaky", code(500), code(429, retry_after=7))
        assert [await post(receiver, "/flaky") for _ in range(4)] == [500, 429, 204, 204]
        receiver.plan("/gone", then=code(410))
        assert [await post(receiver, "/gone?x=1") for _ in range(2)] == [410, 410]
        assert await post(receiver, "/other") == 204
        assert len(receiver.at("/flaky")) == 4
        assert [one.path for one in receiver.wait("/gone", 2)] == ["/gone?x=1"] * 2
        assert receiver.at("/flaky")[0].notice == {"x": 1}


async def test_it_verifies() -> None:
    old = datetime.now(UTC) - timedelta(hours=1)
    with receiving(SECRET) as receiver:
        for headers in (signed(), signed("whsec_" + "A" * 32), signed(sent=old), {}):
            await post(receiver, "/", headers)
        assert [one.signed for one in receiver.at("/")] == [True, False, False, False]
        assert receiver.at("/")[0].id == "id-1"
    with receiving() as receiver:
        await post(receiver, "/", signed())
        assert not receiver.at("/")[0].signed


async def test_it_dies_before_and_after_the_answer_is_known() -> None:
    with receiving() as receiver:
        receiver.plan("/", die, break_off)
        with pytest.raises(aiohttp.ClientError):
            await post(receiver, "/")
        with pytest.raises(aiohttp.ClientPayloadError):
            await post(receiver, "/")
        assert len(receiver.at("/")) == 2


async def test_it_hangs_until_it_is_left_alone() -> None:
    with receiving() as receiver:
        receiver.plan("/", then=hang)
        with pytest.raises(TimeoutError):
            await post(receiver, "/", seconds=0.2)
        assert len(receiver.at("/")) == 1


def test_waiting_in_vain_says_so() -> None:
    with receiving() as receiver, pytest.raises(AssertionError, match="0 of 1 deliveries came to /x"):
        receiver.wait("/x", seconds=0.01)
