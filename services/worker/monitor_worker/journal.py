"""Which checks were under way when the process died: kept in a file that outlives it.

A check that ends the process is handed out again by the engine, and ends the next one too. Only what is left
behind can tell it from the others. Each check under way has a slot of the file, written when it begins and when it
ends: small writes without a sync, for it is the process that dies and not the machine.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

SLOT: Final = 256
"""Bytes: whether it is under way, the deaths before, the key, blanks up to the end of the line."""
SUSPECTED: Final = 2
"""Deaths in a row from which on a check is remembered though it was not under way: it may have been held back."""
_NAMED: Final = 5
"""Suspects that are named in the log: a worker that is killed twice from outside may leave thousands."""
_UNDER_WAY, _KNOWN, _NOBODY = "!", "-", " "
_log = logging.getLogger(__name__)


class Journal:
    """The checks under way, and how many deaths in a row each has seen. For one thread.

    A file that cannot be written is given up, with a warning: no check fails for it.

    Args:
        folder: where the file is. Several workers may share it: each takes a file of its own, a dead one's if any.
    """

    def __init__(self, folder: Path) -> None:
        self._file = _own_file(folder)
        self._deaths = dict(_outlived(self._file))
        self._slots = {key: number for number, key in enumerate(self._deaths)}
        self._free: list[int] = []
        self._depth: Counter[str] = Counter()
        os.ftruncate(self._file, 0)
        for key in self._deaths:
            self._write(key, _KNOWN)

    def deaths(self, key: str) -> int:
        """How many times in a row the process has died while a check of this key was under way."""
        return self._deaths.get(key, 0)

    def suspects(self) -> list[str]:
        """The keys that have seen so many deaths that they may be the cause, each with the number."""
        return [f"{key} ({deaths} times)" for key, deaths in self._deaths.items() if deaths >= SUSPECTED]

    @contextmanager
    def under_way(self, key: str) -> Iterator[None]:
        """A check from its beginning to its end, however it ends: what comes back has ended no process."""
        self._depth[key] += 1
        if self._depth[key] == 1:
            self._begin(key)
        try:
            yield
        finally:
            self._depth[key] -= 1
            if not self._depth[key]:
                self._end(key)

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _begin(self, key: str) -> None:
        if key not in self._slots:
            self._slots[key] = self._free.pop() if self._free else len(self._slots)
        self._write(key, _UNDER_WAY)

    def _end(self, key: str) -> None:
        del self._depth[key]
        self._deaths.pop(key, None)
        self._write(key, _NOBODY)
        self._free.append(self._slots.pop(key))

    def _write(self, key: str, state: str) -> None:
        if self._file < 0:
            return
        line = f"{state}{self.deaths(key)} {key}".ljust(SLOT - 1) + "\n"
        try:
            os.pwrite(self._file, line.encode("ascii", "replace"), self._slots[key] * SLOT)
        except OSError as error:
            _log.warning("The journal of checks under way is given up: %s", error)
            self.close()


def journal_in(folder: Path | None) -> Journal | None:
    """A journal in a folder, where one is named and can be written."""
    if folder is None:
        return None
    try:
        journal = Journal(folder)
    except (ImportError, OSError) as error:
        _log.warning(
            "MONITOR_JOURNAL: no file can be kept there: a check that ends the worker may do so again: %s",
            error,
        )
        return None
    _tell_of(journal.suspects())
    return journal


def _tell_of(suspects: list[str]) -> None:
    """Who may have ended the worker: an operator whose workers die looks into the log."""
    if not suspects:
        return
    more = f" and {len(suspects) - _NAMED:,} more" if len(suspects) > _NAMED else ""
    named = ", ".join(suspects[:_NAMED]) + more
    _log.warning("Checks that were under way each last time that the worker died, and are held back: %s", named)


def _own_file(folder: Path) -> int:
    """The first file of the folder that no living process holds.

    Raises:
        OSError: there can be none.
    """
    import fcntl  # noqa: PLC0415 # not on every system, and only a worker with a journal needs it

    for number in count():
        file = os.open(folder / f"checks-{number}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
        else:
            return file
    raise AssertionError("unreachable")


def _outlived(file: int) -> Iterator[tuple[str, int]]:
    """What the process before has left: each key with its deaths in a row, as of now."""
    content = os.pread(file, os.fstat(file).st_size, 0).decode("ascii", "replace")
    for line in content.splitlines():
        state, deaths, key = line[:1], line[1:].partition(" ")[0], line.partition(" ")[2].strip()
        if not key or not deaths.isdecimal():
            continue
        if state == _UNDER_WAY:
            yield key, int(deaths) + 1
        elif state == _KNOWN and int(deaths) >= SUSPECTED:
            yield key, int(deaths)
