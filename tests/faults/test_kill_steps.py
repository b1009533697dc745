"""`kill -9` of the worker at every step of the loop, one after the other, under load."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from stack import Process, Stack, stack
from support.fleet import VERDICTS, Fleet, Member, fleet
from support.mortal import STEPS
from support.receiver import Receiver, receiving

pytestmark = pytest.mark.long

EACH = 5
"""So many monitors are started before each step: some always begin, sleep, renew themselves and end."""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OFTEN, SELDOM = 12, 2
"""Which passage of a step is the last: in the middle of the load, where the step is made so often."""
RARE = ("telling", "delivery", "verdict")
PATIENCE = 60


def members(receiver: Receiver, first: int) -> Iterator[Member]:
    """Verdicts of all sorts, all the time; waits by a timer, waits in a turn, and turns of several checks."""
    for number in range(first, first + EACH):
        yield Member(
            f"job-{number}",
            VERDICTS[number % 3],
            seconds=4 + number % EACH,
            interval_seconds=(0.8, 1.6, 1.0)[number % 3],
            turn_seconds=3 if number % 5 == 0 else 0,
            told=receiver.url(f"/job-{number}"),
        )


def begun(parts: Stack, step: str) -> Process:
    """A worker that will die at a step: sooner, perhaps, than anybody has seen that it is ready."""
    settings = {"MONITOR_HEALTH_PORT": "0", "MONITOR_ALLOWED_TARGETS": "127.0.0.1:*"}
    passage = SELDOM if step.startswith(RARE) else OFTEN
    return parts.start("mortal", ["-m", "support.mortal", step, str(passage)], settings)


def kill_at_every_step(parts: Stack, monitors: Fleet, receiver: Receiver) -> None:
    with ExitStack() as window:
        for number, step in enumerate(STEPS):
            monitors.start(*members(receiver, number * EACH))
            worker = begun(parts, step)
            worker.said("Health on")
            window.close()
            code = worker.popen.wait(PATIENCE)
            monitors.faults.death()
            window.enter_context(monitors.faults.window())
            assert code == -signal.SIGKILL
            assert f"Killed at: {step}" in worker.output().splitlines()
        parts.start_worker({"MONITOR_ALLOWED_TARGETS": "127.0.0.1:*"})


def test_a_kill_at_any_step_costs_a_repeated_turn_at_most_and_no_verdict() -> None:
    with receiving(SECRET) as receiver, stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        with fleet(parts) as monitors:
            kill_at_every_step(parts, monitors, receiver)
            monitors.require_all_well()
            paths = [f"/job-{number}" for number in range(EACH * len(STEPS))]
            told = {path: len({one.id for one in receiver.wait(path)}) for path in paths}
            assert told == dict.fromkeys(paths, 1), "one notice each, however often it was delivered"
