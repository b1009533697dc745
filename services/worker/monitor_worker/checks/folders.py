"""Opening folders one below the other, so that no link can lead out of the one that is allowed.

A path that was checked may lead elsewhere when it is used. Here nothing is checked first: each part is opened
below the descriptor of the one before, and a link is refused by that very system call.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from errno import ELOOP, EMLINK, ENOTDIR
from pathlib import Path
from typing import Final

LISTED: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""To read the names in it."""
# O_PATH, where there is one, needs no leave to list a folder that is only passed through.
PASSED: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""To reach what is in it."""
_NO_FOLDER: Final = frozenset({ENOTDIR, ELOOP, EMLINK})  # systems differ in what they say of a link


class NotAFolder(Exception):
    """It is something else: a link, perhaps."""


class RootMissing(Exception):
    """The allowed folder is not there."""


class RootUnusable(Exception):
    """The allowed folder is none, or there is a link on the way to it."""


@contextmanager
def opened(name: str, flags: int, folder: int | None = None) -> Iterator[int]:
    """The descriptor of a folder.

    Args:
        name: in `folder`, or without one an absolute path.
        flags: LISTED or PASSED.
        folder: the descriptor of the one that it is in.

    Raises:
        NotAFolder: it is something else.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            raise NotAFolder from error
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened_root(root: Path) -> Iterator[int]:
    """The descriptor of an allowed folder, an absolute path without `..`; no link is followed on the way.

    Raises:
        RootMissing: it is not there.
        RootUnusable: it is no folder, or a link is on the way to it.
        OSError: it cannot be opened.
    """
    with ExitStack() as folders:
        try:
            folder = folders.enter_context(opened("/", PASSED))
            for name in root.parts[1:]:
                folder = folders.enter_context(opened(name, PASSED, folder))
        except FileNotFoundError:
            raise RootMissing from None
        except NotAFolder:
            raise RootUnusable from None
        yield folder
