"""What a monitor survives: its worker killed in mid-check, its worker told to stop."""

import time
from collections.abc import Callable
from datetime import datetime

from integration.conftest import World, ended


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_killed_in_mid_check_costs_a_repeated_check_and_no_verdict(bare: World) -> None:
    worker = bare.parts.start_worker()
    url = bare.job_url(duration_seconds=6, delay_seconds=1.5)
    client = bare.begin("killed", 2, 30, "-o", "json", MONITOR_URL=url)
    eventually(lambda: len(bare.ledger("killed")) == 2)
    worker.kill()
    assert bare.ledger("killed")[-1]["response_code"] is None, "the check was under way"
    bare.parts.start_worker()
    ran = ended(client)
    assert ran.code == 0, ran.err
    requests = [entry["client_request_id"] for entry in bare.ledger("killed")]
    repeated = len(requests) - len(set(requests))
    assert repeated == 1, "the check that was under way is made again, and no other"
    assert ran.json["checks_performed"] == len(set(requests))


def test_a_killed_worker_s_monitor_times_out_by_its_deadline(bare: World) -> None:
    worker = bare.parts.start_worker()
    client = bare.begin(
        "killed-late", 1, 6, "--check-timeout", 2, "-o", "json", MONITOR_URL=bare.job_url(duration_seconds=60)
    )
    eventually(lambda: len(bare.ledger("killed-late")) >= 3)
    worker.kill()
    bare.parts.start_worker()
    ran = ended(client)
    assert (ran.code, ran.json["final_status"]) == (3, "Timeout")
    deadline, end = (datetime.fromisoformat(ran.json[name]) for name in ("deadline", "ended_at"))
    assert (end - deadline).total_seconds() < 2 + 5, "deadline + check timeout + redelivery"


def test_a_worker_told_to_stop_finishes_its_check_and_another_goes_on(bare: World) -> None:
    first = bare.parts.start_worker()
    client = bare.begin("drained", 1, 40, "-o", "json", MONITOR_URL=bare.job_url(duration_seconds=6))
    eventually(lambda: len(bare.ledger("drained")) >= 2)
    bare.parts.start_worker()
    assert first.stop() == 0
    ran = ended(client)
    assert ran.code == 0
    assert all(entry["response_code"] == 200 for entry in bare.ledger("drained")), "no check was broken off"


def test_the_simulated_job_outlives_its_worker(bare: World) -> None:
    worker = bare.parts.start_worker()
    client = bare.begin("outlives", 0.5, 30, "--simulate-checks", 6, "-o", "json")
    time.sleep(1.2)
    worker.kill()
    bare.parts.start_worker()
    ran = ended(client)
    assert (ran.code, ran.json["checks_performed"]) == (0, 6)
