"""The monitors of the rehearsal: their clients in the container, and what the simulator saw of them."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Final

from up_smoke.docker import begin
from up_smoke.evidence import Entry, Plan, Ran

SIMULATOR: Final = "http://job-simulator:8000"
_LASTS: Final = 50
_PATIENCE_SECONDS: Final = 240.0

SLOW: Final = [
    Plan(f"slow-{n}", 4, 200, f"duration_seconds={_LASTS}&delay_seconds=3", 0, "Completed", "Succeeded")
    for n in range(1, 5)
]
"""Jobs that take most of the time to answer: their checks are what a worker is killed in the middle of."""
PLANS: Final = [
    *SLOW,
    Plan("quick-1", 1, 200, f"duration_seconds={_LASTS}", 0, "Completed", "Succeeded"),
    Plan("quick-2", 1, 200, f"duration_seconds={_LASTS}", 0, "Completed", "Succeeded"),
    Plan("sleeps-between", 6, 200, f"duration_seconds={_LASTS}", 0, "Completed", "Succeeded"),
    Plan("fails", 1, 200, f"duration_seconds={_LASTS}&outcome=Failed", 1, "Failed", "Failed"),
    Plan("never-ends", 2, 60, "duration_seconds=3600", 3, "Timeout", "NotStarted"),
    Plan("forbidden", 1, 200, "status_code=403", 5, "Error", None),
]


class RehearsalError(AssertionError):
    """Something is not as it has to be; the message says what."""


def start(plan: Plan) -> subprocess.Popen[str]:
    """Start a monitor and stay with it, as a user would; the result comes as JSON."""
    job = f"MONITOR_URL={SIMULATOR}/jobs/{{job_id}}?{plan.job}"
    figures = (str(plan.interval_seconds), str(plan.timeout_seconds))
    return begin(
        *("exec", "--no-TTY", "--env", job, "client-scheduler"),
        *("python", "client.py", plan.job_id, *figures, "--output", "json"),
    )


def ended(plan: Plan, client: subprocess.Popen[str]) -> Ran:
    """Wait for a client's end; what it ended with.

    Raises:
        RehearsalError: it does not end, or gives no result.
    """
    try:
        out, err = client.communicate(timeout=_PATIENCE_SECONDS)
        return Ran(client.returncode, json.loads(out))
    except subprocess.TimeoutExpired as error:
        raise RehearsalError(f"{plan.job_id}: its client has not ended in {_PATIENCE_SECONDS:g} s") from error
    except json.JSONDecodeError as error:
        raise RehearsalError(f"{plan.job_id}: exit code {client.returncode} and no result:\n{err}") from error


def ledger(simulator_url: str) -> list[Entry]:
    """Every request that the simulator saw."""
    entries: list[Entry] = get(f"{simulator_url}/ledger")[1]
    return entries


def get(url: str) -> tuple[int, Any]:
    """The status code of a GET, and its JSON."""
    try:
        with urllib.request.urlopen(url, timeout=15) as answer:  # noqa: S310 # our own, on loopback
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def page(url: str) -> str:
    """The text of a page.

    Raises:
        RehearsalError: it is not there.
    """
    try:
        with urllib.request.urlopen(url, timeout=15) as answer:  # noqa: S310 # our own, on loopback
            text: str = answer.read().decode()
            return text
    except OSError as error:
        raise RehearsalError(f"no page at {url}: {error}") from error


def until(holds: Callable[[], bool], what: str, every_seconds: float = 0.1) -> None:
    """Return once `holds()`.

    Raises:
        RehearsalError: it never does; the message says `what` was waited for.
    """
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > give_up:
            raise RehearsalError(f"waited in vain for this: {what}")
        time.sleep(every_seconds)
