"""The kind `file` against real files, some of them still written to; and a share that hangs."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass, parse_request
from monitor_core.kinds import BUILT_IN, FileCheck
from monitor_worker.checks import file
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.file import THREADS_A_ROOT, FileDriver
from monitor_worker.checks.file_errors import failed
from monitor_worker.checks.file_walk import Found, find
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.threads import Stopped
from monitor_worker.loop import LoopThread, ask

CONTEXT = CheckContext("job", "run.0.1.1", 1, 30.0)
IMPATIENT = replace(CONTEXT, timeout_seconds=0.3)
LONG = 60.0
NOTHING = {
    "exists": False,
    "ready": False,
    "changed": False,
    "unchanged_checks": 0,
    "count": 0,
    "total_bytes": 0,
}


class Monitor:
    """The checks of one monitor after each other, each given what the one before left."""

    def __init__(self, share: Path, path: str, now: float | None = None, **fields: Any) -> None:
        self.spec = FileCheck(path=f"{share}/{path}", **fields)
        self.driver = FileDriver([share]) if now is None else FileDriver([share], lambda: now)
        self.left: Mapping[str, JsonValue] | None = None

    async def look(self) -> Observation:
        observed = await self.driver.check(self.spec, replace(CONTEXT, checkpoint=self.left))
        assert observed.error is None
        assert set(observed.variables) <= set(FileCheck.variables)
        self.left = observed.checkpoint
        return observed

    async def seen(self, *names: str) -> tuple[Any, ...]:
        """The values of some variables at the next check."""
        variables = (await self.look()).variables
        return tuple(variables[name] for name in names)


def write(path: Path, text: str, at: float | None = None) -> Path:
    path.write_text(text)
    if at is not None:
        os.utime(path, (at, at))
    return path


async def failure(driver: FileDriver, path: str, context: CheckContext = CONTEXT) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        await driver.check(FileCheck(path=path), context)
    return caught.value


async def test_a_file_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, "ready.csv")
    observed = await monitor.look()
    assert (observed.status, observed.variables, observed.summary) == ("Absent", NOTHING, "no such file")

    write(tmp_path / "ready.csv", "12345", at=1000.0)
    observed = await Monitor(tmp_path, "ready.csv", now=1060.5).look()
    assert observed.status == "Present"
    assert observed.summary == "1 file, 5 bytes, last written to 60 s ago, not changed since the first check"
    assert observed.variables == NOTHING | {
        "exists": True,
        "ready": True,
        "count": 1,
        "total_bytes": 5,
        "newest": f"{tmp_path}/ready.csv",
        "size": 5,
        "age_seconds": 60.5,
    }
    assert set(observed.variables) == set(FileCheck.variables)


async def test_of_several_files_the_newest_is_shown(tmp_path: Path) -> None:
    for name, text, at in (("a.csv", "1", 100.0), ("b.csv", "22", 300.0), ("c.csv", "333", 200.0)):
        write(tmp_path / name, text, at)
    monitor = Monitor(tmp_path, "*.csv", now=301.0)
    assert await monitor.seen("count", "total_bytes", "newest", "size", "age_seconds") == (
        3,
        6,
        f"{tmp_path}/b.csv",
        2,
        1.0,
    )


async def test_a_change_is_counted_from_the_first_check(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, "a", changed=True)
    assert await monitor.seen("changed", "ready") == (False, False)
    write(tmp_path / "a", "x", at=100.0)
    assert await monitor.seen("changed", "ready") == (True, True)
    assert await monitor.seen("changed", "ready") == (True, True)
    (tmp_path / "a").unlink()
    assert await monitor.seen("changed", "ready") == (False, False)


@pytest.mark.parametrize("change", ["size", "time", "rename", "more", "fewer", "other name"])
async def test_whatever_differs_is_a_change(tmp_path: Path, change: str) -> None:
    a, b = write(tmp_path / "a", "x", at=100.0), write(tmp_path / "b", "x", at=100.0)
    monitor = Monitor(tmp_path, "*", changed=True)
    assert await monitor.seen("changed", "ready") == (False, False)
    match change:
        case "size":
            write(a, "xy", at=100.0)
        case "time":
            write(a, "y", at=100.001)
        case "rename":
            write(tmp_path / ".new", "x", at=101.0).rename(a)
        case "more":
            write(tmp_path / "c", "", at=50.0)
        case "fewer":
            a.unlink()
        case "other name":
            b.rename(tmp_path / "c")
    assert await monitor.seen("changed", "ready") == (True, True)


async def test_a_deletion_can_be_waited_for(tmp_path: Path) -> None:
    lock = write(tmp_path / "lock", "")
    monitor = Monitor(tmp_path, "lock")
    gone, _ = conditions("!exists", None, FileCheck)
    assert gone is not None
    assert not gone.holds((await monitor.look()).variables)
    lock.unlink()
    observed = await monitor.look()
    assert gone.holds(observed.variables)
    assert observed.variables["changed"] is True


async def test_a_file_is_stable_after_so_many_checks_in_a_row(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, "a", stable_checks=2)
    assert [await monitor.seen("unchanged_checks", "ready") for _ in range(3)] == [
        (0, False),
        (1, False),
        (2, False),
    ]
    a = write(tmp_path / "a", "x")
    assert [await monitor.seen("unchanged_checks", "ready") for _ in range(3)] == [
        (0, False),
        (1, False),
        (2, True),
    ]
    write(a, "xy")
    assert await monitor.seen("unchanged_checks", "ready") == (0, False)


async def test_a_check_that_is_made_again_counts_once(tmp_path: Path) -> None:
    write(tmp_path / "a", "x")
    monitor = Monitor(tmp_path, "a")
    await monitor.look()
    left = monitor.left
    assert await monitor.seen("unchanged_checks") == (1,)
    monitor.left = left
    assert await monitor.seen("unchanged_checks") == (1,)


async def test_a_file_is_ready_when_it_is_old_enough(tmp_path: Path) -> None:
    write(tmp_path / "a", "x", at=100.0)
    write(tmp_path / "older", "x", at=1.0)
    for now, ready in ((104.0, False), (105.0, True), (99.0, False)):
        monitor = Monitor(tmp_path, "*", now=now, min_age_seconds=5)
        assert await monitor.seen("age_seconds", "ready") == (max(now - 100.0, 0.0), ready)


async def test_so_many_files_can_be_waited_for(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, "*.csv", min_count=2)
    for name, ready in (("a.csv", False), ("b.txt", False), ("c.csv", True), ("d.csv", True)):
        write(tmp_path / name, "")
        assert await monitor.seen("ready") == (ready,)


@contextmanager
def appending(path: Path) -> Iterator[None]:
    """Another process that writes to a file without an end."""
    script = "import sys\nwith open(sys.argv[1], 'a', buffering=1) as f:\n    while True: f.write('line\\n')"
    writer = subprocess.Popen([sys.executable, "-c", script, path])
    try:
        yield
    finally:
        writer.kill()
        writer.wait()


def wait_until_grown(path: Path) -> None:
    def size() -> int:
        return path.stat().st_size if path.exists() else 0

    before, until = size(), time.monotonic() + LONG
    while size() == before:
        assert time.monotonic() < until
        time.sleep(0.001)


async def test_a_file_that_is_still_written_to_is_not_ready(tmp_path: Path) -> None:
    path = tmp_path / "growing.log"
    monitor = Monitor(tmp_path, "growing.log", stable_checks=2)
    with appending(path):
        sizes = set()
        for _ in range(5):
            await asyncio.to_thread(wait_until_grown, path)  # the writer's turn, however slow the machine is
            observed = await monitor.look()
            assert (observed.variables["ready"], observed.variables["unchanged_checks"]) == (False, 0)
            sizes.add(observed.variables["size"])
    assert len(sizes) == 5
    assert [await monitor.seen("ready") for _ in range(4)][-1] == (True,)


async def test_a_file_that_is_renamed_into_place_appears_whole(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, "*.csv")
    part = write(tmp_path / "a.csv.part", "half")
    write(tmp_path / ".b.csv", "hidden")
    assert await monitor.seen("exists") == (False,)
    write(part, "the whole").rename(tmp_path / "a.csv")
    assert await monitor.seen("exists", "size") == (True, 9)


async def test_a_link_in_the_file_s_place_is_told_of_and_not_followed(tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    write(tmp_path / "secret", "outside")
    monitor = Monitor(share, "a")
    write(share / "a", "x")
    assert await monitor.seen("exists") == (True,)
    (share / "a").unlink()
    (share / "a").symlink_to(tmp_path / "secret")
    observed = await monitor.look()
    assert (observed.status, observed.variables["exists"], observed.variables["ready"]) == ("Link", False, False)
    assert observed.summary == f"no such file; {share}/a is a link, and links are not followed"


async def test_a_folder_in_the_file_s_place_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    observed = await Monitor(tmp_path, "a").look()
    assert (observed.status, observed.variables) == ("Folder", NOTHING)
    assert observed.summary
    assert observed.summary.endswith("is a folder: wait for what is in it")


async def test_a_stranger_s_names_are_shown_so_that_they_do_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"bad\xff\n")
    folder.mkdir()
    write(folder / "a\x1b[2J", "x")
    observed = await Monitor(tmp_path, "*/*").look()
    newest = observed.variables["newest"]
    newest.encode()  # no lone surrogate
    condition, _ = conditions("newest.contains('bad') && size == 1", None, FileCheck)
    assert condition is not None
    assert condition.holds(observed.variables)

    shutil.move(folder, tmp_path / "good")
    (tmp_path / os.fsdecode(b"link\xff\n")).symlink_to("/etc")
    observed = await Monitor(tmp_path, "l*/passwd").look()
    assert observed.summary
    assert observed.summary.isprintable()


@pytest.mark.parametrize("roots", [[], ["share"], ["share", "a/b"]])
async def test_what_is_below_no_root_is_not_looked_at(tmp_path: Path, roots: list[str]) -> None:
    def never(root: Path, parts: Sequence[str], stopped: Stopped) -> Found:
        raise AssertionError("it was looked at")

    driver = FileDriver([tmp_path / root for root in roots], look=never)
    for path in ("share2/a", "other/a", "a/x", "share", "*/a", "?hare/a", "**/a", "shar[e]/a"):
        error = await failure(driver, f"{tmp_path}/{path}")
        assert error.error_class is ErrorClass.MISCONFIGURED
        assert f"{tmp_path}/{path} is below no folder" in str(error)
        assert "MONITOR_FILE_ROOTS" in str(error)


async def test_the_innermost_root_counts(tmp_path: Path) -> None:
    asked = []

    def look(root: Path, parts: Sequence[str], stopped: Stopped) -> Found:
        asked.append((root, tuple(parts)))
        return Found()

    driver = FileDriver([Path("/"), tmp_path, tmp_path / "in"], look=look)
    for path in (f"{tmp_path}/in/a/*", f"{tmp_path}/in", "/etc/passwd"):
        await driver.check(FileCheck(path=path), CONTEXT)
    assert asked == [(tmp_path / "in", ("a", "*")), (tmp_path, ("in",)), (Path("/"), ("etc", "passwd"))]


async def test_a_root_that_is_missing_is_a_transient_error(tmp_path: Path) -> None:
    root = tmp_path / "share"
    error = await failure(FileDriver([root]), f"{root}/a")
    assert (error.error_class, str(error)) == (
        ErrorClass.TRANSIENT,
        f"{root} of MONITOR_FILE_ROOTS is not there: is the share mounted?",
    )


async def test_a_root_that_is_a_link_is_a_misconfiguration(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    error = await failure(FileDriver([tmp_path / "link"]), f"{tmp_path}/link/a")
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "name the folder itself" in str(error)


async def test_too_many_folders_in_one_another_are_a_permanent_error(tmp_path: Path) -> None:
    (tmp_path / "/".join("d" * 40)).mkdir(parents=True)
    error = await failure(FileDriver([tmp_path]), f"{tmp_path}/**/a")
    assert error.error_class is ErrorClass.PERMANENT
    assert "more than 20,000 names, or 32 folders deep" in str(error)


@pytest.mark.parametrize(
    ("number", "error_class", "words"),
    [
        ("EACCES", ErrorClass.PERMANENT, "the worker may not look into a folder of /s/a"),
        ("EPERM", ErrorClass.PERMANENT, "the worker may not look into a folder of /s/a"),
        ("ENAMETOOLONG", ErrorClass.MISCONFIGURED, "check.path: a name in /s/a is too long"),
        ("ETIMEDOUT", ErrorClass.TRANSIENT, "/s did not answer in time"),
        ("ESTALE", ErrorClass.TRANSIENT, "/s cannot be looked into: Stale file handle"),
        ("EHOSTDOWN", ErrorClass.TRANSIENT, "/s cannot be looked into: Host is down"),
        ("EMFILE", ErrorClass.TRANSIENT, "/s cannot be looked into: Too many open files"),
    ],
)
def test_what_a_share_says_is_put_into_words(number: str, error_class: ErrorClass, words: str) -> None:
    error = failed(OSError(getattr(errno, number), "text"), "/s/a", Path("/s"))
    assert error.error_class is error_class
    assert str(error).startswith(words)


class HungShare:
    """Looks into folders as ever, but not where a mount hangs."""

    def __init__(self, root: Path) -> None:
        self.root, self.answers = root, threading.Event()

    def __call__(self, root: Path, parts: Sequence[str], stopped: Stopped) -> Found:
        if root == self.root:
            self.answers.wait(LONG)
        return find(root, parts, stopped)


def threads_of(share: HungShare) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"file-{share.root}"]


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[HungShare]:
    (tmp_path / "hung").mkdir()
    (tmp_path / "well").mkdir()
    share = HungShare(tmp_path / "hung")
    yield share
    share.answers.set()


async def test_a_mount_that_hangs_takes_a_few_threads_and_keeps_no_other_from_being_checked(
    tmp_path: Path, hung: HungShare
) -> None:
    driver = FileDriver([tmp_path / "hung", tmp_path / "well"], look=hung)
    path = f"{tmp_path}/hung/a"
    errors = await asyncio.gather(*(failure(driver, path, IMPATIENT) for _ in range(3 * THREADS_A_ROOT)))
    said = [str(error).partition(":")[0] for error in errors]

    assert {error.error_class for error in errors} == {ErrorClass.TRANSIENT}
    assert said == (
        [f"{hung.root} did not answer in time"] * THREADS_A_ROOT
        + [f"every thread for {hung.root} is busy with an earlier check"] * 2 * THREADS_A_ROOT
    )
    assert len(threads_of(hung)) == THREADS_A_ROOT
    observed = await driver.check(FileCheck(path=f"{tmp_path}/well/a"), CONTEXT)
    assert observed.status == "Absent"

    hung.answers.set()
    assert (await driver.check(FileCheck(path=path), CONTEXT)).status == "Absent"


def test_a_worker_ends_though_a_mount_hangs(tmp_path: Path, hung: HungShare) -> None:
    loop = LoopThread()
    loop.start()
    driver = FileDriver([hung.root], look=hung)
    with pytest.raises(CheckFailed, match="did not answer in time"):
        loop.run(ask(driver, FileCheck(path=f"{hung.root}/a"), IMPATIENT))
    loop.run(driver.close())
    loop.stop()
    assert [thread.daemon for thread in threads_of(hung)] == [True]


async def test_the_example_runs(tmp_path: Path) -> None:
    example = dict(FileCheck.example)
    path = str(tmp_path / Path(example["check"]["path"]).name)
    request = parse_request({"job_id": "j", **example, "check": {**example["check"], "path": path}}, BUILT_IN)
    spec = FileCheck.model_validate(dict(request.check))
    success, _ = conditions(request.success_when, request.failure_when, FileCheck)
    assert success is not None
    driver = file.create(Resources(TargetGuard(), file_roots=(tmp_path,)))
    held, left = [], None
    for number in range(5):
        if number == 1:
            write(tmp_path / "a.csv", "1,2\n", at=1.0)
        observed = await driver.check(spec, replace(CONTEXT, checkpoint=left))
        held.append(success.holds(observed.variables))
        left = observed.checkpoint
    assert held == [False, False, False, True, True]
    await driver.close()
