"""What Python processes import, look up and connect to, without a change in them: a `sitecustomize` of ours."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_CODE = """
import atexit, os, sys
_FILE = os.path.join(os.environ["SPY_FOLDER"], os.environ["SPY_NAME"])

def _write(kind, word):
    with open(f"{_FILE}.{kind}", "a") as file:
        file.write(f"{word}\\n")

def _hook(event, arguments):
    if event == "socket.getaddrinfo":
        _write("hosts", arguments[0])
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        _write("hosts", arguments[1][0])

sys.addaudithook(_hook)
atexit.register(lambda: [_write("modules", name) for name in list(sys.modules)])
"""


@dataclass
class Spy:
    """Looks at processes that are started with its `environment`. Of code that is not Python it sees nothing.

    Args:
        folder: an empty one.
    """

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Self:
        """A spy that keeps what it sees there."""
        (folder / "sitecustomize.py").write_text(_CODE)
        return cls(folder)

    def environment(self, name: str, packages: str = "") -> dict[str, str]:
        """For a process that is `name` from now on; `packages` is what its PYTHONPATH would be."""
        path = os.pathsep.join(filter(None, (str(self.folder), packages)))
        return {"PYTHONPATH": path, "SPY_FOLDER": str(self.folder), "SPY_NAME": name}

    def modules(self, name: str) -> set[str]:
        """What a process had imported at its end."""
        return set(self._lines(f"{name}.modules"))

    def hosts(self, name: str) -> set[str]:
        """What a process looked up or connected to, as far as it did so from Python."""
        return {host for host in self._lines(f"{name}.hosts") if host != "None"}

    def _lines(self, file: str) -> Iterator[str]:
        yield from (self.folder / file).read_text().splitlines()


def below(modules: set[str], *packages: str) -> set[str]:
    """Those of the modules that are in these packages."""
    pattern = re.compile(rf"(?:{'|'.join(map(re.escape, packages))})(?:\.|$)")
    return {module for module in modules if pattern.match(module)}
