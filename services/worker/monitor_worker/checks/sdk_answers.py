"""What an error of Azure's SDKs says of the answer that it is about: for the tables of the kinds that use one."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from azure.core.exceptions import HttpResponseError

from monitor_worker.checks.base import CheckFailed
from monitor_worker.checks.http_answer import retry_after

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{1,80}")

Fits = Callable[[HttpResponseError], bool]


def code_of(error: HttpResponseError) -> str:
    """The service's own word for what is wrong (BlobNotFound, say); without one the status, `HTTP 404`."""
    headers = getattr(error.response, "headers", {})
    named = getattr(error, "error_code", None) or headers.get("x-ms-error-code")
    given = named or getattr(error.error, "code", None)
    code = str(getattr(given, "value", given))
    return code if given and _CODE.fullmatch(code) else f"HTTP {error.status_code}"


def codes(*wanted: str) -> Fits:
    """Whether the service's word is one of these."""
    return lambda error: code_of(error) in wanted


def statuses(*wanted: int) -> Fits:
    """Whether the status code is one of these."""
    return lambda error: error.status_code in wanted


def server(error: HttpResponseError) -> bool:
    """Whether the trouble is on the service's side."""
    return (error.status_code or 0) >= 500  # noqa: PLR2004 # the class 5xx


def with_patience(failed: CheckFailed, error: HttpResponseError, now: datetime) -> CheckFailed:
    """The error, with how long the answer asks to be left alone.

    Args:
        failed: what the answer means.
        error: the answer.
        now: UTC, to count a Retry-After that is a date from.
    """
    headers: Any = getattr(error.response, "headers", {})
    return CheckFailed(failed.error_class, str(failed), retry_after(headers.get("Retry-After"), now))
