"""What goes wrong on the way to a port, as data: one table from step and exception to what it means."""

import errno
import ssl
from enum import Enum, auto
from typing import Final, NamedTuple

from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import CheckFailed
from monitor_worker.checks.failures import why_broken


class Step(Enum):
    """How far the check had come: a reset connection means another thing in each."""

    CONNECTING = auto()
    HANDSHAKE = auto()


class _Row(NamedTuple):
    step: Step
    raised: type[Exception]
    means: ErrorClass | str
    """The class of the check's error, or the status that is observed."""
    words: str
    numbers: frozenset[int] = frozenset()
    """The errno that it must have; empty for any."""


_WORKER_IS_SHORT: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
)
# The first row that fits counts, and of a host's addresses the one whose row comes first.
_TABLE: Final = (
    _Row(Step.CONNECTING, ConnectionError, "Refused", "{target} refuses the connection"),
    _Row(Step.CONNECTING, TimeoutError, "Unreachable", "{target} did not answer in time"),
    _Row(
        Step.CONNECTING,
        OSError,
        ErrorClass.TRANSIENT,
        "the worker cannot connect to {target}: {why}",
        _WORKER_IS_SHORT,
    ),
    _Row(Step.CONNECTING, OSError, "Unreachable", "{target} cannot be reached: {why}"),
    _Row(
        Step.HANDSHAKE,
        ssl.SSLCertVerificationError,
        "Untrusted",
        "connected, but the certificate of {target} is not trusted: {why}",
    ),
    _Row(Step.HANDSHAKE, TimeoutError, "No TLS", "connected, but {target} made no TLS handshake in time"),
    _Row(Step.HANDSHAKE, OSError, "No TLS", "connected, but there is no TLS with {target}: {why}"),
)


class Seen(NamedTuple):
    """What a failure shows of the port."""

    status: str
    summary: str


def seen(step: Step, errors: list[Exception], target: str) -> Seen:
    """What the failures of one step show.

    Args:
        step: where they were raised.
        errors: OSError, at least one: one for each address that was tried; the most telling one counts.
        target: host and port, for people.

    Raises:
        CheckFailed: they show nothing of the port.
    """
    rank, error = min(((_rank(step, error), error) for error in errors), key=lambda pair: pair[0])
    row = _TABLE[rank]
    words = row.words.format(target=target, why=why_broken(error))
    if isinstance(row.means, ErrorClass):
        raise CheckFailed(row.means, words) from error
    return Seen(row.means, words)


def _rank(step: Step, error: Exception) -> int:
    return next(rank for rank, row in enumerate(_TABLE) if row.step is step and _fits(row, error))


def _fits(row: _Row, error: Exception) -> bool:
    return isinstance(error, row.raised) and (not row.numbers or getattr(error, "errno", None) in row.numbers)
