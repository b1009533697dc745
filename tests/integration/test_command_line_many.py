"""The commands over many monitors, as users run them: start from a file, list, wait, purge."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from durabletask.client import OrchestrationQuery

from support.command_line import CLIENT, PATIENCE, Ran, begin, ended, environment
from support.command_line import run as run_client
from support.hub import Hub, hub


@pytest.fixture(scope="module")
def world() -> Iterator[Hub]:
    with hub() as running:
        running.worker()
        yield running


def run(world: Hub, *arguments: str) -> Ran:
    return run_client(*arguments, ENDPOINT=world.settings.endpoint)


def file_of(folder: Path, *requests: str) -> str:
    file = folder / "jobs.yaml"
    file.write_text("\n---\n".join(requests))
    return str(file)


def job(job_id: str, outcome: str = "Succeeded", checks: int = 1, **fields: object) -> str:
    check = {"kind": "simulated", "checks": checks, "outcome": outcome}
    return yaml.safe_dump({"job_id": job_id, "check": check, "polling": {"interval_seconds": 0.2}, **fields})


def test_a_file_of_many_is_started_listed_waited_for_and_deleted(world: Hub, tmp_path: Path) -> None:
    asked = [job(f"many-{number}", labels={"team": "red"}) for number in range(5)]
    started = run(world, "start", "-f", file_of(tmp_path, *asked), "-o", "ids")
    assert (started.code, started.out.split()) == (0, [f"many-{number}" for number in range(5)]), started.err
    waited = run(world, "wait", *started.out.split(), "-o", "json")
    assert (waited.code, {one["final_status"] for one in waited.json}) == (0, {"Completed"})
    listed = run(world, "list", "--prefix", "many-", "--label", "team=red", "--verdict", "Completed")
    assert listed.out.splitlines()[0].split()[:3] == ["JOB", "ID", "STATE"]
    assert sorted(line.split()[0] for line in listed.out.splitlines()[1:]) == started.out.split()
    purged = run(world, "purge", "--yes", *started.out.split(), "-o", "ids")
    assert (purged.code, purged.out) == (0, started.out)
    assert run(world, "list", "--prefix", "many-", "-o", "json").json == []


def test_a_list_as_one_document_is_many_requests_too(world: Hub, tmp_path: Path) -> None:
    file = tmp_path / "jobs.json"
    file.write_text(json.dumps([yaml.safe_load(job(f"listed-{number}")) for number in range(2)]))
    ran = run(world, "start", "-f", str(file))
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "2 of 2 monitors started")


def test_nothing_is_started_where_one_request_is_wrong(world: Hub, tmp_path: Path) -> None:
    file = file_of(tmp_path, job("good"), job("bad").replace("simulated", "simulatd"), job("good"))
    ran = run(world, "start", "-f", file)
    assert (ran.code, ran.out) == (2, "")
    assert f"{file}, line 12, check.kind" in ran.err
    assert run(world, "show", "good").code == 2


def test_two_requests_of_one_job_are_refused(world: Hub, tmp_path: Path) -> None:
    ran = run(world, "start", "-f", file_of(tmp_path, job("twice"), job("twice", checks=3)))
    assert ran.code == 2
    assert "'twice' is in" in ran.err


def test_one_that_cannot_be_started_hinders_no_other(world: Hub, tmp_path: Path) -> None:
    assert run(world, "start", "-f", file_of(tmp_path, job("taken", checks=1000))).code == 0
    ran = run(world, "start", "-f", file_of(tmp_path, job("taken"), job("free")))
    assert (ran.code, ran.out.splitlines()) == (2, ["free started", "1 of 2 monitors started"])
    assert "jobs.yaml, line 1: 'taken' is being monitored already" in ran.err


def test_those_that_have_ended_are_told_in_one_line(world: Hub, tmp_path: Path) -> None:
    names = [f"over-{number}" for number in range(7)]
    file = file_of(tmp_path, *map(job, names), job("over-on", checks=1000, timeout_seconds=600))
    assert run(world, "start", "-f", file).code == 0
    assert run(world, "wait", *names).code == 0
    again = run(world, "start", "-f", file, "-o", "ids")
    assert (again.code, again.out) == (2, "over-on\n")
    (line,) = again.err.splitlines()
    assert line.startswith("Error: 7 of 8 monitors have ended already (over-")
    assert line.endswith(", ...): --restart starts anew")
    anew = run(world, "start", "-f", file, "--restart", "-o", "ids")
    assert (anew.code, anew.out.split(), anew.err) == (0, [*names, "over-on"], "")


def test_waiting_ends_by_the_worst_verdict_or_by_the_first(world: Hub, tmp_path: Path) -> None:
    jobs = [job("well"), job("ill", "Failed", 3), job("slow", checks=1000, timeout_seconds=600)]
    assert run(world, "start", "-f", file_of(tmp_path, *jobs)).code == 0
    both = run(world, "wait", "--all", "well", "ill")
    assert both.code == 1
    assert {line.split()[0] for line in both.out.splitlines()} == {"well", "ill"}
    first = run(world, "wait", "--any", "slow", "well")
    assert (first.code, first.out.split()[0]) == (0, "well")
    late = run(world, "wait", "slow", "well", "--timeout", "2")
    assert (late.code, "waited 2 s: 1 of 2 monitors ended; the others go on" in late.err) == (124, True)


def test_ids_come_from_stdin_too(world: Hub, tmp_path: Path) -> None:
    assert run(world, "start", "-f", file_of(tmp_path, job("in-1"), job("in-2"))).code == 0
    ran = subprocess.run(
        [sys.executable, str(CLIENT), "wait", "-", "-o", "ids"],
        env=environment(ENDPOINT=world.settings.endpoint),
        input="in-1\nin-2\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (ran.returncode, set(ran.stdout.split())) == (0, {"in-1", "in-2"}), ran.stderr
    none = run(world, "wait", "-")
    assert (none.code, "there is none" in none.err) == (2, True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_wait_that_is_ended_from_outside_has_no_verdict_s_code(
    world: Hub, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    asked = [job(f"ended-{code}"), job(f"long-{code}", checks=1000, timeout_seconds=600)]
    assert run(world, "start", "-f", file_of(tmp_path, *asked)).code == 0
    client = begin("wait", f"ended-{code}", f"long-{code}", ENDPOINT=world.settings.endpoint)
    assert client.stdout is not None
    assert client.stdout.readline().startswith(f"ended-{code} Completed")
    client.send_signal(number)
    ran = ended(client)
    assert (ran.code, ran.err) == (code, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list", "--limit", "0"], "--limit: should be a whole number, 1 to 500"),
        (["list", "--verdict", "Nope"], "--verdict: should be 'Completed'"),
        (["list", "--label", "x"], "--label: should be NAME=VALUE"),
        (["wait", "--all", "--any", "x"], "--all and --any exclude each other"),
        (["purge", "x"], "Say --yes: there is nobody to ask"),
        (["wait", "nobody"], "no monitor of 'nobody'"),
        (["lst"], "'lst' is no command: is list meant?"),
        (["strat", "job-1"], "'strat' is no command: is start meant?"),
        (["job-1", "soon"], "POLLING_INTERVAL: should be a number (got 'soon')"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(world: Hub, arguments: list[str], says: str) -> None:
    ran = run(world, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_show_has_one_shape_running_or_ended(world: Hub, tmp_path: Path) -> None:
    assert run(world, "start", "-f", file_of(tmp_path, job("shape-1"), job("shape-2", checks=1000))).code == 0
    assert run(world, "wait", "shape-1").code == 0
    shapes = [run(world, "show", job_id, "-o", "yaml") for job_id in ("shape-1", "shape-2")]
    first, second = (yaml.safe_load(shape.out) for shape in shapes)
    assert first.keys() == second.keys()
    assert (first["state"], second["state"]) == ("Completed", "Running")


def test_an_interrupted_start_says_what_it_has_started(world: Hub, tmp_path: Path) -> None:
    file = file_of(tmp_path, *(job(f"cut-{number}", checks=1000) for number in range(3000)))
    client = begin("start", "-f", file, "-o", "ids", ENDPOINT=world.settings.endpoint)
    query = OrchestrationQuery(instance_id_prefix="monitor-cut-")
    while not world.client.get_all_orchestration_states(query):
        assert client.poll() is None
    client.send_signal(signal.SIGINT)
    ran = ended(client)
    assert (ran.code, "the same again starts the rest" in ran.err) == (130, True), ran.err
    started = {state.instance_id for state in world.client.get_all_orchestration_states(query)}
    told = {f"monitor-{job_id}" for job_id in ran.out.split()}
    assert told <= started
    assert len(started) < 3000
    for instance in started:
        world.client.terminate_orchestration(instance)
