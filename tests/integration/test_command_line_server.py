"""The command line through a client-scheduler's HTTP API: the same answers, errors and exit codes as without."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import Process, Stack, stack
from support.command_line import Ran, begin, ended
from support.command_line import run as run_client


@pytest.fixture(scope="module")
def parts() -> Iterator[Stack]:
    with stack() as found:
        found.start_scheduler()
        found.start_worker()
        yield found


def serve(parts: Stack, port: str = "0") -> Process:
    settings = {"MONITOR_API_PORT": port}
    return parts.start("serve", ["services/client-scheduler/serve.py"], settings)


@pytest.fixture(scope="module")
def server(parts: Stack) -> str:
    return serve(parts).url(", on ")


def run(server: str, *arguments: str) -> Ran:
    # No scheduler's address: everything goes through the server.
    return run_client(*arguments, MONITOR_SERVER=server, ENDPOINT="http://127.0.0.1:9")


def test_the_plain_form_shows_progress_and_ends_by_the_verdict(server: str) -> None:
    ran = run(server, "plain", "0.5", "20", "--simulate-checks", "3", "--simulate-outcome", "Failed")
    assert ran.code == 1, ran.err
    assert "plain Running" in ran.out
    assert "final_status  Failed" in ran.out


def test_a_running_monitor_is_seen_told_and_joined(server: str) -> None:
    asked = ("a/b", "60", "600", "--simulate-checks", "99")
    assert run(server, "start", *asked).code == 0
    assert run(server, "start", *asked, "-o", "json").json["how"] == "attached"
    conflict = run(server, "start", "a/b", "30", "600", "--simulate-checks", "99")
    assert (conflict.code, "polling.interval_seconds" in conflict.err) == (2, True)
    assert run(server, "show", "a/b", "-o", "json").json["state"] == "Running"
    assert run(server, "edit", "a/b", "--success-when", "nope").code == 2
    told = run(server, "cancel", "a/b", "--reason", "enough")
    assert (told.code, "accepted" in told.out) == (0, True), told.err
    assert run(server, "wait", "a/b").code == 4
    ended = run(server, "pause", "a/b")
    assert (ended.code, "has ended as Cancelled" in ended.err) == (2, True)


def test_many_are_started_listed_and_deleted(server: str, tmp_path: Path) -> None:
    file = tmp_path / "jobs.json"
    check = {"kind": "simulated", "checks": 1}
    jobs = [{"job_id": f"s-{number}", "check": check, "labels": {"n": str(number)}} for number in range(3)]
    file.write_text(json.dumps(jobs))
    started = run(server, "start", "-f", str(file), "-o", "ids")
    assert (started.code, started.out.split()) == (0, ["s-0", "s-1", "s-2"]), started.err
    assert run(server, "wait", *started.out.split()).code == 0
    listed = run(server, "list", "--prefix", "s-", "--label", "n=1", "--state", "ended", "-o", "ids")
    assert listed.out == "s-1\n", listed.err
    page = run(server, "list", "--prefix", "s-", "--limit", "2", "--all", "-o", "ids")
    assert sorted(page.out.split()) == ["s-0", "s-1", "s-2"]
    assert run(server, "purge", "--yes", "s-0", "s-1", "s-2").code == 0
    assert run(server, "show", "s-0").code == 2


@pytest.mark.parametrize("job_id", ["...", "é/ %2F?#", "a" * 128])
def test_any_job_id_finds_its_monitor(server: str, job_id: str) -> None:
    assert run(server, "start", "--simulate-checks", "1", "--", job_id).code == 0
    assert run(server, "wait", "--", job_id).code == 0


def test_a_server_that_is_not_there_exits_6() -> None:
    ran = run("http://127.0.0.1:9", "show", "job-1")
    assert (ran.code, ran.out) == (6, "")
    assert "http://127.0.0.1:9" in ran.err
    assert ran.err.count("\n") == 1


def test_what_is_no_client_scheduler_is_said_to_be_none(parts: Stack) -> None:
    parts.start_simulator()
    ran = run(parts.simulator_url, "show", "job-1")
    assert (ran.code, "a client-scheduler's URL?" in ran.err) == (6, True)
    assert ran.err.count("\n") == 1


def test_no_token_is_sent_in_clear(server: str) -> None:
    ran = run_client("show", "x", MONITOR_SERVER=server, MONITOR_SERVER_AUDIENCE="api://x")
    assert (ran.code, "goes with an https server" in ran.err) == (2, True)


def test_a_server_that_restarts_is_watched_on(parts: Stack) -> None:
    first = serve(parts)
    url = first.url(", on ")
    client = begin(
        "watched", "2", "60", "--simulate-checks", "5", MONITOR_SERVER=url, ENDPOINT="http://127.0.0.1:9"
    )
    line = ""
    while "Running" not in line:
        assert client.stdout is not None
        line = client.stdout.readline()
        assert line, "it ended too early"
    first.popen.send_signal(signal.SIGKILL)
    first.popen.wait(60)
    serve(parts, url.rpartition(":")[2]).url(", on ")
    ran = ended(client)
    assert ran.code == 0, ran.err
    assert "Completed" in ran.out
