"""What goes wrong between a request and its answer, as data: one table from exception to class and words."""

import os
import ssl
from typing import Final, NamedTuple

import aiohttp
from yarl import URL

from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import CheckFailed
from monitor_worker.checks.http_request import shown
from monitor_worker.checks.targets import TargetDenied, TargetUnresolved


class _Row(NamedTuple):
    raised: type[Exception]
    error_class: ErrorClass
    words: str


# The first row that fits counts. {url} has no query; {why} is never the exception's own text, which may hold one.
_TABLE: Final = (
    _Row(TargetDenied, ErrorClass.MISCONFIGURED, "{why}"),
    _Row(TargetUnresolved, ErrorClass.TRANSIENT, "{why}"),
    _Row(
        aiohttp.ClientConnectorCertificateError,
        ErrorClass.PERMANENT,
        "the certificate of {url} is not trusted: {why}",
    ),
    _Row(ssl.SSLError, ErrorClass.TRANSIENT, "no TLS connection to {url}: {why}"),
    _Row(TimeoutError, ErrorClass.TRANSIENT, "{url} did not answer in time"),
    _Row(aiohttp.ClientConnectorError, ErrorClass.TRANSIENT, "cannot connect to {url}: {why}"),
    _Row(aiohttp.ServerDisconnectedError, ErrorClass.TRANSIENT, "{url} closed the connection without an answer"),
    _Row(aiohttp.ClientPayloadError, ErrorClass.TRANSIENT, "the answer of {url} broke off, or cannot be decoded"),
    _Row(aiohttp.ClientResponseError, ErrorClass.TRANSIENT, "the answer of {url} is no HTTP that can be read"),
    _Row(aiohttp.InvalidURL, ErrorClass.MISCONFIGURED, "{url} cannot be asked: its host is no name or address"),
    _Row(OSError, ErrorClass.TRANSIENT, "the connection to {url} broke: {why}"),
    _Row(aiohttp.ClientError, ErrorClass.TRANSIENT, "the request to {url} failed"),
)
FAILURES: Final = tuple(row.raised for row in _TABLE)
"""What `check_failed` has words for."""


def check_failed(error: Exception, url: URL) -> CheckFailed:
    """The error of a check that an exception means.

    Args:
        error: one of FAILURES.
        url: what was asked.
    """
    row = next(row for row in _TABLE if isinstance(error, row.raised))
    return CheckFailed(row.error_class, row.words.format(url=shown(url), why=_why(error)))


def _why(error: Exception) -> str:
    match error:
        case TargetDenied() | TargetUnresolved():
            return str(error)
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as refused):
            return refused.verify_message
        case aiohttp.ClientConnectorSSLError(os_error=ssl.SSLError() as refused) | (ssl.SSLError() as refused):
            return (refused.reason or "it broke off").replace("_", " ").lower()
        case OSError(errno=int() as number):
            return os.strerror(number)
        case _:
            return "no address of it answers"
