"""What goes wrong between a notice and Service Bus, as data: one table from exception to class and words."""

import ssl
from collections.abc import Callable, Iterator
from typing import Final

from azure.servicebus.exceptions import (
    MessageSizeExceededError,
    MessagingEntityDisabledError,
    MessagingEntityNotFoundError,
    OperationTimeoutError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusCommunicationError,
    ServiceBusConnectionError,
    ServiceBusError,
    ServiceBusQuotaExceededError,
    ServiceBusServerBusyError,
)

from monitor_core.channels.service_bus import ServiceBusChannel
from monitor_core.contract import ErrorClass
from monitor_worker.channels.base import CheckFailed
from monitor_worker.checks.failures import Failure, classified, raised

_BUSY_SECONDS: Final = 10.0
"""So long a busy namespace asks its clients to wait."""
_CONDITION: Final = 64


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = getattr(error, "inner_exception", None) or error.__cause__


def _condition_of(error: BaseException) -> str:
    """The AMQP condition that the namespace gave (amqp:not-allowed, say); empty without one."""
    given = next((each.condition for each in _causes(error) if hasattr(each, "condition")), b"")
    text = bytes(given).decode("ascii", "replace") if isinstance(given, bytes) else str(given)
    return text if text.isprintable() and len(text) <= _CONDITION else ""


def _has_condition(error: BaseException) -> bool:
    return bool(_condition_of(error))


def _conditions(*wanted: str) -> Callable[[BaseException], bool]:
    return lambda error: _condition_of(error) in wanted


def _token_answered(*wanted: int) -> Callable[[BaseException], bool]:
    # What was said to the token stands in an exception of the SDK's own, whose class it keeps to itself.
    return lambda error: any(getattr(each, "status_code", None) in wanted for each in _causes(error))


def _untrusted(error: BaseException) -> bool:
    return any(isinstance(each, ssl.SSLCertVerificationError) for each in _causes(error))


_REFUSED: Final = (
    "{place} refuses the worker's identity: give it the role Azure Service Bus Data Sender there, which takes "
    "some minutes to have effect; or its network rules do not let the worker in"
)
_NOT_THERE: Final = "there is no {place}: see to.{field} and to.namespace"
# The first row that fits counts.
_TABLE: Final = (
    Failure(ServiceBusError, ErrorClass.PERMANENT, "the certificate of {host} is not trusted: {why}", _untrusted),
    Failure(ServiceBusError, ErrorClass.PERMANENT, _REFUSED, _token_answered(401, 403)),
    Failure(ServiceBusError, ErrorClass.MISCONFIGURED, _NOT_THERE, _token_answered(404)),
    Failure(ServiceBusAuthorizationError, ErrorClass.PERMANENT, _REFUSED),
    Failure(ServiceBusAuthenticationError, ErrorClass.PERMANENT, _REFUSED),
    Failure(MessagingEntityNotFoundError, ErrorClass.MISCONFIGURED, _NOT_THERE),
    Failure(MessagingEntityDisabledError, ErrorClass.TRANSIENT, "{place} is disabled: enable it"),
    Failure(MessageSizeExceededError, ErrorClass.PERMANENT, "this is more than {place} takes"),
    Failure(ServiceBusQuotaExceededError, ErrorClass.TRANSIENT, "{place} is full, or its namespace is"),
    Failure(ServiceBusServerBusyError, ErrorClass.TRANSIENT, "{place} is busy"),
    Failure(OperationTimeoutError, ErrorClass.TRANSIENT, "{place} did not answer in time"),
    Failure(
        ServiceBusError,
        ErrorClass.PERMANENT,
        "{place} does not take this ({condition})",
        _conditions(
            *("amqp:not-allowed", "amqp:not-implemented", "amqp:invalid-field", "amqp:link:redirect"),
            *("amqp:precondition-failed", "com.microsoft:argument-error"),
        ),
    ),
    Failure(ServiceBusConnectionError, ErrorClass.TRANSIENT, "no connection to {host}, or it broke ({condition})"),
    Failure(ServiceBusCommunicationError, ErrorClass.TRANSIENT, "there is no namespace at {host} ({condition})"),
    Failure(ServiceBusError, ErrorClass.TRANSIENT, "{place} did not take this ({condition})", _has_condition),
    Failure(ServiceBusError, ErrorClass.TRANSIENT, "what answers at {host} does not answer as Service Bus"),
    Failure(TimeoutError, ErrorClass.TRANSIENT, "{host} did not answer in time"),
)
CAUGHT: Final = raised(_TABLE)
"""What `check_failed` has words for."""


def named(spec: ServiceBusChannel) -> str:
    """The queue or topic, for people."""
    return f"queue {spec.queue}" if spec.queue else f"topic {spec.topic}"


def check_failed(error: BaseException, spec: ServiceBusChannel) -> CheckFailed:
    """The error of a delivery that an exception means.

    Args:
        error: one of CAUGHT.
        spec: where it was delivered to.
    """
    refused = next((each for each in _causes(error) if isinstance(each, ssl.SSLCertVerificationError)), None)
    failed = classified(
        _TABLE,
        error,
        place=f"{named(spec)} at {spec.namespace}",
        host=f"{spec.namespace}:{spec.port}",
        field="queue" if spec.queue else "topic",
        condition=_condition_of(error),
        why=refused.verify_message if refused else "",
    )
    patience = _BUSY_SECONDS if isinstance(error, ServiceBusServerBusyError) else None
    return CheckFailed(failed.error_class, str(failed), patience)
