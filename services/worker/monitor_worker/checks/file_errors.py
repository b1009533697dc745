"""What goes wrong on the way to a file, as data: one table from exception to what it says of the next check."""

import os
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Final

from monitor_core.contract import ErrorClass
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.failures import Failure, classified, raised
from monitor_worker.checks.file_walk import DEEPEST, MOST_NAMES, TooMuch
from monitor_worker.checks.folders import RootMissing, RootUnusable
from monitor_worker.checks.threads import NoThreadFree

_TABLE: Final = (
    Failure(
        NoThreadFree,
        ErrorClass.TRANSIENT,
        "every thread for {root} is busy with an earlier check: the mount hangs, or is slow",
    ),
    Failure(
        TimeoutError,
        ErrorClass.TRANSIENT,
        "{root} did not answer in time: the mount hangs, or {path} makes the check look at very many names",
    ),
    Failure(
        TooMuch,
        ErrorClass.PERMANENT,
        f"check.path: {{path}} makes a check look at more than {MOST_NAMES:,} names, or {DEEPEST} folders deep: "
        "name more of the path",
    ),
    Failure(RootMissing, ErrorClass.TRANSIENT, "{root} of MONITOR_FILE_ROOTS is not there: is the share mounted?"),
    Failure(
        RootUnusable,
        ErrorClass.MISCONFIGURED,
        "{root} of MONITOR_FILE_ROOTS is no folder, or there is a link in it: name the folder itself",
    ),
    Failure(PermissionError, ErrorClass.PERMANENT, "the worker may not look into a folder of {path}"),
    Failure(
        OSError,
        ErrorClass.MISCONFIGURED,
        "check.path: a name in {path} is too long for the share",
        lambda error: error.errno == ENAMETOOLONG,
    ),
    Failure(OSError, ErrorClass.TRANSIENT, "{root} cannot be looked into: {why}"),
)
FAILURES: Final = raised(_TABLE)
"""What `failed` has words for."""


def not_allowed(path: str) -> CheckFailed:
    """The error of a check of a path that is below no allowed folder."""
    what = f"check.path: {path} is below no folder that this worker may look into"
    advice = "add the one it is in to MONITOR_FILE_ROOTS of the worker"
    return CheckFailed(ErrorClass.MISCONFIGURED, f"{what}: {advice}")


def failed(error: BaseException, path: str, root: Path) -> CheckFailed:
    """The error of a check that an exception means.

    Args:
        error: one of FAILURES.
        path: as the request has it.
        root: the allowed folder that it is below.
    """
    number = getattr(error, "errno", None)
    return classified(_TABLE, error, path=path, root=str(root), why=os.strerror(number) if number else "?")
