"""What a plan counts for one monitor, against the real orchestrator under virtual time: the same actions."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from local_scheduler.stats import ACTIONS
from monitor_client.plan.life import SLOWEST_GROWTH, life
from monitor_core.contract import MonitorRequest, Polling
from support.executor import ExecutorEngine
from support.virtual import Answer, Target, VirtualEngine, request

MINUTE, HOUR, DAY = 60, 3600, 86_400
LIVES: dict[str, tuple[dict[str, Any], float, float]] = {
    "turns of 15 s by themselves": ({"interval_seconds": 1}, 2 * HOUR, math.inf),
    "more checks than are walked": ({"interval_seconds": 1}, 9 * HOUR, math.inf),
    "often": ({"interval_seconds": 0.1}, HOUR, math.inf),
    "a turn for each check, waited for": ({"interval_seconds": 0.5, "turn_seconds": 0}, HOUR, math.inf),
    "a turn for each check, slept for": ({"interval_seconds": 1.5, "turn_seconds": 0}, HOUR, math.inf),
    "a day of sleeps": ({"interval_seconds": 10}, DAY, math.inf),
    "a day of long turns": ({"interval_seconds": 10, "turn_seconds": 60}, DAY, math.inf),
    "turns shorter than the interval": ({"interval_seconds": 20, "turn_seconds": 15}, 3 * HOUR, math.inf),
    "changes end turns": ({"interval_seconds": 1}, 2 * HOUR, 100),
    "a change at each check": ({"interval_seconds": 2}, 2 * HOUR, 2),
    "changes that fall between checks": ({"interval_seconds": 5, "turn_seconds": 30}, 6 * HOUR, 47),
    "an hour's interval": ({"interval_seconds": HOUR}, 10 * DAY, math.inf),
    "sleeps that renew the history": ({"interval_seconds": 2 * HOUR}, 20 * DAY, math.inf),
    "a growing interval": (
        {"interval_seconds": 1, "backoff": 2, "max_interval_seconds": 600},
        DAY,
        math.inf,
    ),
    "growing as slowly as may be": ({"interval_seconds": 0.1, "backoff": SLOWEST_GROWTH}, 300 * DAY, math.inf),
    "growing to long sleeps": ({"interval_seconds": 1, "backoff": 1.2}, 60 * DAY, math.inf),
    "a short one": ({"interval_seconds": 1}, 3, math.inf),
    "one check": ({"interval_seconds": 5}, 0, math.inf),
}
CLOSE = 0.02
"""A deadline costs a timer or a turn that a life does not know of."""


def asked(polling: Mapping[str, Any], seconds: float) -> MonitorRequest:
    return request(polling=dict(polling), timeout_seconds=float(seconds))


def changing(every: float) -> Target:
    # A change that falls on a check is seen by it: the clocks' microseconds do not decide.
    return lambda _, seconds: Answer(status=f"step {int((seconds + 1e-3) / every)}")


@pytest.mark.parametrize("name", LIVES)
def test_a_life_takes_the_actions_of_the_orchestrator(name: str) -> None:
    polling, seconds, every = LIVES[name]
    engine = VirtualEngine(asked(polling, seconds), changing(every))
    checks = engine.run()["checks_performed"]
    counted = engine.generations + 2 * len(engine.turns) + engine.timers_created
    reckoned = life(Polling(**polling), seconds, every)
    assert reckoned.checks == pytest.approx(checks, rel=CLOSE)
    assert reckoned.actions == pytest.approx(counted, rel=CLOSE, abs=1)


@pytest.mark.parametrize("name", ["turns of 15 s by themselves", "an hour's interval", "a growing interval"])
def test_a_life_takes_the_messages_that_the_engine_would_send(name: str) -> None:
    """As the local scheduler counts them, of the SDK's own executor."""
    polling, seconds, every = LIVES[name]
    engine = ExecutorEngine(asked(polling, seconds), changing(every))
    engine.run()
    messages = [event for dispatch in engine.dispatches for event in dispatch.new]
    counted = sum((event.WhichOneof("eventType") or "") in ACTIONS for event in messages) + len(engine.turns)
    assert life(Polling(**polling), seconds, every).actions == pytest.approx(counted, rel=CLOSE, abs=1)


@pytest.mark.parametrize(("interval", "turn_seconds", "share"), [(1, 15, 1), (5, 60, 1), (1, 0, 1), (5, 0, 0)])
def test_a_turn_holds_a_slot_for_as_long_as_it_waits(interval: float, turn_seconds: float, share: float) -> None:
    polling = Polling(interval_seconds=interval, turn_seconds=turn_seconds)
    assert life(polling, HOUR).waited == pytest.approx(share * HOUR, rel=CLOSE)


def test_a_long_life_goes_on_as_its_second_half_did() -> None:
    polling = Polling(interval_seconds=0.1, turn_seconds=60)
    year = life(polling, 365 * DAY)
    assert year.checks == pytest.approx(365 * DAY * 10, rel=0.001)
    assert year.turns == pytest.approx(365 * DAY * 10 / 601, rel=0.001)
    assert year.actions == pytest.approx(year.turns * (2 + 1 / 20), rel=0.01)
