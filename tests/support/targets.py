"""A target for monitors that repeats the secret it is sent, and fails or dawdles where it should."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Target:
    """Says `Running` to the first checks of a path, then `Succeeded`, and keeps the headers it was sent.

    It takes every notice.

    Args:
        checks: how many it takes at `/long`.
    """

    def __init__(self, checks: int = 2) -> None:
        self._checks = checks
        self.released = threading.Event()
        """Until then `/slow` does not answer."""
        self.asked: dict[str, list[Mapping[str, str]]] = {}
        self._lock = threading.Lock()
        self.url = ""

    def answer(self, path: str, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        with self._lock:
            self.asked.setdefault(path, []).append(headers)
            number = len(self.asked[path])
        if path == "/slow":
            self.released.wait(60)
        if path == "/broken":
            return 503, {"why": headers["Authorization"]}
        done = number >= self._checks if path == "/long" else number > 1
        said = headers.get("Authorization")
        running = f"Saw {said}" if path == "/telling" else "Running"
        return 200, {"status": "Succeeded" if done else running, "echo": said}


@contextmanager
def serving(target: Target) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the standard library's name
            self._answer(*target.answer(self.path, {**self.headers}))

        def do_POST(self) -> None:  # likewise
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(200, {})

        def _answer(self, code: int, answer: dict[str, Any]) -> None:
            content = json.dumps(answer).encode()
            with suppress(OSError):  # who asked may be gone
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    target.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        target.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
