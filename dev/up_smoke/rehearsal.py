"""The rehearsal, step by step; every step raises where something is not as it has to be."""

import re
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Final

from up_smoke.clients import PLANS, SLOW, RehearsalError, ended, get, ledger, page, start, until
from up_smoke.docker import addresses, compose, docker, exit_codes, url
from up_smoke.evidence import Entry, Faults, Window, broken_off, complaints

OURS: Final = ("worker", "client-scheduler", "job-simulator")
KILLED: Final = 137
PAUSE_SECONDS: Final = 20
RECOVERY: Final = timedelta(seconds=5)
"""What the stack may take to go on after the pause, or after the kill where work is handed out again at once."""
HARDENED: Final = """
import importlib.util, os, shutil
assert os.getuid() == 10001, os.getuid()
found = [tool for tool in ("pip", "gcc", "cc", "curl", "wget") if shutil.which(tool)]
assert not found, found
assert not importlib.util.find_spec("pip")
packages = [name for name in ("monitor_worker", "monitor_client") if importlib.util.find_spec(name)]
assert len(packages) <= 1, packages
try:
    open("here", "w")
except OSError as error:
    assert error.strerror == "Read-only file system", error
else:
    raise AssertionError("the file system can be written")
"""


def say(text: str) -> None:
    """Tell the terminal, with the time."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)


def bring_up() -> None:
    """Bring up everything that the compose file says, with two workers, and wait until all is healthy."""
    compose("up", "--detach", "--wait", "--scale", "worker=2")
    for service in OURS:
        compose("exec", "--no-TTY", service, "python", "-c", HARDENED)
    say(f"up: two workers, all healthy; ours run as 10001 on a read-only file system\n{_sizes()}")


def run_as_documented() -> None:
    """The command of the compose file's head."""
    said = compose("run", "--rm", "--no-TTY", "client-scheduler", "python", "client.py", "job-1", "2", "60")
    if "Completed" not in said:
        raise RehearsalError(f"client.py job-1 2 60 said:\n{said}")
    say("docker compose run --rm client-scheduler python client.py job-1 2 60: Completed")
    _see_the_page()


def _see_the_page() -> None:
    api = url("client-scheduler", 8000)
    listed = page(f"{api}/")
    styles = re.findall(r'href="(/static/[^"]+)"', listed)
    if "job-1" not in listed or not styles:
        raise RehearsalError(f"the page {api}/ lists no job-1, or has no style:\n{listed[:2000]}")
    page(api + styles[0])
    say("the client-scheduler's page lists job-1")


def survive(redelivery: timedelta) -> None:
    """Run all monitors, break what can break, and look for what was lost.

    Args:
        redelivery: how long the scheduler may take to see that a worker is gone.
    """
    simulator = url("job-simulator", 8000)
    clients = {plan.job_id: start(plan) for plan in PLANS}
    until(lambda: _seen(ledger(simulator)) >= set(clients), "every job has been checked")
    say(f"{len(PLANS)} monitors run")
    killed, kill = _kill_in_mid_check(simulator, redelivery)
    time.sleep(redelivery.total_seconds())
    faults = Faults(killed, [kill, _pause()])
    ran = {plan.job_id: ended(plan, clients[plan.job_id]) for plan in PLANS}
    entries = ledger(simulator)
    by_job: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_job[entry["job_id"]].append(entry)
    wrong = [
        f"{plan.job_id}: {complaint}"
        for plan in PLANS
        for complaint in complaints(plan, ran[plan.job_id], by_job[plan.job_id], faults)
    ]
    if not broken_off(entries, killed):
        wrong.append("no check was broken off: the worker was not killed in the middle of one")
    if wrong:
        raise RehearsalError("\n".join(wrong))
    _report(entries, faults)


def stop() -> None:
    """Stop everything of ours as a deployment would: SIGTERM reaches Python, and it ends by itself."""
    compose("stop", *OURS)
    codes = exit_codes(*OURS)
    if sorted(codes.values()) != [0, 0, 0, KILLED]:
        raise RehearsalError(f"exit codes: {codes}; {KILLED} for the killed worker and else 0 was to be expected")
    say("stopped: every exit code is 0, but the killed worker's")


def _kill_in_mid_check(simulator: str, redelivery: timedelta) -> tuple[str, Window]:
    """Kill a worker that has just begun a check of a slow job; its address, and when checks may be missing."""
    workers = addresses("worker")
    known = {entry["sequence"] for entry in ledger(simulator)}
    begun: list[Entry] = []

    def has_begun() -> bool:
        entries = [entry for entry in ledger(simulator) if entry["sequence"] not in known]
        known.update(entry["sequence"] for entry in entries)
        slow = {plan.job_id for plan in SLOW}
        begun.extend(entry for entry in entries if entry["job_id"] in slow and entry["response_code"] is None)
        return bool(begun)

    until(has_begun, "a worker begins a check of a slow job")
    address = begun[-1]["client"]
    now = datetime.now(UTC)
    docker("kill", workers[address])
    say(f"killed the worker {address} in the middle of a check of {begun[-1]['job_id']}")
    return address, Window(now, datetime.now(UTC) + redelivery)


def _pause() -> Window:
    """Pause the scheduler; when checks may be missing."""
    api = url("client-scheduler", 8000)
    begin = datetime.now(UTC)
    compose("pause", "scheduler")
    say(f"paused the scheduler for {PAUSE_SECONDS} s")
    time.sleep(PAUSE_SECONDS / 2)
    health = get(f"{api}/healthz")[0], get(f"{api}/readyz")[0]
    time.sleep(PAUSE_SECONDS / 2)
    compose("unpause", "scheduler")
    until(lambda: get(f"{api}/readyz")[0] == 200, "the client-scheduler is ready again")  # noqa: PLR2004 # OK
    if health != (200, 503):
        raise RehearsalError(f"/healthz and /readyz answered {health} during the pause, not (200, 503)")
    return Window(begin, datetime.now(UTC) + RECOVERY)


def _seen(entries: list[Entry]) -> set[str]:
    return {entry["job_id"] for entry in entries}


def _sizes() -> str:
    return docker("images", "--format", "  {{.Repository}} {{.Size}}", "durable-monitor/*")


def _report(entries: list[Entry], faults: Faults) -> None:
    checks = len({entry["client_request_id"] for entry in entries})
    broken = len(broken_off(entries, faults.killed))
    workers = len({entry["client"] for entry in entries})
    figures = f"{checks} checks in {len(entries)} requests by {workers} workers, {broken} broken off by the kill"
    say(f"nothing was lost: {len(PLANS)} verdicts as they have to be, {figures}")
