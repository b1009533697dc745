"""A secret planted on a worker that reaches its target, and nobody else: whatever the target does with it.

Real processes; the target repeats what it was sent in every part of its answers. What the scheduler keeps, what
the command line prints and what the worker logs at DEBUG are searched for it, in all forms it may be repeated in.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from durabletask.azuremanaged.client import DurableTaskSchedulerClient
from durabletask.client import TaskHubGrpcClient

from monitor_core.contract import ORCHESTRATOR, VERSION, MonitorInput, instance_id, parse_request
from monitor_core.kinds import BUILT_IN
from monitor_core.scheduler import sdk_logger
from monitor_core.settings import SchedulerSettings
from stack import Process, Stack, stack
from support.command_line import run

SECRET = "pl4nted/s3cret+value=="
REFERENCE = "env:MONITOR_SECRET_API"
PAIR = f"me:{SECRET}"
SENT = {
    "bearer": {"type": "bearer", "token": REFERENCE},
    "basic": {"type": "basic", "username": "me", "password": REFERENCE},
    "api_key": {"type": "api_key", "header": "X-Api-Key", "key": REFERENCE},
}
FORMS = (SECRET, quote(SECRET, safe=""), *(base64.b64encode(text.encode()).decode() for text in (SECRET, PAIR)))
PLACES = ("seen", "long", "broken", "moved")


class Echo(BaseHTTPRequestHandler):
    """Repeats the credentials it is sent, by the path's wish: as a status, an error, a redirect, or too long."""

    received: list[str] = []  # noqa: RUF012 # one server, one list

    def do_GET(self) -> None:
        said = self.headers.get("Authorization") or self.headers.get("X-Api-Key") or "nothing"
        self.received.append(said)
        sent = said.rpartition(" ")[2]
        words = {"status": f"Saw {said}", "long": "x" * 90 + sent, "body": [said, {sent: quote(sent, safe="")}]}
        if self.path.startswith("/moved"):
            self._answer(302, {}, Location=f"http://other.invalid/{quote(sent, safe='')}?key={quote(sent)}")
        elif self.path.startswith("/broken"):
            self._answer(503, words, Retry_After="0")
        else:
            words["status"] = words["long"] if self.path.startswith("/long") else words["status"]
            self._answer(200, words)

    def _answer(self, code: int, body: dict[str, Any], **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        for name, value in {
            "Content-Type": "application/json",
            "ETag": f'"{self.received[-1]}"',
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def echoing() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Stack, Process, str]]:
    with echoing() as url, stack() as parts:
        parts.start_scheduler()
        settings = {
            "MONITOR_SECRET_API": SECRET,
            "MONITOR_ALLOWED_SECRETS": f"{REFERENCE}={url}",
            "MONITOR_ALLOWED_TARGETS": url.removeprefix("http://"),
            "LOG_LEVEL": "DEBUG",
        }
        yield parts, parts.start_worker(settings), url


@pytest.fixture(scope="module")
def client(world: tuple[Stack, Process, str]) -> Iterator[TaskHubGrpcClient]:
    with DurableTaskSchedulerClient(
        host_address=SchedulerSettings(endpoint=world[0].scheduler_url).address,
        taskhub="default",
        token_credential=None,
        secure_channel=False,
        logger=sdk_logger(),
    ) as found:
        yield found


def request(job_id: str, url: str, way: str) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "check": {"kind": "http", "url": url, "auth": SENT[way]},
        "polling": {"interval_seconds": 0.2},
        "tolerance": {"consecutive_errors": 2},
        "timeout_seconds": 1,
    }


def start(client: TaskHubGrpcClient, asked: dict[str, Any]) -> str:
    given = MonitorInput(request=parse_request(asked, BUILT_IN), run="run-1").model_dump(mode="json")
    instance = instance_id(asked["job_id"])
    return client.schedule_new_orchestration(ORCHESTRATOR, input=given, instance_id=instance, version=VERSION)


def kept(client: TaskHubGrpcClient, instance: str) -> str:
    """All that the scheduler has of a monitor that has ended."""
    state = client.wait_for_orchestration_completion(instance, timeout=60)
    assert state is not None
    history = map(str, client.get_orchestration_history(instance))
    return "\n".join([*history, str(state.serialized_custom_status), str(state.serialized_output)])


def require_none_of_it(*texts: str) -> None:
    for text in texts:
        for form in FORMS:
            # Its beginning too: a text that was cut off holds no more of it.
            assert form[:10] not in text, text[max(text.find(form[:10]) - 60, 0) :][:160]


@pytest.mark.parametrize("form", FORMS)
def test_the_search_finds_it_in_every_form_and_cut_off(form: str) -> None:
    for text in (f"it is {form}.", f"it is {form[:12]}"):
        with pytest.raises(AssertionError):
            require_none_of_it("nothing", text)


@pytest.mark.parametrize("way", SENT)
def test_a_planted_secret_reaches_its_target_and_nobody_else(
    world: tuple[Stack, Process, str], client: TaskHubGrpcClient, way: str
) -> None:
    _, worker, url = world
    Echo.received.clear()
    started = [start(client, request(f"{way}-{place}", f"{url}/{place}", way)) for place in PLACES]
    found = dict(zip(PLACES, (kept(client, instance) for instance in started), strict=True))
    said = FORMS[-1] if way == "basic" else SECRET
    assert {received.rpartition(" ")[2] for received in Echo.received} == {said}, "it has reached its target"
    assert "Saw" in found["seen"]
    assert "***" in found["seen"], "what was repeated is kept, masked"
    require_none_of_it(worker.output(), *found.values())


def test_the_command_line_prints_none_of_it(world: tuple[Stack, Process, str], tmp_path: Path) -> None:
    parts, _, url = world
    file = tmp_path / "job.json"
    file.write_text(json.dumps(request("printed", f"{url}/seen", "bearer")))
    for command in (["explain"], []):
        ran = run(*command, "-f", str(file), "-o", "json", ENDPOINT=parts.scheduler_url)
        assert "***" in ran.out, ran.err
        require_none_of_it(ran.out, ran.err)


def test_a_secret_goes_to_no_other_place(world: tuple[Stack, Process, str], client: TaskHubGrpcClient) -> None:
    Echo.received.clear()
    with echoing() as elsewhere:
        found = kept(client, start(client, request("elsewhere", f"{elsewhere}/seen", "bearer")))
    assert Echo.received == []
    assert "MONITOR_ALLOWED" in found
    require_none_of_it(found, world[1].output())
