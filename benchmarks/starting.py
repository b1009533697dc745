"""1,000 monitors at once: how fast the service and the command line start them, beside the SDK's own client."""

import asyncio
import itertools
import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from durabletask.client import OrchestrationQuery

from benchmarks.goals import Goal, goals, ratios
from benchmarks.report import median, table
from benchmarks.rig import AT_A_TIME, client_of
from monitor_core.contract import ORCHESTRATOR, VERSION, instance_id
from monitor_core.scheduler import Client
from stack import Stack, stack

MONITORS: Final = 1000
ROUNDS: Final = 5
SDK: Final = "the SDK's client"
BATCH: Final = "`POST /monitors:batch`"
FILE: Final = "`client.py start -f`"


def measure(rounds: int = ROUNDS, monitors: int = MONITORS) -> str:
    """Its part of the page."""
    with stack() as parts:
        parts.start_scheduler()
        url = parts.start_service(MONITOR_RECONCILE_SECONDS="0").url(", on ")
        ways: Mapping[str, Callable[[str, int], None]] = {
            SDK: lambda prefix, number: asyncio.run(_by_sdk(parts, prefix, number)),
            BATCH: lambda prefix, number: _by_batch(url, requests(prefix, number)),
            FILE: lambda prefix, number: _by_file(parts, requests(prefix, number)),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(-1, rounds):  # the first warms up
            for number, (name, start) in enumerate(ways.items()):
                prefix = f"r{turn}-w{number}-"
                start(prefix, monitors)
                rate = asyncio.run(_rate(parts, prefix, monitors))
                rates[name] += [rate] if turn >= 0 else []
        return written(rates)


def requests(prefix: str, monitors: int) -> list[dict[str, Any]]:
    """What is to be started."""
    return [{"job_id": f"{prefix}{number}", "check": {"kind": "simulated"}} for number in range(monitors)]


async def _by_sdk(parts: Stack, prefix: str, monitors: int) -> None:
    """As many at a time as ours."""
    free = asyncio.Semaphore(AT_A_TIME)
    async with client_of(parts.scheduler_url) as client:

        async def one(request: dict[str, Any]) -> None:
            async with free:
                await client.schedule_new_orchestration(
                    ORCHESTRATOR,
                    input={"request": request, "run": "run"},
                    instance_id=instance_id(request["job_id"]),
                    version=VERSION,
                )

        await asyncio.gather(*map(one, requests(prefix, monitors)))


def _by_batch(url: str, asked: Sequence[dict[str, Any]]) -> None:
    body = json.dumps({"requests": asked}).encode()
    post = urllib.request.Request(f"{url}/monitors:batch", body, {"Content-Type": "application/json"})  # noqa: S310
    urllib.request.urlopen(post, timeout=60).read()  # noqa: S310 # our own service


def _by_file(parts: Stack, asked: Sequence[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "jobs.json")
        file.write_text(json.dumps(asked))
        client = parts.client("start", "-f", str(file), "-o", "ids")
        out, err = client.communicate()
        if client.returncode:
            raise subprocess.CalledProcessError(client.returncode, "client.py", out, err)


async def _rate(parts: Stack, prefix: str, monitors: int) -> float:
    """Starts a second, by the times that the scheduler has for them."""
    async with client_of(parts.scheduler_url) as client:
        times = await _created(client, instance_id(prefix))
    if len(times) != monitors:
        raise AssertionError(f"{len(times)} of {monitors} were started")
    return (len(times) - 1) / (max(times) - min(times))


async def _created(client: Client, prefix: str) -> list[float]:
    query = OrchestrationQuery(instance_id_prefix=prefix, max_instance_count=500)
    times: list[float] = []
    token: str | None = None
    for page in itertools.count():
        if page and token is None:
            break
        found = await client.query_page(query, token)
        times += [state.created_at.timestamp() for state in found.items]
        token = found.continuation_token
    return times


def written(rates: Mapping[str, Sequence[float]]) -> str:
    """What was measured."""
    rows = [(name, median(each)) for name, each in rates.items()]
    met = goals(
        *(
            Goal(f"starts a second by {name}, of the SDK's", 0.8, ratios(rates[name], rates[SDK]), at_least=True)
            for name in (BATCH, FILE)
        )
    )
    return f"{table(('started by', 'monitors a second'), *rows)}\n\n{met}"
