"""How a failure is told: one line on stderr, and an exit code."""

import logging
import os
import sys
from collections.abc import Mapping
from typing import Final

from monitor_client import errors
from monitor_client.usage import ReaderGone
from monitor_core.contract import RequestError
from monitor_core.settings import SettingsError
from monitor_core.words import clean

EXIT_USAGE: Final = 2
EXIT_UNEXPECTED: Final = 70
EXIT_BROKEN_PIPE: Final = 141
_LONGEST_SAID: Final = 4000

_EXIT_CODES: Final[Mapping[type[Exception], int]] = {
    RequestError: EXIT_USAGE,
    SettingsError: EXIT_USAGE,
    errors.NotFound: EXIT_USAGE,
    errors.AlreadyEnded: EXIT_USAGE,
    errors.Conflict: EXIT_USAGE,
    errors.StillRunning: EXIT_USAGE,
    errors.Contested: EXIT_USAGE,
    errors.Unreadable: EXIT_USAGE,
    errors.CommandRefused: EXIT_USAGE,
    errors.SchedulerUnreachable: 6,
    errors.NotAllowed: 6,
    errors.SchedulerRefused: 6,
    errors.ServerRefused: 6,
    errors.NotExplained: 6,
    errors.RunReplaced: 7,
}


def tell(error: Exception) -> int:
    """Say on stderr what failed; the exit code."""
    if isinstance(error, ReaderGone):
        return _who_read_is_gone()
    code = code_of(error)
    if code != EXIT_UNEXPECTED:
        say(str(error))
        return code
    logging.getLogger(__name__).debug("unexpected", exc_info=error)
    say(f"unexpected {type(error).__name__}: {error} (a defect; LOG_LEVEL=DEBUG shows the traceback)")
    return EXIT_UNEXPECTED


def code_of(error: Exception) -> int:
    """The exit code that an exception means."""
    return next((code for kind, code in _EXIT_CODES.items() if isinstance(error, kind)), EXIT_UNEXPECTED)


def say(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    print(f"Error: {_shown(message)}", file=sys.stderr)  # noqa: T201 # the user's terminal


def note(message: str) -> None:
    """Something to know that is no error, in one line on stderr."""
    print(f"Note: {_shown(message)}", file=sys.stderr)  # noqa: T201 # the user's terminal


def _shown(message: str) -> str:
    """In one line, which no terminal obeys: parts of it are a stranger's."""
    line = clean(message)
    return line if len(line) <= _LONGEST_SAID else f"{line[:_LONGEST_SAID]}..."


def _who_read_is_gone() -> int:
    """End as `head` and `less` expect; Python must not find the pipe broken once more when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_BROKEN_PIPE
