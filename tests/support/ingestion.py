"""The ingestion of Application Insights over HTTPS, and the identity endpoint of App Service, on 127.0.0.1."""

import gzip
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.otlp import PATIENCE, Mood
from support.tls import files, server_context

IDENTITY_HEADER = "header-of-the-identity-endpoint"
TOKEN = "t0ken-of-the-worker"
CLIENT_ID = "11111111-2222-3333-4444-555555555555"


class Ingestion:
    """What came, and who asked for tokens for what."""

    def __init__(self) -> None:
        self.url = self.identity_url = ""
        self.mood: Mood = "takes"
        self.released = threading.Event()
        self.asked: list[tuple[str, str | None]] = []
        """Paths, and the header Authorization."""
        self.bodies: list[bytes] = []
        self.tokens: list[Mapping[str, list[str]]] = []
        """The queries by which tokens were asked for."""
        self._refusals = count()

    def environment(self, folder: Path, url: str = "") -> dict[str, str]:
        """For a process that sends its telemetry here, or to `url`, as the managed identity of CLIENT_ID."""
        key = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
        authority = str(files(folder)[0])
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": f"{key};IngestionEndpoint={url or self.url}/",
            "AZURE_CLIENT_ID": CLIENT_ID,
            "IDENTITY_ENDPOINT": f"{self.identity_url}/msi/token",
            "IDENTITY_HEADER": IDENTITY_HEADER,
            "REQUESTS_CA_BUNDLE": authority,
            "SSL_CERT_FILE": authority,
        }

    def items(self, base_type: str) -> list[dict[str, Any]]:
        """The telemetry of a type, `MessageData` say."""
        items = [item for body in self.bodies for item in json.loads(body)]
        return [item["data"]["baseData"] for item in items if item["data"]["baseType"] == base_type]

    def track(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """Answer what sends telemetry."""
        self.asked.append((path, headers.get("Authorization")))
        if self.mood == "hangs":
            self.released.wait(PATIENCE)
        if self.mood != "takes":
            return (401, 403)[next(self._refusals) % 2], {"itemsReceived": 1, "itemsAccepted": 0, "errors": []}
        self.bodies.append(gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body)
        items = len(json.loads(self.bodies[-1]))
        return 200, {"itemsReceived": items, "itemsAccepted": items, "errors": []}

    def issue(self, path: str, headers: Mapping[str, str], _: bytes) -> tuple[int, Any]:
        """Answer what asks for a token."""
        if headers.get("X-IDENTITY-HEADER") != IDENTITY_HEADER:
            return 401, {"statusCode": 401}
        self.tokens.append(parse_qs(urlsplit(path).query))
        expires = str(int(time.time()) + 3600)
        (resource,) = self.tokens[-1]["resource"]
        return 200, {"access_token": TOKEN, "expires_on": expires, "resource": resource, "token_type": "Bearer"}


@contextmanager
def ingestion() -> Iterator[Ingestion]:
    """One of each."""
    kept = Ingestion()
    with ExitStack() as servers:
        kept.url = servers.enter_context(_serving(kept.track, tls=True))
        kept.identity_url = servers.enter_context(_serving(kept.issue, tls=False))
        servers.callback(kept.released.set)
        yield kept


@contextmanager
def _serving(answer: Any, *, tls: bool) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            code, said = answer(self.path, {**self.headers}, sent)
            content = json.dumps(said).encode()
            with suppress(OSError):  # who asked may be gone
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = handle_any  # the standard library's names  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = server_context().wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
