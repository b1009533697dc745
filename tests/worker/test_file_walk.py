"""Looking for files on a real file system: patterns, and everything that could lead out of the allowed folder."""

import ctypes
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor_worker.checks.file_walk import (
    DEEPEST,
    Found,
    LeftOut,
    Stop,
    TooMuch,
    find,
)
from monitor_worker.checks.folders import RootMissing, RootUnusable

SECRET = "not for them"


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """An allowed folder; beside it, outside, one with a secret."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text(SECRET)
    root = tmp_path / "share"
    root.mkdir()
    return root


def put(share: Path, *names: str) -> None:
    for name in names:
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text(name)


def look(share: Path, path: str) -> Found:
    return find(share, path.split("/"), lambda: False)


def names(share: Path, path: str) -> list[str]:
    return sorted(str(Path(file.path).relative_to(share)) for file in look(share, path).files)


def test_a_file_is_shown_with_its_size_and_time(share: Path) -> None:
    put(share, "in/a.csv")
    os.utime(share / "in" / "a.csv", ns=(1, 1_234_567_890_123_456_789))
    (file,) = look(share, "in/a.csv").files
    assert file == (str(share / "in" / "a.csv"), len("in/a.csv"), 1_234_567_890_123_456_789)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["a.csv", "b.csv"]),
        ("?.csv", ["a.csv", "b.csv"]),
        ("[!a].csv", ["b.csv"]),
        ("[*].csv", []),
        (".*", [".hidden.csv"]),
        ("*/*.csv", ["in/c.csv"]),
        ("i*/deep/?.csv", ["in/deep/d.csv"]),
        ("**/*.csv", ["a.csv", "b.csv", "in/c.csv", "in/deep/d.csv"]),
        ("**/deep/*", ["in/deep/d.csv"]),
        ("in/**/d.csv", ["in/deep/d.csv"]),
        ("**/*.CSV", []),
        ("nowhere/*", []),
        ("a.csv/x", []),
        ("a.csv/*", []),
    ],
)
def test_a_pattern_finds_what_a_shell_would(share: Path, pattern: str, expected: list[str]) -> None:
    put(share, "a.csv", "b.csv", ".hidden.csv", "in/c.csv", "in/deep/d.csv", ".git/e.csv", "notes.txt")
    assert names(share, pattern) == expected


@pytest.mark.parametrize("path", ["a", "*", "in/a", "*/a", "**/a"])
def test_where_there_is_nothing_nothing_is_found(share: Path, path: str) -> None:
    assert look(share, path) == Found()


@pytest.mark.parametrize(
    "path", ["link.csv", "*.csv", "linked/secret.csv", "*/secret.csv", "**/secret.csv", "linked/*", "up/outside/*"]
)
def test_no_link_leads_out(share: Path, path: str) -> None:
    (share / "link.csv").symlink_to(share.parent / "outside" / "secret.csv")
    (share / "linked").symlink_to(share.parent / "outside")
    (share / "up").symlink_to("..")
    found = look(share, path)
    assert found.files == []
    assert found.left_out
    assert found.left_out.what == "Link"


def test_a_link_within_is_not_followed_either(share: Path) -> None:
    put(share, "in/a.csv")
    (share / "b.csv").symlink_to("in/a.csv")
    (share / "also").symlink_to("in")
    (share / "self").symlink_to(".")
    assert look(share, "b.csv") == Found([], LeftOut("Link", str(share / "b.csv")))
    assert look(share, "also/a.csv") == Found([], LeftOut("Link", str(share / "also")))
    assert names(share, "**/*.csv") == ["in/a.csv"]


def test_two_dots_lead_nowhere_even_if_they_get_here(share: Path) -> None:
    """The spec refuses them; a plain walk would not, so this says why it has to."""
    assert look(share, "../outside/secret.csv").files != []


def test_a_folder_that_turns_into_a_link_and_back_never_leads_out(share: Path) -> None:
    """A race: someone with write access swaps a folder for a link, over and over, while checks are made."""
    put(share, "in/secret.csv", "spare/x")
    (share / "link").symlink_to(share.parent / "outside")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (share / "in").rename(share / "aside")
            (share / "link").rename(share / "in")
            (share / "in").rename(share / "link")
            (share / "aside").rename(share / "in")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        seen = [look(share, path) for _ in range(1000) for path in ("in/secret.csv", "i*/*.csv")]
    finally:
        stop.set()
        swapping.join()
    assert {file.size for found in seen for file in found.files} == {len("in/secret.csv")}
    assert any(not found.files for found in seen), "the race was never run"


def test_a_pipe_or_folder_is_told_of_and_never_opened(share: Path) -> None:
    os.mkfifo(share / "pipe")
    (share / "folder").mkdir()
    # An open pipe without a writer would block for ever.
    assert look(share, "pipe") == Found([], LeftOut("Special", str(share / "pipe")))
    assert look(share, "pipe/a") == Found()
    assert look(share, "folder") == Found([], LeftOut("Folder", str(share / "folder")))
    put(share, "a.csv")
    assert names(share, "*") == ["a.csv"]


def test_a_device_is_told_of() -> None:
    assert look(Path("/dev"), "null") == Found([], LeftOut("Special", "/dev/null"))


def test_a_root_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(RootMissing):
        look(tmp_path / "share", "a")


@pytest.mark.parametrize("below", ["", "in"])
def test_a_root_with_a_link_in_it_is_refused(share: Path, below: str) -> None:
    put(share, "in/a.csv")
    link = share.parent / "link"
    link.symlink_to(share)
    with pytest.raises(RootUnusable):
        look(link / below, "a.csv")


def test_a_root_that_is_a_file_is_refused(share: Path) -> None:
    put(share, "a")
    with pytest.raises(RootUnusable):
        look(share / "a", "b")


def test_the_whole_machine_can_be_a_root(share: Path) -> None:
    put(share, "a")
    (file,) = find(Path("/"), (share / "a").parts[1:], lambda: False).files
    assert file.path == str(share / "a")


def test_odd_names_are_found_as_they_are(share: Path) -> None:
    odd = [b"a\nb", b"\xff\xfe", b" ", b"-rf", "\u202e".encode(), b"x" * 255]
    for name in odd:
        (share / os.fsdecode(name)).write_text("x")
    assert {os.fsencode(name) for name in names(share, "*")} == set(odd)


def test_ten_thousand_files_are_counted(share: Path) -> None:
    fill(share, 10_000)
    assert len(look(share, "*").files) == 10_000
    assert len(look(share, "*7").files) == 1_000
    assert len(look(share, "f7").files) == 1


def fill(folder: Path, count: int) -> None:
    (folder / "f0").write_text("")
    for number in range(1, count):
        os.link(folder / "f0", folder / f"f{number}")  # faster than making it


def test_more_names_than_are_looked_at_are_refused_and_not_half_counted(share: Path) -> None:
    fill(share, 30)

    def count(path: str) -> int:
        return len(find(share, path.split("/"), lambda: False, most_names=30).files)

    assert count("*") == 30
    put(share, "one/more")
    for path in ("*", "x*", "**/more"):
        with pytest.raises(TooMuch):
            count(path)
    assert count("f0") == 1
    assert count("one/*") == 1


def test_twenty_thousand_names_are_the_most(share: Path) -> None:
    fill(share, 20_000)
    assert look(share, "f7*7").files
    put(share, "one-more")
    with pytest.raises(TooMuch):
        look(share, "f7*7")


def test_folders_are_looked_into_to_a_depth(share: Path) -> None:
    put(share, "/".join(["d"] * DEEPEST) + "/a")
    assert len(look(share, "**/a").files) == 1
    put(share, "/".join(["d"] * (DEEPEST + 1)) + "/a")
    with pytest.raises(TooMuch):
        look(share, "**/a")


def test_a_look_that_nobody_waits_for_ends(share: Path) -> None:
    fill(share, 10)
    for path in ("*", "f1"):
        with pytest.raises(Stop):
            find(share, [path], lambda: True)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_descriptors_are_closed_however_it_ends(share: Path) -> None:
    put(share, "in/deep/a", "b")
    (share / "link").symlink_to("in")
    before = open_descriptors()
    for path in ("in/deep/a", "**/*", "in/none/a", "link/a", "b/a"):
        look(share, path)
    with pytest.raises(RootUnusable):
        look(share / "link", "a")
    with pytest.raises(Stop):
        find(share, ["in", "deep", "*"], lambda: True)
    assert open_descriptors() == before


@contextmanager
def as_nobody() -> Iterator[None]:
    """This thread looks at files as another user, where it can: root itself is denied nothing."""
    libc = ctypes.CDLL(None)
    mine = os.geteuid()
    libc.setfsuid(65534)  # to whoever is not root it does nothing, and is not needed
    try:
        yield
    finally:
        libc.setfsuid(mine)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that anyone may pass through to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder).resolve()


def test_a_folder_that_may_not_be_looked_into_is_an_error_unless_a_wildcard_met_it(public: Path) -> None:
    put(public, "closed/a", "open/a")
    (public / "closed").chmod(0)
    with as_nobody():
        for path in ("closed/a", "closed/*"):
            with pytest.raises(PermissionError):
                look(public, path)
        with pytest.raises(PermissionError):
            look(public / "closed", "a")
        found = look(public, "*/a")
        assert names(public, "**/a") == ["open/a"]
    assert [file.path for file in found.files] == [str(public / "open" / "a")]
    assert found.left_out == LeftOut("Forbidden", str(public / "closed"))


def test_a_folder_that_may_only_be_passed_through_is_enough(public: Path) -> None:
    put(public, "dark/a")
    (public / "dark").chmod(0o111)
    with as_nobody():
        assert names(public, "dark/a") == ["dark/a"]
        with pytest.raises(PermissionError):
            look(public, "dark/*")
