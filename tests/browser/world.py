"""What the browser tests stand on, all real: scheduler, worker, job simulator, receiver of webhooks, service."""

import asyncio
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from job_simulator.server import JobSimulator, bind
from monitor_client.api import create_app
from monitor_client.connect import open_service
from monitor_core.contract import instance_id
from monitor_core.settings import ClientSettings, SchedulerSettings
from support.hub import Hub, hub
from support.receiver import Receiver, receiving

PATIENCE = 30


class Service:
    """The client-scheduler's service in a thread of its own; it can be stopped, and started at the same place."""

    def __init__(self, settings: SchedulerSettings) -> None:
        self._settings = settings
        self._port = 0
        self._thread: threading.Thread | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        listener = bind("127.0.0.1", self._port)
        self._port = listener.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(listener, ready)))
        self._thread.start()
        assert ready.wait(PATIENCE)

    def stop(self) -> None:
        if self._thread is not None:
            self._server.should_exit = True
            self._thread.join(PATIENCE)
            self._thread = None

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        async with open_service(ClientSettings(scheduler=self._settings)) as service:
            app = create_app(service, self._settings.endpoint)
            self._server = uvicorn.Server(
                uvicorn.Config(
                    app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
                )
            )
            ready.set()
            await self._server.serve(sockets=[listener])
        listener.close()


class World:
    """The parts, and what a test does with them."""

    def __init__(self, parts: Hub, simulator: JobSimulator, receiver: Receiver) -> None:
        self.parts, self.simulator, self.receiver = parts, simulator, receiver
        self.service = Service(parts.settings)

    @property
    def url(self) -> str:
        return self.service.url

    def job_url(self, job_id: str, **query: object) -> str:
        """A job at the simulator, made at its first GET as the query says."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{self.simulator.url}/jobs/{job_id}?{asked}"

    def hook(self, path: str, **fields: Any) -> dict[str, Any]:
        """A notification by a webhook to the receiver."""
        return {"to": {"kind": "webhook", "url": self.receiver.url(path)}, **fields}

    def post(self, path: str, body: Any) -> Any:
        data = json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return json.load(answer)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
            return json.load(answer)

    def until_ended(self, *job_ids: str) -> None:
        """Wait until each has its verdict."""
        for job_id in job_ids:
            self.parts.result(instance_id(job_id))

    def until_told(self, job_id: str, attempts: int) -> None:
        """Wait until so many attempts have been made to tell of it."""
        until = time.monotonic() + PATIENCE
        while sum(one["attempts"] for one in self.get(f"/monitors/{job_id}")["deliveries"]) < attempts:
            assert time.monotonic() < until
            time.sleep(0.05)

    def start(self, job_id: str, check: dict[str, Any] | None = None, **fields: Any) -> None:
        """Start a monitor through the API; of a job that does not end by itself, unless told otherwise."""
        check = check or {"kind": "simulated", "checks": 100_000}
        self.post("/monitors", {"job_id": job_id, "check": check, "timeout_seconds": 600, **fields})


@contextmanager
def world() -> Iterator[World]:
    with hub() as parts, JobSimulator(auto_create=True) as simulator, receiving() as receiver:
        parts.worker(allowed=tuple(url.removeprefix("http://") for url in (simulator.url, receiver.url(""))))
        running = World(parts, simulator, receiver)
        try:
            yield running
        finally:
            running.service.stop()
