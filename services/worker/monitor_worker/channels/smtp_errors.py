"""What goes wrong between the worker and a mail server, as data: one table from exception to class and words."""

import ssl
from collections.abc import Sequence
from typing import Any, Final

import aiosmtplib as smtp

from monitor_core.contract import ErrorClass
from monitor_worker.channels.base import CheckFailed
from monitor_worker.checks.failures import Failure, classified, raised, why_broken
from monitor_worker.checks.http_answer import printable
from monitor_worker.checks.masking import Mask

_LONGEST_REPLY: Final = 200
_FOR_GOOD: Final = 500


def _is_for_good(error: Any) -> bool:
    return bool(error.code >= _FOR_GOOD)


# The first row that fits counts. {reply} is the server's own text, freed of secrets.
_TABLE: Final = (
    Failure(
        ssl.SSLCertVerificationError, ErrorClass.PERMANENT, "the certificate of {target} is not trusted: {why}"
    ),
    Failure(ssl.SSLError, ErrorClass.TRANSIENT, "no TLS with {target}: {why}"),
    Failure(
        smtp.SMTPAuthenticationError,
        ErrorClass.PERMANENT,
        "{target} does not accept the user name and password: {reply}",
        _is_for_good,
    ),
    Failure(smtp.SMTPSenderRefused, ErrorClass.PERMANENT, "{target} refuses the sender: {reply}", _is_for_good),
    Failure(smtp.SMTPResponseException, ErrorClass.PERMANENT, "{target} refuses the mail: {reply}", _is_for_good),
    Failure(smtp.SMTPResponseException, ErrorClass.TRANSIENT, "{target} does not take it now: {reply}"),
    Failure(TimeoutError, ErrorClass.TRANSIENT, "{target} did not answer in time"),
    Failure(smtp.SMTPServerDisconnected, ErrorClass.TRANSIENT, "{target} closed the connection"),
    Failure(OSError, ErrorClass.TRANSIENT, "cannot connect to {target}: {why}"),
    Failure(smtp.SMTPException, ErrorClass.PERMANENT, "{target} offers no way to log in that the worker knows"),
)
FAILURES: Final = raised(_TABLE)
"""What `failed` has words for."""


def failed(error: BaseException, target: str, mask: Mask) -> CheckFailed:
    """The error of a delivery that an exception means.

    Args:
        error: one of FAILURES.
        target: host and port, for people.
        mask: takes secrets out of what the server says.
    """
    cause = _cause(error)
    return classified(_TABLE, cause, target=target, why=why_broken(cause), reply=_reply(cause, mask))


def refused(errors: Sequence[smtp.SMTPRecipientRefused], of: int, target: str, mask: Mask) -> CheckFailed:
    """The error of a delivery that some recipients, or all, do not get.

    Args:
        errors: one for each who does not.
        of: how many there are.
        target: host and port, for people.
        mask: takes secrets out of what the server says.
    """
    # Where one may be taken later it is worth another attempt, whoever else is refused for good.
    first = next((error for error in errors if not _is_for_good(error)), errors[0])
    error_class = ErrorClass.PERMANENT if _is_for_good(first) else ErrorClass.TRANSIENT
    who = f"{first.recipient}" + (f" and {len(errors) - 1} more" if len(errors) > 1 else "")
    rest = "nobody has the mail" if len(errors) == of else "the others have the mail"
    return CheckFailed(error_class, f"{target} refuses {who} ({rest}): {_reply(first, mask)}")


def reply(code: int, text: str, mask: Mask) -> str:
    """What a server says, in a line: `250 2.0.0 queued as 4711`."""
    return printable(mask(" ".join(f"{code} {text}".split())), _LONGEST_REPLY)


def _cause(error: BaseException) -> BaseException:
    # aiosmtplib wraps what goes wrong while connecting into errors that say less.
    inner = error.__cause__
    is_wrapped = isinstance(error, smtp.SMTPConnectError) and not isinstance(error, smtp.SMTPResponseException)
    return inner if is_wrapped and inner is not None else error


def _reply(error: BaseException, mask: Mask) -> str:
    return reply(error.code, error.message, mask) if isinstance(error, smtp.SMTPResponseException) else ""
