"""Which checks were under way when the process died: kept in a file that outlives it.

A check that ends the process is handed out again by the engine, and ends the next one too. Only what is left
behind can tell it from the others, for a day. Each check under way has a slot of the file, written when it begins
and when it ends: small writes without a sync, for it is the process that dies and not the machine.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

SLOT: Final = 256
"""Bytes of a line: whether it is under way, how many deaths before and when the last was, the key, blanks."""
SUSPECTED: Final = 2
"""Deaths in a row from which on a check is remembered though it was not under way: it may have been held back."""
FORGOTTEN_SECONDS: Final = 86_400
"""So long after a death nobody is accused of it: the monitor may have ended, or gone on at another worker."""
_NAMED: Final = 5
"""Suspects that are named in the log: a worker that is killed twice from outside may leave thousands."""
_UNDER_WAY, _KNOWN, _NOBODY = "!", "-", " "
_log = logging.getLogger(__name__)


class Deaths(NamedTuple):
    """How many in a row, and when the last one was (seconds since 1970)."""

    number: int
    last: int


NO_DEATHS: Final = Deaths(0, 0)


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
        return self._deaths.get(key, NO_DEATHS).number

    def suspects(self) -> list[str]:
        """The keys that have seen so many deaths that they may be the cause, each with the number."""
        return [f"{key} ({deaths.number} times)" for key, deaths in self._deaths.items() if _is_suspect(deaths)]

    @contextmanager
    def under_way(self, key: str) -> Iterator[None]:
        """A check from its beginning to its end: what comes back has ended no process, unless it was cancelled."""
        self._depth[key] += 1
        if self._depth[key] == 1:
            self._begin(key)
        try:
            yield
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._deaths.pop(key, None)
            raise
        else:
            self._deaths.pop(key, None)
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
        if key in self._deaths:
            self._write(key, _KNOWN)
            return
        self._write(key, _NOBODY)
        self._free.append(self._slots.pop(key))

    def _write(self, key: str, state: str) -> None:
        if self._file < 0:
            return
        deaths = self._deaths.get(key, NO_DEATHS)
        line = f"{state}{deaths.number} {deaths.last} {key}".ljust(SLOT - 1) + "\n"
        try:
            os.pwrite(self._file, line.encode("ascii", "replace"), self._slots[key] * SLOT)
        except OSError as error:
            _log.warning("The journal of checks under way is given up: %s", error)
            with suppress(OSError):
                os.ftruncate(self._file, 0)  # who is under way now must not be accused of what comes
            self.close()


def journal_in(folder: Path | None) -> Journal | None:
    """A journal in a folder, where one is named and can be written."""
    if folder is None:
        return None
    try:
        journal = Journal(folder)
    except (ImportError, OSError) as error:
        _log.warning(
            "MONITOR_JOURNAL: no file can be kept there, make it a folder that this user may write to: "
            "until then a check that ends the worker may do so again: %s",
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


def _outlived(file: int) -> Iterator[tuple[str, Deaths]]:
    """What the process before has left: each key with its deaths in a row, as of now."""
    status, now = os.fstat(file), int(time.time())
    content = os.pread(file, status.st_size, 0).decode("ascii", "replace")
    died = int(status.st_mtime)  # not before its last check began or ended
    for line in content.splitlines():
        state, (number, last, key) = line[:1], _fields(line[1:])
        if not key:
            continue
        deaths = Deaths(number + 1, died) if state == _UNDER_WAY else Deaths(number, last)
        known = state == _UNDER_WAY or (state == _KNOWN and _is_suspect(deaths))
        if known and now - deaths.last < FORGOTTEN_SECONDS:
            yield key, deaths


def _fields(text: str) -> tuple[int, int, str]:
    """Deaths, when the last was, and whose; of nobody where it is no line of a journal."""
    number, _, rest = text.partition(" ")
    last, _, key = rest.partition(" ")
    return (int(number), int(last), key.strip()) if number.isdecimal() and last.isdecimal() else (0, 0, "")


def _is_suspect(deaths: Deaths) -> bool:
    return deaths.number >= SUSPECTED
