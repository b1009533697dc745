"""What goes wrong in a check, as data: one table a kind, from exception to class and words."""

import os
import ssl
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from monitor_core.contract import ErrorClass
from monitor_worker.checks.failed import CheckFailed


def _any(_: Any) -> bool:
    return True


class Failure(NamedTuple):
    """One row: the exceptions it fits, what they say of the next check, and to a person.

    Args:
        raised: the exception's class.
        error_class: what it says of the next check.
        words: a format string; its fields are what `classified` is given.
        fits: tells apart what is of one class (by its code, say).
    """

    raised: type[BaseException]
    error_class: ErrorClass
    words: str
    fits: Callable[[Any], bool] = _any


def classified(table: Sequence[Failure], error: BaseException, **words: str) -> CheckFailed:
    """The error of a check that an exception means: the first row that fits counts.

    Args:
        table: the kind's rows, the last of them broad enough for whatever its `except` lets in.
        error: the exception.
        words: what the rows' words are filled with; never the exception's own text, which may hold a secret.

    Raises:
        LookupError: no row fits, which is a defect of the driver.
    """
    for row in table:
        if isinstance(error, row.raised) and row.fits(error):
            return CheckFailed(row.error_class, row.words.format(**words))
    raise LookupError(f"no row fits {type(error).__name__}")


def raised(table: Sequence[Failure]) -> tuple[type[BaseException], ...]:
    """What an `except` has to catch for the table."""
    return tuple(row.raised for row in table)


def why_broken(error: BaseException) -> str:
    """Why a connection could not be made, or broke off: in the words of TLS or of the system, no stranger's."""
    match error:
        case ssl.SSLCertVerificationError():
            return error.verify_message
        case ssl.SSLError():
            return (error.reason or "it broke off").replace("_", " ").lower()
        case OSError(errno=int() as number):
            return os.strerror(number)
        case _:
            return "it broke off"
