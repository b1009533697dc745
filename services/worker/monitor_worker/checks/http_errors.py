"""What goes wrong between a request and its answer, as data: one table from exception to class and words."""

import os
import ssl
from typing import Final

import aiohttp

from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import CheckFailed
from monitor_worker.checks.failures import Failure, classified, raised
from monitor_worker.checks.targets import TargetDenied, TargetUnresolved

# The first row that fits counts. {url} has no query; {why} is never the exception's own text, which may hold one.
_TABLE: Final = (
    Failure(TargetDenied, ErrorClass.MISCONFIGURED, "{why}"),
    Failure(TargetUnresolved, ErrorClass.TRANSIENT, "{why}"),
    Failure(
        aiohttp.ClientConnectorCertificateError,
        ErrorClass.PERMANENT,
        "the certificate of {url} is not trusted: {why}",
    ),
    Failure(ssl.SSLError, ErrorClass.TRANSIENT, "no TLS connection to {url}: {why}"),
    Failure(TimeoutError, ErrorClass.TRANSIENT, "{url} did not answer in time"),
    Failure(aiohttp.ClientConnectorError, ErrorClass.TRANSIENT, "cannot connect to {url}: {why}"),
    Failure(
        aiohttp.ServerDisconnectedError, ErrorClass.TRANSIENT, "{url} closed the connection without an answer"
    ),
    Failure(
        aiohttp.ClientPayloadError, ErrorClass.TRANSIENT, "the answer of {url} broke off, or cannot be decoded"
    ),
    Failure(aiohttp.ClientResponseError, ErrorClass.TRANSIENT, "the answer of {url} is no HTTP that can be read"),
    Failure(aiohttp.InvalidURL, ErrorClass.MISCONFIGURED, "{url} cannot be asked: its host is no name or address"),
    Failure(OSError, ErrorClass.TRANSIENT, "the connection to {url} broke: {why}"),
    Failure(aiohttp.ClientError, ErrorClass.TRANSIENT, "the request to {url} failed"),
)
FAILURES: Final = raised(_TABLE)
"""What `check_failed` has words for."""


def check_failed(error: BaseException, url: str) -> CheckFailed:
    """The error of a check that an exception means.

    Args:
        error: one of FAILURES.
        url: what was asked, as a message may show it.
    """
    return classified(_TABLE, error, url=url, why=_why(error))


def _why(error: BaseException) -> str:
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
