"""`client.py` as a process of its own, as users run it."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENT = Path(__file__).parents[2] / "services" / "client-scheduler" / "client.py"
PATIENCE = 60
_NOT_OURS = ("MONITOR_", "ENDPOINT", "TASKHUB", "LOG_LEVEL", "DURABLE_TASK", "NO_COLOR", "FORCE_COLOR")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a script tests are deaf to SIGINT, and so would be the clients that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    return {**inherited, **more}


def begin(*arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CLIENT), *arguments],
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(client: subprocess.Popen[str]) -> Ran:
    out, err = client.communicate(timeout=PATIENCE)
    return Ran(client.returncode, out, err)


def run(*arguments: str, **more: str) -> Ran:
    return ended(begin(*arguments, **more))
