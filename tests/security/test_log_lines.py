"""A whole run of a stranger's words, by real processes: each line of what worker and service log is theirs."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stack import stack
from support.command_line import run

FORGED = 'x\r\n2026-01-01T00:00:00Z ERROR   monitor: forged\n\u2028{"level": "ERROR"}\x1b[2J'
TEXT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (DEBUG  |INFO   |WARNING|ERROR  ) [\w.]+: .*|    .*|\w.* on http://.*"
)


class Forging(BaseHTTPRequestHandler):
    """Answers with lines of a log as its status, by which the monitor is told to have failed."""

    def do_GET(self) -> None:
        body = json.dumps({"status": FORGED}).encode()
        self.send_response(200, "OK forged")
        for name, value in {"Content-Type": "application/json", "ETag": '"forged"'}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: object) -> None:
        """Nobody reads it."""


@contextmanager
def forging() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Forging) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def is_whole(line: str, form: str) -> bool:
    """Whether a line is one of ours, as it was meant."""
    if not line.isprintable():
        return False
    if form == "text":
        return TEXT.fullmatch(line) is not None
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError:
        return line.startswith(("Client-scheduler for http", "Worker"))
    return {"time", "level", "logger", "message"} <= said.keys()


@pytest.mark.parametrize("form", ["text", "json"])
def test_each_line_of_the_log_is_ours(form: str) -> None:
    with forging() as url, stack() as parts:
        parts.start_scheduler()
        log = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": form}
        worker = parts.start_worker({"MONITOR_ALLOWED_TARGETS": url.removeprefix("http://"), **log})
        service = parts.start_service(**log)
        server = service.url(", on")
        name = "job \u00e9 {forged} %s"
        often = ("0.1", "20", "--failure-when", "status.startsWith('x')", "--label", f"a={FORGED}")
        ended = run("start", name, *often, "--url", f"{url}/%0A{{job_id}}", "--server", server)
        assert ended.code == 0, ended.err
        assert run("wait", name, "--server", server).code == 1
        assert run("cancel", name, "--reason", FORGED, "--server", server).code == 2
        logged = worker.output() + service.output()
    lines = logged.split("\n")
    assert [line for line in lines if line and not is_whole(line, form)] == []
    assert any("ERROR   monitor: forged" in line for line in lines), "it was said"
    assert not any(line.startswith("2026-01-01T00:00:00Z ERROR   monitor: forged") for line in lines)
