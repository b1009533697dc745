"""What goes wrong between a notice and Event Grid, as data: one table from answer to class and words."""

from datetime import datetime
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError
from yarl import URL

from monitor_core.channels.event_grid import EventGridChannel
from monitor_core.contract import ErrorClass
from monitor_worker.channels.base import CheckFailed
from monitor_worker.checks import http_errors
from monitor_worker.checks.failures import Failure, classified
from monitor_worker.checks.http_request import shown
from monitor_worker.checks.sdk_answers import code_of, server, statuses, with_patience

CAUGHT: Final[tuple[type[BaseException], ...]] = (AzureError, *http_errors.FAILURES)
"""What `check_failed` has words for."""

# The first row that fits counts. {who} is who publishes, {code} the service's own word.
_TABLE: Final = (
    Failure(
        HttpResponseError,
        ErrorClass.PERMANENT,
        "{place} refuses {who} ({code}): {grant}",
        statuses(401, 403),
    ),
    Failure(
        HttpResponseError,
        ErrorClass.MISCONFIGURED,
        "{place} takes no such event ({code}): its input schema should be CloudEvents v1.0; to.topic is for a "
        "domain alone, which needs it",
        statuses(400),
    ),
    Failure(
        HttpResponseError,
        ErrorClass.MISCONFIGURED,
        "{place} is no topic or domain of Event Grid ({code}): see to.endpoint",
        statuses(301, 302, 303, 307, 308, 404, 405, 410),
    ),
    Failure(HttpResponseError, ErrorClass.PERMANENT, "this is more than {place} takes ({code})", statuses(413)),
    Failure(HttpResponseError, ErrorClass.TRANSIENT, "{place} is busy ({code})", statuses(408, 409, 429)),
    Failure(HttpResponseError, ErrorClass.TRANSIENT, "{place} is not available ({code})", server),
    Failure(HttpResponseError, ErrorClass.PERMANENT, "{place} does not take this ({code})"),
    Failure(AzureError, ErrorClass.TRANSIENT, "{place} gives no answer that can be used"),
)


def check_failed(error: BaseException, spec: EventGridChannel, now: datetime) -> CheckFailed:
    """The error of a delivery that an exception means.

    Args:
        error: one of CAUGHT.
        spec: where it was delivered to.
        now: UTC, to count a Retry-After that is a date from.
    """
    place = shown(URL(spec.endpoint))
    if isinstance(error, HttpResponseError) and isinstance(error.__cause__, HttpResponseError):
        error = error.__cause__  # the client's own words for a 404, which know nothing of the answer
    if isinstance(error, HttpResponseError):
        words = {"place": place, "code": code_of(error), "who": _who(spec), "grant": _grant(spec)}
        return with_patience(classified(_TABLE, error, **words), error, now)
    cause = getattr(error, "inner_exception", None) or error
    if isinstance(cause, http_errors.FAILURES):
        return http_errors.check_failed(cause, place)
    return classified(_TABLE, error, place=place)


def _who(spec: EventGridChannel) -> str:
    return f"the key {spec.key}" if spec.key else "the worker's identity"


def _grant(spec: EventGridChannel) -> str:
    if spec.key:
        return "it is no access key of this place, or access keys are disabled there: leave to.key out"
    return "give it the role EventGrid Data Sender there, which takes some minutes to have effect"
