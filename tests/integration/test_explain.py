"""`client.py explain` with a real scheduler, worker and target: what it says, and that nothing stays of it."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitor_core.contract import EXPLAIN_PREFIX, instance_id
from monitor_core.kinds import BUILT_IN
from support.command_line import Ran, run
from support.hub import Hub, hub

SECRET = "s3cret-of-the-worker"
DOCS = (Path(__file__).parents[2] / "docs" / "explain.md").read_text()
JOB = '{"status": "Running", "progress": 70, "errors": ["row 7: no date"]}'


class Echo(BaseHTTPRequestHandler):
    """Answers with JSON that repeats a secret, and tells each request to the test."""

    seen: list[str] = []  # noqa: RUF012 # one server, one list

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if self.path == "/import-42":
            self._answer(200, JOB)
        else:
            body = {"status": "Running", "echo": [f"Bearer {SECRET}"], SECRET: "x" * 1990 + SECRET}
            self._answer(503 if self.path == "/busy" else 200, json.dumps(body))

    def _answer(self, code: int, body: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Echo", SECRET)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def world(target: str) -> Iterator[Hub]:
    with hub() as running:
        worker = running.worker(allowed=(target,), kinds={name: BUILT_IN[name] for name in ("http", "simulated")})
        worker._resources.secrets.masker.add(SECRET)
        yield running


def explain(world: Hub, *arguments: str) -> Ran:
    """The command, after which nothing is left in the scheduler."""
    ran = run("explain", "job-1", *arguments, ENDPOINT=world.settings.endpoint)
    assert world.client.get_all_orchestration_states() == []
    return ran


def test_what_a_monitor_would_see_is_shown_and_no_monitor_is_started(world: Hub, target: str) -> None:
    ran = explain(world, "--url", f"http://{target}/{{job_id}}", "--success-when", "body.status == 'Done'")
    assert ran.code == 0, ran.err
    for line in (
        "observed      Running (200 OK",
        "code = 200",
        'headers["content-type"] = "application/json"',
        'body.status = "Running"',
        "success_when  false: body.status == 'Done'",
        "verdict       none yet",
        "reason        the wait would go on: no condition holds: observed Running",
        "next check",
    ):
        assert line in ran.out, ran.out
    assert Echo.seen[-1] == "/job-1"


def test_a_secret_that_the_target_repeats_is_masked(world: Hub, target: str) -> None:
    for output in ("table", "json"):
        ran = explain(
            world, "--url", f"http://{target}/", "--failure-when", f"text.matches('{SECRET}')", "-o", output
        )
        assert ran.code == 0, "the conditions see what the target said"
        without_our_own_words = ran.out.replace(f"text.matches('{SECRET}')", "")
        assert SECRET[:8] not in without_our_own_words
        assert "Bearer ***" in ran.out
    assert ran.json["verdict"] == "Failed"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--success-when", "body.missing == 1"], "Key not found"),
        (["--url", "http://127.0.0.1:1/"], "add 127.0.0.1:1 to MONITOR_ALLOWED_TARGETS of the worker"),
        (["--url", "http://169.254.169.254/"], "can never be a target"),
        (["--url", "http://{target}/busy"], "503"),
    ],
)
def test_a_check_that_ends_in_an_error_exits_5_and_says_which(
    world: Hub, target: str, arguments: list[str], says: str
) -> None:
    given = [one.replace("{target}", target) for one in arguments]
    ran = explain(world, *(["--url", f"http://{target}/"] if "--url" not in given else []), *given)
    assert (ran.code, says in ran.out) == (5, True), ran.out + ran.err


def test_a_kind_that_the_worker_does_not_know_is_an_error_that_names_those_it_knows(
    world: Hub, tmp_path: Path
) -> None:
    file = tmp_path / "port.yaml"
    file.write_text("check:\n  kind: tcp\n  host: 127.0.0.1\n  port: 1\n")
    ran = explain(world, "-f", str(file), "-o", "json")
    assert ran.code == 5
    assert (ran.json["verdict"], ran.json["error"]["error_class"]) == ("Error", "misconfigured")
    assert "this worker knows http, simulated, not 'tcp'" in ran.json["reason"]


def test_wrong_usage_exits_2_and_asks_nobody(world: Hub, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("check:\n  kind: simulated\n  checks: soon\n")
    ran = explain(world, "-f", str(file))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"Error: {file}, line 3, check.checks: should be a whole number")
    assert explain(world, "--simulate-checks", "1", "--success-when", "nope").code == 2
    assert explain(world, "--simulate-checks", "1", "--wait", "soon").code == 2


def test_a_running_monitor_of_the_same_job_is_left_alone(world: Hub) -> None:
    instance = world.start("job-1", timeout_seconds=600, polling={"interval_seconds": 60})
    ran = run("explain", "job-1", "--simulate-checks", "1", "-o", "json", ENDPOINT=world.settings.endpoint)
    assert (ran.code, ran.json["verdict"]) == (0, "Completed")
    assert [state.instance_id for state in world.client.get_all_orchestration_states()] == [instance]
    world.send(instance, {"id": "1", "name": "cancel"})
    assert world.result(instance)["final_status"] == "Cancelled"
    world.client.purge_orchestration(instance)


def shape(text: str) -> list[str]:
    """What does not change from run to run; headers are the server's own."""
    lines = [re.sub(r"\d[\d.:]*", "N", line.rstrip()) for line in text.splitlines()]
    return [line for line in lines if line and "headers" not in line]


def test_the_documentation_shows_what_is_printed(world: Hub, target: str, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    request, printed = re.search(r"```yaml\n(.*?)```", DOCS, re.S), re.search(r"```text\n(.*?)```", DOCS, re.S)
    assert request is not None
    assert printed is not None
    file.write_text(request.group(1).replace("https://api.example.com/jobs", f"http://{target}"))
    ran = run("explain", "-f", str(file), ENDPOINT=world.settings.endpoint)
    assert ran.code == 0, ran.out + ran.err
    assert shape(ran.out) == shape(printed.group(1))


def test_a_request_file_starts_a_monitor_of_its_kind(world: Hub, target: str, tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    file.write_text(
        json.dumps({"job_id": "site", "check": {"kind": "http", "url": f"http://{target}/{{job_id}}"}})
    )
    endpoint = {"ENDPOINT": world.settings.endpoint, "MONITOR_URL": "http://127.0.0.1:1/not-this"}
    ran = run("-f", str(file), "--success-when", "code == 200", "-o", "json", **endpoint)
    assert (ran.code, ran.json["final_status"]) == (0, "Completed"), ran.err
    assert Echo.seen[-1] == "/site"
    world.client.purge_orchestration(instance_id("site"))


def test_without_a_worker_it_says_so_and_a_worker_that_comes_later_checks_nothing(target: str) -> None:
    with hub() as running:
        url = f"http://{target}/too-late"
        ran = run("explain", "job-1", "--url", url, "--wait", "0.5", ENDPOINT=running.settings.endpoint)
        assert (ran.code, ran.out) == (6, "")
        assert "no worker has taken it within 0.5 s" in ran.err
        running.worker(allowed=(target,))
        running.start("marker", check={"kind": "simulated", "checks": 1})
        assert running.result(instance_id("marker"))["final_status"] == "Completed"
        left = running.client.get_all_orchestration_states()
        assert [state.runtime_status.name for state in left if state.instance_id.startswith(EXPLAIN_PREFIX)] in (
            [],
            ["TERMINATED"],
        )
        assert "/too-late" not in Echo.seen
