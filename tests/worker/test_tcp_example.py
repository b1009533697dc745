"""The example of the kind `tcp`, run against a server whose certificate has long to go, or not."""

import asyncio
import time

import pytest

from monitor_core.conditions import conditions
from monitor_core.contract import parse_request
from monitor_core.kinds import BUILT_IN, TcpCheck
from monitor_worker.checks.base import CheckContext
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tcp import TcpDriver
from support import tls

HERE = "127.0.0.1"
DAY = 86_400
CONTEXT = CheckContext("job", "run.0.1.1", 1, 30.0)


async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("enough", [True, False])
async def test_the_example_waits_until_the_certificate_has_30_days_left(enough: bool) -> None:
    server = await asyncio.start_server(talk, HERE, 0, ssl=tls.server_context(HERE))
    port = server.sockets[0].getsockname()[1]
    asked = {"job_id": "j", **TcpCheck.example}
    asked["check"] = {**TcpCheck.example["check"], "host": HERE, "port": port}
    request = parse_request(asked, BUILT_IN)
    spec = TcpCheck.model_validate(request.check)
    context, guard = tls.client_context(), TargetGuard([f"{HERE}:{port}"])
    async with server:
        first = await TcpDriver(guard, context).check(spec, CONTEXT)
        # trustme's certificates are good for years: what differs is the time that the days are counted from.
        now = time.time() + (first.variables["certificate_days_left"] - (31 if enough else 29)) * DAY
        observed = await TcpDriver(guard, context, lambda: now).check(spec, CONTEXT)
    success, failure = conditions(request.success_when, request.failure_when, TcpCheck)
    assert success is not None
    assert failure is None
    assert success.holds(observed.variables) is enough
