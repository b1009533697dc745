"""What a client-scheduler's HTTP API refuses by, turned back into the errors that it was made of."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from pydantic import ValidationError

from monitor_client import errors
from monitor_client.errors import ServiceError
from monitor_core.contract import CommandOutcome, Model, Problem, RequestError

LONGEST_WAIT_SECONDS: Final = 30.0
_URN: Final = "urn:durable-monitor:"
_ADVICE: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.UNAUTHORIZED: "it takes https, MONITOR_SERVER_AUDIENCE as its AUTH_AUDIENCE, and `az login`",
    HTTPStatus.FORBIDDEN: "its roles are Monitor.Read, and Monitor.Operate for what changes something",
}
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_GATEWAYS: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


class _Field(Model):
    field: str
    reason: str


class _Details(Model):
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[_Field, ...] = ()
    outcome: CommandOutcome | None = None


def error_of(data: Any, status: int, server: str, retry_after: str | None = None) -> ServiceError | RequestError:
    """The error that an answer means.

    Args:
        data: its JSON; problem details, if it is a client-scheduler's.
        status: of the answer.
        server: for messages.
        retry_after: the header.
    """
    try:
        details = _Details.model_validate(data, extra="ignore")
    except ValidationError:
        return _of_status(status, server)
    if details.type.startswith(_URN):
        return _named(details, server)
    if status == HTTPStatus.BAD_REQUEST:
        found = [Problem(one.field, one.reason) for one in details.errors]
        return RequestError(found or [Problem("request", details.detail)])
    return _refused(details.detail, status, server, retry_after)


def retry_seconds(text: str | None) -> float:
    """What Retry-After says, in seconds or as a date: 0.1 to 30 s, and 1 where it says nothing."""
    if text is None:
        return 1.0
    try:
        ahead = float(text) if text.strip().isdecimal() else _until(text)
    except (TypeError, ValueError, OverflowError):
        return 1.0
    return min(max(ahead, 0.1), LONGEST_WAIT_SECONDS)


def _until(text: str) -> float:
    moment = parsedate_to_datetime(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


def _named(details: _Details, server: str) -> ServiceError | RequestError:
    name = details.type.removeprefix(_URN)
    if name == RequestError.__name__:
        return RequestError(Problem(one.field, one.reason) for one in details.errors)
    if details.outcome is not None:
        return errors.CommandRefused(details.outcome)
    kind = getattr(errors, name, None)
    if not (isinstance(kind, type) and issubclass(kind, ServiceError)):
        return errors.ServerRefused(server, details.detail)  # of a newer version
    # Its message is whole already: the constructor would make another of it.
    error = kind.__new__(kind)
    Exception.__init__(error, details.detail)
    if isinstance(error, errors.SchedulerUnreachable):
        error.why = details.detail
    if isinstance(error, errors.Conflict):
        error.fields = {one.field: one.reason for one in details.errors}
    return error


def _refused(why: str, status: int, server: str, retry_after: str | None) -> ServiceError:
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return errors.NotAdmitted(server, why, _ADVICE[HTTPStatus(status)])
        case HTTPStatus.TOO_MANY_REQUESTS:
            return errors.ServerBusy(server, why, retry_seconds(retry_after))
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return errors.ServerFull(server, why, retry_seconds(retry_after))
        case HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED:
            return errors.NoClientScheduler(server, f"answers {status}, {why}")
    return errors.ServerRefused(server, why)


def _of_status(status: int, server: str) -> ServiceError:
    """Of an answer that is nobody's problem details: a gateway's in front of it, or another server's."""
    if status in _GATEWAYS:
        return errors.ServerUnreachable(server, f"what is in front of it answers {status}")
    if status in _ADVICE or status in _BUSY:
        return _refused(f"it answers {status}", status, server, None)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return errors.NoClientScheduler(server, f"answers {status}, a redirection, which is not followed")
    return errors.NoClientScheduler(server, f"answers {status} with something else")
