"""Commands to many monitors at once, while they continue as new all the time: each is applied exactly once."""

import random
import time
from datetime import datetime
from functools import partial

from monitor_worker.orchestrator import loop_1_0
from monitor_worker.policy import Generation
from support.hub import hub

MONITORS, COMMANDS = 50, 200
EVERY_THREE_TURNS = {"1.0": partial(loop_1_0, fresh=Generation(most_turns=3))}


def test_two_hundred_commands_over_fifty_monitors_are_each_applied_exactly_once() -> None:
    rng = random.Random(20261124)
    with hub() as engine:
        engine.worker(EVERY_THREE_TURNS)
        polling = {"interval_seconds": 0.3, "turn_seconds": 0}
        check = {"kind": "simulated", "checks": 100_000}
        instances = [
            engine.start(f"job-{n}", check=check, polling=polling, timeout_seconds=3600) for n in range(MONITORS)
        ]
        extended = dict.fromkeys(instances, 0)
        sendings = []
        for number in range(COMMANDS):
            instance = rng.choice(instances)
            extended[instance] += number + 1
            command = {"name": "extend", "id": f"c{number}", "seconds": number + 1}
            # A client that retries sends the same command twice, at any later time.
            sendings += [(instance, command)] * rng.choice([1, 1, 2])
        rng.shuffle(sendings)
        for instance, command in sendings:
            engine.send(instance, command)
            time.sleep(rng.random() * 0.02)
        for number, instance in enumerate(instances):
            engine.send(instance, {"name": "cancel", "id": f"end-{number}"})
        results = {instance: engine.result(instance) for instance in instances}
        replayed = {instance: engine.scheduler.max_events_per_dispatch(instance) for instance in instances}
    for instance, result in results.items():
        before = 3600 + extended[instance]
        assert result["final_status"] == "Cancelled"
        assert _seconds(result["started_at"], result["deadline"]) == before, instance
    assert sum(result["revision"] for result in results.values()) == COMMANDS
    assert sum(result["checks_performed"] for result in results.values()) > MONITORS * 3, "they went on checking"
    assert max(replayed.values()) < 100


def _seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
