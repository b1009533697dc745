"""A stand-in for a namespace of Service Bus, as a process: dev/service_bus says what it can and cannot do.

The emulator that Microsoft has is an image, and takes no token: it could not show half of what is tested.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from support import tls

HOST: Final = "shop.servicebus.windows.net"
TOKEN: Final = "token-that-is-told-to-nobody-else"
PATIENCE: Final = 60
_FOLDER: Final = Path(__file__).parents[2] / "dev/service_bus"

Seen = dict[str, Any]


class Broker:
    """A running one.

    Args:
        log: what it sees, a line each.
        process: it.
    """

    def __init__(self, log: Path, process: subprocess.Popen[bytes]) -> None:
        self._log, self._process = log, process
        self.port = 0

    def seen(self, what: str, entity: str | None = None) -> list[Seen]:
        """What it saw of a kind (`message`, `token`, `connection`, ...), of one queue or topic or of all."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines(keepends=True) if line[-1] == "\n"]
        return [line for line in lines if line["what"] == what and entity in {None, line.get("entity")}]

    def wait(self, what: str, count: int = 1, entity: str | None = None) -> list[Seen]:
        """As `seen`, once there are so many."""
        given_up = time.monotonic() + PATIENCE
        while len(found := self.seen(what, entity)) < count:
            assert self._process.poll() is None, f"the stand-in has ended: {self._log.read_text()}"
            assert time.monotonic() < given_up, f"{len(found)} of {count} {what}: {self._log.read_text()}"
            time.sleep(0.02)
        return found


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """Run one on a free port of 127.0.0.1, with a certificate for HOST alone.

    Args:
        folder: its certificate and its log go here.

    Raises:
        AssertionError: it is not installed, or does not start.
    """
    assert (_FOLDER / "node_modules/rhea").exists(), "rhea is not installed: `make unit` does that"
    _, certificate, key = tls.files(folder, HOST)
    log = folder / "broker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["node", _FOLDER / "broker.js", certificate, key, TOKEN], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        running = Broker(log, process)
        running.port = running.wait("listening")[0]["port"]
        yield running
    finally:
        process.kill()
        process.wait(PATIENCE)
