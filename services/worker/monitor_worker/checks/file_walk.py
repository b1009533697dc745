"""Looking for files below an allowed folder: from folder to folder, and never along a link."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

from monitor_core.kinds.file import ANY_FOLDERS, is_pattern
from monitor_worker.checks.folders import LISTED, PASSED, NotAFolder, opened, opened_root
from monitor_worker.checks.threads import Stopped

MOST_NAMES: Final = 20_000
DEEPEST: Final = 32


class TooMuch(Exception):
    """There are more names, or deeper folders, than one check looks at."""


class Stop(Exception):
    """Nobody waits for the outcome any more."""


class File(NamedTuple):
    """A regular file.

    Args:
        path: as the system has it; it may hold anything but NUL.
        size: in bytes.
        modified_ns: nanoseconds since 1970 in UTC.
    """

    path: str
    size: int
    modified_ns: int


class LeftOut(NamedTuple):
    """What was met in a file's place, or on the way: `Link`, `Folder`, `Special` or `Forbidden`."""

    what: str
    path: str


@dataclass
class Found:
    """What is there: the files, and the first thing that is none."""

    files: list[File] = field(default_factory=list)
    left_out: LeftOut | None = None


def find(root: Path, parts: Sequence[str], stopped: Stopped, most_names: int = MOST_NAMES) -> Found:
    """The files below a folder. It blocks: call it on a thread.

    Args:
        root: an absolute path without `..`.
        parts: names and patterns, at least one, none of them `..`.
        stopped: whether to give up.
        most_names: how many names to look at.

    Raises:
        RootMissing: `root` is not there.
        RootUnusable: `root` is no folder, or a link is on the way to it.
        TooMuch: there are more than `most_names` names to look at, or more than DEEPEST folders in one another.
        PermissionError: a folder that the path names may not be looked into.
        OSError: the file system has some other trouble.
        Stop: as `stopped` says.
    """
    with opened_root(root) as folder:
        walk = _Walk(stopped, most_names)
        walk.into(folder, str(root).rstrip("/"), parts, 0)
        return walk.found


class _Walk:
    def __init__(self, stopped: Stopped, most_names: int) -> None:
        self.found = Found()
        self._stopped, self._names_left = stopped, most_names

    def into(self, folder: int, place: str, parts: Sequence[str], depth: int) -> None:
        """Look for `parts` in an open folder."""
        if depth > DEEPEST:
            raise TooMuch
        head, rest = parts[0], parts[1:]
        if head == ANY_FOLDERS:
            self.into(folder, place, rest, depth)
            self._each(folder, place, self._listed(folder, "*", folders=True), parts, depth)
        elif is_pattern(head):
            self._each(folder, place, self._listed(folder, head, folders=bool(rest)), rest, depth)
        else:
            self._step(folder, place, head, rest, depth)

    def _each(self, folder: int, place: str, names: Sequence[str], rest: Sequence[str], depth: int) -> None:
        for name in names:
            try:
                self._step(folder, place, name, rest, depth)
            except PermissionError:
                self._leave_out("Forbidden", f"{place}/{name}")

    def _step(self, folder: int, place: str, name: str, rest: Sequence[str], depth: int) -> None:
        if self._stopped():
            raise Stop
        path = f"{place}/{name}"
        if not rest:
            self._note(folder, name, path)
            return
        try:
            with opened(name, PASSED, folder) as inner:
                self.into(inner, path, rest, depth + 1)
        except NotAFolder:
            self._note(folder, name, path, on_the_way=True)
        except FileNotFoundError:
            pass  # it is not there, or no more

    def _note(self, folder: int, name: str, path: str, *, on_the_way: bool = False) -> None:
        try:
            seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        what = _what(seen.st_mode)
        if what is None and not on_the_way:
            self.found.files.append(File(path, seen.st_size, seen.st_mtime_ns))
        elif what == "Link" or (what and not on_the_way):
            self._leave_out(what, path)

    def _leave_out(self, what: str, path: str) -> None:
        self.found.left_out = self.found.left_out or LeftOut(what, path)

    def _listed(self, folder: int, pattern: str, *, folders: bool) -> list[str]:
        """The names in a folder that a pattern matches; links among them, so that they can be told of."""
        names = []
        with opened(".", LISTED, folder) as listed, os.scandir(listed) as entries:
            for entry in entries:
                self._count()
                if not _matches(entry.name, pattern):
                    continue
                if not folders or entry.is_symlink() or entry.is_dir(follow_symlinks=False):
                    names.append(entry.name)
        return names

    def _count(self) -> None:
        self._names_left -= 1
        if self._names_left < 0:
            raise TooMuch
        if self._stopped():
            raise Stop


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))


def _what(mode: int) -> str | None:
    """What a thing is that is no regular file."""
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISLNK(mode):
        return "Link"
    return "Folder" if stat.S_ISDIR(mode) else "Special"
