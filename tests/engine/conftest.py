"""An engine to try: `ENGINE_ENDPOINT` (the emulator, say), or the local scheduler in this process."""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from durabletask.azuremanaged.client import DurableTaskSchedulerClient
from durabletask.azuremanaged.worker import DurableTaskSchedulerWorker

from local_scheduler import LocalScheduler
from monitor_core.scheduler import channel_options, sdk_logger
from monitor_core.settings import SchedulerSettings

Register = Callable[[DurableTaskSchedulerWorker], None]


class Engine:
    """Clients and workers of one scheduler; what is started is stopped."""

    def __init__(self, endpoint: str) -> None:
        settings = SchedulerSettings(endpoint=endpoint)
        self._common: dict[str, Any] = {
            "host_address": settings.address,
            "taskhub": settings.taskhub,
            "token_credential": None,
            "secure_channel": False,
            "channel_options": channel_options(),
            "logger": sdk_logger(),
        }
        self.address = settings.address
        self.client = DurableTaskSchedulerClient(**self._common)
        self._workers: list[DurableTaskSchedulerWorker] = []

    def worker(self, register: Register) -> DurableTaskSchedulerWorker:
        """A worker with what `register` adds to it, started."""
        worker = DurableTaskSchedulerWorker(**self._common)
        register(worker)
        worker.start()  # type: ignore[no-untyped-call]
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        for worker in self._workers:
            worker.stop()  # type: ignore[no-untyped-call]
        self.client.close()


@pytest.fixture
def engine() -> Iterator[Engine]:
    endpoint = os.environ.get("ENGINE_ENDPOINT")
    scheduler = None if endpoint else LocalScheduler()
    try:
        engine = Engine(endpoint or f"http://{scheduler.start()}" if scheduler else str(endpoint))
        yield engine
        engine.close()
    finally:
        if scheduler:
            scheduler.stop()


@pytest.fixture
def name() -> str:
    """A name nobody else uses, for an instance or an orchestrator."""
    return f"engine-{uuid.uuid4().hex}"
