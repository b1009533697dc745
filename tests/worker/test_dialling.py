"""How the time of a check is shared out among a host's addresses."""

import asyncio
import socket

import pytest

from monitor_worker.checks.dialling import attempts

ADDRESSES = [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"), (socket.AF_INET, "192.0.2.3")]
SLACK = 30.0


async def test_the_time_left_is_shared_out_among_the_addresses_left() -> None:
    now = asyncio.get_running_loop().time()
    given = list(attempts(ADDRESSES, now + 3000.0))
    assert [(attempt.family, attempt.address) for attempt in given] == ADDRESSES
    # None has used any of its time, so the next has more.
    expected = [now + 1000, now + 1500, now + 3000]
    assert [attempt.until for attempt in given] == pytest.approx(expected, abs=SLACK)
