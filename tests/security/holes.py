"""Plants holes into copies of the sources, and sees whether the tests that guard them fail.

Run as a program it reads what to plant, as JSON, from its standard input. It has imported what tests import of
others by then, and makes a child of itself for each hole: to start an interpreter for each would take longer than
most of these tests.
"""

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import yaml

ROOT: Final = Path(__file__).parents[2]
PLANTED: Final = ROOT / "tests" / "security" / "planted.yaml"
_COPIED: Final = ("services", "tests", "dev", "docs")
_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "node_modules", "histories", "browser", "infra")
_IMPORTED: Final = (
    "aiohttp",
    "azure.core",
    "cel_expr_python",
    "durabletask.client",
    "durabletask.worker",
    "fastapi",
)
_IMPORTED_TOO: Final = ("grpc.aio", "hypothesis", "jinja2", "jwt", "limits.aio.strategies", "rich")
_PATIENCE: Final = 60
_AT_A_TIME: Final = 2
PASSED, FAILED, NEITHER = 0, 1, 2
"""What a child says by its exit code: of a test that could not be run, neither."""


class Hole(NamedTuple):
    """One edit of one file.

    Args:
        hole: in words.
        file: by its path from the repository's top.
        old: stands in it exactly once.
        new: what it becomes.
        found_by: the test that has to fail.
    """

    hole: str
    file: str
    old: str
    new: str
    found_by: str


def planted() -> dict[str, list[Hole]]:
    """The holes by topic."""
    topics = yaml.safe_load(PLANTED.read_text(encoding="utf-8"))
    return {topic: [Hole(**one) for one in holes] for topic, holes in topics.items()}


def outcome(holes: Sequence[Hole]) -> dict[str, str]:
    """What is wrong, by hole: it was not found, or its test fails without it; nothing where all is well."""
    ran = subprocess.run(
        [sys.executable, "-m", "security.holes"],
        input=json.dumps(holes),
        cwd=ROOT / "tests",
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found: dict[str, str] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _tried(holes: Sequence[Hole]) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        for name in _COPIED:
            shutil.copytree(ROOT / name, whole / name, ignore=_LEFT_OUT)
        shutil.copy(ROOT / "pyproject.toml", whole)
        tests = sorted({hole.found_by for hole in holes})
        (before,) = _side_by_side([partial(_run, whole, tests)])
        if before.code != PASSED:
            yield "without a hole", before.said
            return
        errands = [partial(_with, hole, whole, Path(folder) / str(number)) for number, hole in enumerate(holes)]
        for hole, ran in zip(holes, _side_by_side(errands), strict=True):
            if ran.code != FAILED:
                yield hole.hole, f"{hole.found_by} does not find it ({ran.code}): {ran.said}"


class Ran(NamedTuple):
    """What became of a child: its code, and the end of what it printed."""

    code: int
    said: str


def _side_by_side(errands: Sequence[Callable[[], int]]) -> list[Ran]:
    """Does each errand in a child of this process, some at a time."""
    todo, running, ran = list(enumerate(errands)), dict[int, tuple[int, IO[bytes]]](), dict[int, Ran]()
    while todo or running:
        if todo and len(running) < _AT_A_TIME:
            number, errand = todo.pop(0)
            said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 # closed when its child has ended
            running[_child(errand, said)] = number, said
            continue
        child, status = os.wait()
        number, said = running.pop(child)
        with said:
            said.seek(0)
            ran[number] = Ran(os.waitstatus_to_exitcode(status), said.read().decode(errors="replace")[-1500:])
    return [ran[number] for number in range(len(errands))]


def _child(errand: Callable[[], int], said: IO[bytes]) -> int:
    child = os.fork()
    if child:
        return child
    code = NEITHER
    try:
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
        signal.alarm(_PATIENCE)
        code = errand()
    except BaseException:  # noqa: BLE001 # whatever happens, it must not go on as its parent
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _with(hole: Hole, whole: Path, tree: Path) -> int:
    shutil.copytree(whole, tree, copy_function=os.link)
    file = tree / hole.file
    source = file.read_text(encoding="utf-8")
    if source.count(hole.old) != 1:
        sys.stdout.write(
            f"{hole.file} has {hole.old!r} {source.count(hole.old)} times: bring planted.yaml up to date"
        )
        return NEITHER
    file.unlink()  # it is the file of every copy
    file.write_text(source.replace(hole.old, hole.new), encoding="utf-8")
    # What the first run has compiled is there for all; the copies' own is worth nothing to anybody.
    sys.dont_write_bytecode = True
    return _run(tree, [hole.found_by])


class _Outcomes:
    """A plug-in of pytest: whether a test itself has failed, and not what it stands on."""

    def __init__(self) -> None:
        self.codes = set[int]()

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call":
            self.codes.add(FAILED if report.failed else PASSED)
        elif report.failed:
            self.codes.add(NEITHER)


def _run(tree: Path, tests: Sequence[str]) -> int:
    import pytest  # noqa: PLC0415 # a child's alone

    os.chdir(tree)
    sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != ROOT / "tests"]
    seen = _Outcomes()
    plugins = ["-p", "pytest_asyncio.plugin", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider"]
    options = ["-q", "-x", "--hypothesis-profile=planted", "--rootdir", str(tree), *plugins]
    code = pytest.main([*options, *tests], plugins=[seen])
    return max(seen.codes) if code <= FAILED and seen.codes else NEITHER


def main() -> None:
    """Reads holes, writes what is wrong."""
    holes = [Hole(*one) for one in json.load(sys.stdin)]
    for name in (*_IMPORTED, *_IMPORTED_TOO):
        importlib.import_module(name)
    sys.stdout.write(json.dumps(dict(_tried(holes))))


if __name__ == "__main__":
    main()
