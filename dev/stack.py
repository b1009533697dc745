"""The whole of Durable Monitor as separate processes on free loopback ports: for the demo and the tests."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("dev", "tests", "services/shared", "services/worker")
PATIENCE_SECONDS = 60.0
_URL = r".*?(http://[\w.\[\]:]+)"


class StackError(RuntimeError):
    """A process did not come up; the message holds the end of what it printed."""


@dataclass(eq=False)
class Process:
    """A process whose output goes to a file."""

    popen: subprocess.Popen[bytes]
    log: Path

    def url(self, label: str = "") -> str:
        """The URL it prints (after `label`) once it listens."""
        return self.said(label + _URL).group(1)

    def said(self, pattern: str) -> re.Match[str]:
        """The first match of a regular expression in what it prints; it is waited for."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = re.search(pattern, self.output())
            if found:
                return found
            if self.popen.poll() is not None:
                break
            time.sleep(0.02)
        raise StackError(f"{self.popen.args!r} did not come up:\n{self.output()[-2000:]}")

    def output(self) -> str:
        """All it has printed so far."""
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and wait; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it at once (SIGKILL): nothing is drained."""
        return self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.popen.wait(PATIENCE_SECONDS)


@dataclass
class Stack:
    """Starts the parts and stops them all at the end: `with stack() as parts: ...`."""

    logs: Path
    scheduler_url: str = ""
    simulator_url: str = ""
    processes: list[Process] = field(default_factory=list)

    def start_scheduler(self, *arguments: str) -> Process:
        """The local scheduler, on a free port unless told otherwise."""
        where = () if "--port" in arguments else ("--port", "0")
        process = self.start("scheduler", ["-m", "local_scheduler", *where, *arguments])
        self.scheduler_url = process.url()
        return process

    def start_simulator(self, *arguments: str) -> Process:
        """The job simulator."""
        process = self.start("simulator", ["-m", "job_simulator", "--port", "0", *arguments])
        self.simulator_url = process.url()
        return process

    def start_worker(
        self,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = ("services/worker/worker.py",),
    ) -> Process:
        """A worker (or what `command` makes of it) that may check the job simulator; ready when this returns."""
        settings = {
            "MONITOR_HEALTH_PORT": "0",
            "MONITOR_ALLOWED_TARGETS": self.simulator_url.removeprefix("http://"),
            **(environment or {}),
        }
        process = self.start("worker", [*command], settings)
        _wait_until_ready(process)
        return process

    def start_service(self, **environment: str) -> Process:
        """The client-scheduler's service, on a free port unless told otherwise."""
        return self.start(
            "serve", ["services/client-scheduler/serve.py"], {"MONITOR_API_PORT": "0", **environment}
        )

    def client(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """`client.py`, its output in pipes."""
        return subprocess.Popen(  # noqa: S603 # our own script
            self.client_command(*arguments),
            cwd=ROOT,
            env=self.environment(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def client_command(*arguments: str) -> list[str]:
        """The command line of `client.py`."""
        return [sys.executable, "services/client-scheduler/client.py", *arguments]

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """What the processes get: this one's environment, and where the scheduler is."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("MONITOR_", "TASKHUB"))
        }
        packages = os.pathsep.join(str(ROOT / folder) for folder in PACKAGES)
        return {**inherited, "PYTHONPATH": packages, "ENDPOINT": self.scheduler_url, **more}

    def start(self, name: str, arguments: list[str], more: Mapping[str, str] | None = None) -> Process:
        """A Python process with `more` in its environment; it may still be coming up."""
        log = self.logs / f"{len(self.processes)}-{name}.log"
        with log.open("wb") as output:
            popen = subprocess.Popen(  # noqa: S603 # our own scripts
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment(more or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        process = Process(popen, log)
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """Stop what still runs, the last started first."""
        for process in reversed(self.processes):
            process.stop()


def _wait_until_ready(worker: Process) -> None:
    url = worker.url("Health on")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):  # noqa: S310 # our own worker, on loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise StackError(f"the worker is not ready:\n{worker.output()[-2000:]}")


@contextmanager
def stack() -> Iterator[Stack]:
    """An empty stack, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="durable-monitor-") as logs:
        parts = Stack(Path(logs))
        try:
            yield parts
        finally:
            parts.stop()
