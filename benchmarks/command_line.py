"""How long a command line lets wait: for its help, and for a monitor's first status."""

import asyncio
import subprocess
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.goals import Goal, goals
from benchmarks.report import median, table
from benchmarks.rig import client_of
from monitor_core.contract import ORCHESTRATOR, VERSION, instance_id
from stack import ROOT, Stack, stack

ROUNDS: Final = 7


def measure(rounds: int = ROUNDS) -> str:
    """Its part of the page."""
    with stack() as parts:
        parts.start_scheduler()
        parts.start_worker()
        _first_status(parts, "warm")
        helps = [_help() for _ in range(rounds)]
        pairs = [(_first_status(parts, f"job-{number}"), _round_trip(parts, number)) for number in range(rounds)]
    return written(helps, [ours for ours, _ in pairs], [sdk for _, sdk in pairs])


def _help() -> float:
    began = time.perf_counter()
    subprocess.run(Stack.client_command("--help"), cwd=ROOT, check=True, capture_output=True)  # noqa: S603 # ours
    return time.perf_counter() - began


def _first_status(parts: Stack, job: str) -> float:
    """Seconds from the start of the process until it shows what the first check saw."""
    began = time.perf_counter()
    with parts.client(job, "1", "60", "--simulate-checks", "2") as client:
        assert client.stdout is not None  # noqa: S101 # it is a pipe
        for line in client.stdout:
            if ", 1 check" in line:
                seconds = time.perf_counter() - began
                client.terminate()  # it detaches
                return seconds
    raise AssertionError("it showed no check")


def _round_trip(parts: Stack, number: int) -> float:
    return asyncio.run(_sdk_round_trip(parts, f"sdk-{number}"))


async def _sdk_round_trip(parts: Stack, job: str) -> float:
    """Seconds from a start by the SDK's client, its channel made, until its status is there."""
    given = {"request": {"job_id": job, "check": {"kind": "simulated"}, "timeout_seconds": 60}, "run": "run"}
    async with client_of(parts.scheduler_url) as client:
        began = time.perf_counter()
        instance = await client.schedule_new_orchestration(
            ORCHESTRATOR, input=given, instance_id=instance_id(job), version=VERSION
        )
        while True:
            state = await client.get_orchestration_state(instance)
            status = state.get_custom_status() if state else None
            if isinstance(status, dict) and status.get("check_count"):
                return time.perf_counter() - began
            await asyncio.sleep(0.005)


def written(helps: Sequence[float], ours: Sequence[float], sdk: Sequence[float]) -> str:
    """What was measured."""
    rows = [
        ("`client.py --help`", median(helps, ".2f")),
        ("`client.py JOB`, until it shows the first check", median(ours, ".2f")),
        ("the SDK's client, until the first check is shown", median(sdk, ".3f")),
    ]
    over = [one - other for one, other in zip(ours, sdk, strict=True)]
    met = goals(Goal("`--help`, s", 0.4, helps), Goal("first status over the SDK's round trip, s", 1, over))
    return f"{table(('', 'seconds'), *rows)}\n\n{met}"
