"""`client.py` against real processes: every verdict, every exit code, identity, control."""

import signal
import time
from datetime import datetime

import pytest

from integration.conftest import World, ended

KEYS = {"job_id", "final_status", "checks_performed", "monitoring_duration_seconds"}


@pytest.mark.parametrize(
    ("job", "code", "verdict"),
    [
        ({"duration_seconds": 2}, 0, "Completed"),
        ({"duration_seconds": 2, "outcome": "Failed"}, 1, "Failed"),
        ({"duration_seconds": 60}, 3, "Timeout"),
        ({"status_code": 403}, 5, "Error"),
        ({"duration_seconds": 2, "fail_every": 2}, 0, "Completed"),
    ],
)
def test_a_verdict_is_an_exit_code(world: World, job: dict[str, object], code: int, verdict: str) -> None:
    job_id = f"verdict-{verdict}-{len(job)}"
    ran = world.run(job_id, 1, 4 if code == 3 else 10, "-o", "json", MONITOR_URL=world.job_url(**job))
    assert ran.code == code, ran.err
    assert ran.json["final_status"] == verdict
    assert set(ran.json) >= KEYS
    assert ran.json["job_id"] == job_id
    recorded = ran.json["checks_performed"]
    assert len(world.ledger(job_id)) == recorded, "every check that was made is counted"


def test_the_plain_form_works_with_nothing_at_all(world: World) -> None:
    ran = world.run("--simulate-checks", 2)
    assert ran.code == 0
    assert "simulated" in ran.out + ran.err
    assert "Completed" in ran.out


def test_a_watcher_of_a_cancelled_monitor_ends_4(world: World) -> None:
    watcher = world.begin("to-cancel", 1, 60, MONITOR_URL=world.job_url(duration_seconds=60))
    line = watcher.stdout.readline() if watcher.stdout else ""
    while "Running" not in line:
        assert watcher.stdout is not None
        line = watcher.stdout.readline()
    cancel = world.run("cancel", "to-cancel", "--reason", "enough")
    assert (cancel.code, ended(watcher).code) == (0, 4), cancel.err
    shown = world.run("show", "to-cancel", "-o", "json").json
    assert "enough" in str(shown)
    assert world.run("cancel", "to-cancel").code == 2, "it has ended already"


def test_check_now_checks_at_once(world: World) -> None:
    url = world.job_url(duration_seconds=3)
    assert world.run("start", "hurry", 50, 60, MONITOR_URL=url).code == 0
    time.sleep(3.5)
    assert world.run("check-now", "hurry").code == 0
    watched = world.run("watch", "hurry", "-o", "json")
    assert (watched.code, watched.json["checks_performed"]) == (0, 2)


def test_the_same_job_started_twice_is_one_monitor(world: World) -> None:
    url = world.job_url(duration_seconds=4)
    clients = [world.begin("twice", 1, 20, "-o", "json", MONITOR_URL=url) for _ in range(3)]
    results = [ended(client) for client in clients]
    assert [ran.code for ran in results] == [0, 0, 0], results[0].err
    assert len({ran.json["run"] for ran in results}) == 1
    assert len(world.ledger("twice")) == results[0].json["checks_performed"]


def test_another_request_for_a_running_job_is_a_conflict_that_names_the_fields(world: World) -> None:
    url = world.job_url(duration_seconds=30)
    assert world.run("start", "conflict", 5, 30, MONITOR_URL=url).code == 0
    ran = world.run("start", "conflict", 6, 30, MONITOR_URL=url)
    assert ran.code == 2
    assert "polling.interval_seconds" in ran.err
    world.run("cancel", "conflict")


def test_an_ended_job_is_started_anew_on_request_and_a_pinned_watcher_says_so(world: World) -> None:
    assert world.run("again", 1, 20, "--simulate-checks", 1).code == 0
    refused = world.run("start", "again", 1, 20)
    assert (refused.code, "--restart" in refused.err) == (2, True), refused.err
    assert world.run("start", "again", 5, 60, "--simulate-checks", 99, "--restart").code == 0
    watcher = world.begin("watch", "again")
    assert watcher.stdout is not None
    watcher.stdout.readline()
    assert world.run("cancel", "again").code == 0
    assert ended(watcher).code == 4


def test_ctrl_c_detaches_and_the_monitor_goes_on(world: World) -> None:
    client = world.begin("detached", 1, 60, MONITOR_URL=world.job_url(duration_seconds=5))
    assert client.stdout is not None
    while "Running" not in client.stdout.readline():
        pass
    client.send_signal(signal.SIGINT)
    ran = ended(client)
    assert ran.code == 130
    assert "watch detached" in ran.out + ran.err
    assert world.run("watch", "detached").code == 0


def test_a_wait_ends_by_its_deadline_and_its_last_check_is_at_it(world: World) -> None:
    result = world.run("deadline", 1.5, 4, "-o", "json", MONITOR_URL=world.job_url(duration_seconds=60)).json
    deadline = datetime.fromisoformat(result["deadline"])
    last = datetime.fromisoformat(world.ledger("deadline")[-1]["time"])
    assert abs((last - deadline).total_seconds()) < 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["job-1", "0", "10"], "POLLING_INTERVAL"),
        (["job-1", "often", "10"], "POLLING_INTERVAL"),
        (["job-1", "1", "10", "--url", "ftp://x"], "--url"),
        (["job-1", "1", "10", "--url", "http://x", "--success-when", "cod == 200"], "column 1"),
        (["show", "nobody"], "nobody"),
    ],
)
def test_bad_input_is_one_clear_line(world: World, arguments: list[str], says: str) -> None:
    ran = world.run(*arguments)
    assert ran.code == 2
    assert says.lower() in ran.err.lower(), ran.err
    assert "Traceback" not in ran.err


def test_a_running_monitor_is_paused_resumed_extended_edited_and_completed(world: World) -> None:
    url = world.job_url(duration_seconds=60)
    assert world.run("start", "steered", 1, 20, MONITOR_URL=url).code == 0
    assert world.run("pause", "steered", "--deadline", "stops").code == 0
    assert "Paused" in world.run("show", "steered").out
    assert world.run("pause", "steered").code == 2, "it is paused already"
    assert world.run("resume", "steered").code == 0
    assert world.run("extend", "steered", 30).code == 0
    wrong = world.run("edit", "steered", "--success-when", "cod == 1")
    assert (wrong.code, "success_when: column 1" in wrong.err) == (2, True), wrong.err
    edited = world.run("edit", "steered", "--interval", 2, "--success-when", "code == 201", "--if-revision", 2)
    assert edited.code == 0, edited.out + edited.err
    refused = world.run("edit", "steered", "--interval", 3, "--if-revision", 2)
    assert (refused.code, "revision 3" in refused.out + refused.err) == (2, True), refused.out + refused.err
    assert world.run("complete", "steered", "--outcome", "Failed", "--reason", "the pipeline says so").code == 0
    ended_as = world.run("show", "steered", "-o", "json").json
    assert (ended_as["state"], ended_as["result"]["decided_by"]) == ("Failed", "push")
    assert "the pipeline says so" in ended_as["result"]["reason"]
    assert [revision["command"] for revision in ended_as["result"]["revisions"]] == ["resume", "extend", "edit"]
