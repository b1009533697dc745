"""A container's health check: its exit code, and what it says."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import monitor_core
from monitor_core.probe import complaint


class Handler(BaseHTTPRequestHandler):
    """Answers with the code that the path names."""

    def do_GET(self) -> None:  # the library's name
        self.send_response(int(self.path.removeprefix("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the library's name
        """Nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(url: str, **environment: str) -> tuple[int, str]:
    package = Path(str(monitor_core.__file__)).parents[1]
    ran = subprocess.run(
        [sys.executable, "-m", "monitor_core.probe", url],
        env={"PYTHONPATH": str(package), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_only_200_is_healthy(url: str) -> None:
    assert run(f"{url}/200") == (0, "")
    assert run(f"{url}/503") == (1, f"{url}/503 answers 503\n")


def test_a_proxy_of_the_environment_is_not_asked(url: str) -> None:
    assert run(f"{url}/200", http_proxy="http://127.0.0.1:9")[0] == 0


def test_nobody_there_is_said() -> None:
    said = str(complaint("http://127.0.0.1:9/healthz"))
    assert said.startswith("http://127.0.0.1:9/healthz gives no answer: ")
    assert "refused" in said


def test_who_says_nothing_is_not_waited_for() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:  # takes connections, never answers
        assert "timed out" in str(complaint(f"http://127.0.0.1:{server.server_port}/200", patience_seconds=0.1))
