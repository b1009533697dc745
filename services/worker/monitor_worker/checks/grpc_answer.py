"""From what came of a call to an observation, or to an error of the check. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

from google.protobuf.message import DecodeError
from grpc import StatusCode
from grpc.aio import AioRpcError
from grpc_health.v1.health_pb2 import HealthCheckResponse

from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import Observation
from monitor_worker.checks.failures import Failure, classified, raised
from monitor_worker.checks.http_answer import printable

_LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one call.

    Args:
        outcome: the reply as it came, or why there is none.
        connected: whether the server was reached.
    """

    outcome: bytes | AioRpcError
    connected: bool

    @classmethod
    def failed(cls, error: AioRpcError, *, connected: bool) -> Self:
        """Of a call that failed; `connected` is whether there is a connection now."""
        return cls(error, connected or error.code() not in _WAITED_FOR)


class _Unreached(NamedTuple):
    sign: str
    """Part of what gRPC says; it has no codes for it."""
    status: str
    words: str


# The first row that fits counts, and of a host's addresses the one whose row comes first.
_UNREACHED: Final = (
    _Unreached("CERTIFICATE_VERIFY_FAILED", "Untrusted", "the certificate of {target} is not trusted: {why}"),
    _Unreached("Hostname Verification", "Untrusted", "the certificate of {target} is for other names"),
    _Unreached("Tls handshake failed", "No TLS", "there is no TLS with {target}: {why}"),
    _Unreached("parsing HTTP/2", "No gRPC", "{target} speaks no gRPC"),
    _Unreached("Connection refused", "Refused", "{target} refuses the connection"),
    _Unreached("", "Unreachable", "{target} cannot be reached: {why}"),
)


def _coded(*codes: StatusCode) -> Callable[[Any], bool]:
    return lambda error: error.code() in codes


_NAMES: Final[dict[int, str]] = {number: name for name, number in HealthCheckResponse.ServingStatus.items()}
_WAITED_FOR: Final = frozenset({StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED})
"""The server says these, or gRPC itself where it reaches none; every other code is the server's."""
_TABLE: Final = (
    Failure(
        AioRpcError,
        ErrorClass.PERMANENT,
        "{target} has no health service (grpc.health.v1.Health): add it to the server, or use the kind tcp",
        _coded(StatusCode.UNIMPLEMENTED),
    ),
    Failure(
        AioRpcError,
        ErrorClass.PERMANENT,
        "{target} refuses the caller ({code}): let its health service be called without credentials",
        _coded(StatusCode.PERMISSION_DENIED, StatusCode.UNAUTHENTICATED),
    ),
    Failure(
        AioRpcError,
        ErrorClass.PERMANENT,
        "{target} does not take the call ({code})",
        _coded(StatusCode.INVALID_ARGUMENT),
    ),
    Failure(AioRpcError, ErrorClass.TRANSIENT, "{target} answers {code}"),
    Failure(DecodeError, ErrorClass.TRANSIENT, "the answer of {target} is none of the health service"),
)


def most_telling(answers: list[Answer]) -> Answer:
    """Of the answers of a host's addresses the one that says most: the one that was reached, if any."""
    return min(answers, key=_rank)


def observation(answer: Answer, service: str, target: str, milliseconds: float) -> Observation:
    """What an answer shows.

    Args:
        answer: any.
        service: that was asked about; empty for the server as a whole.
        target: host and port, for people.
        milliseconds: from the check's start to the answer.

    Raises:
        CheckFailed: it shows nothing of the service.
    """
    outcome = answer.outcome
    code = outcome.code() if isinstance(outcome, AioRpcError) else StatusCode.OK
    if isinstance(outcome, AioRpcError) and code in _WAITED_FOR:
        return _unanswered(outcome, target, connected=answer.connected)
    try:
        status = _status(outcome)
    except raised(_TABLE) as error:
        raise classified(_TABLE, error, target=target, code=code.name) from error
    named = f"the service {service}" if service else "the server"
    variables = _variables(connected=True, status=status) | {"latency_ms": milliseconds}
    return Observation(status, variables, f"{named} is {status}, in {milliseconds:.0f} ms")


def _status(outcome: bytes | AioRpcError) -> str:
    if isinstance(outcome, bytes):
        status = HealthCheckResponse.FromString(outcome).status
        return _NAMES.get(status, "UNKNOWN")  # that of a newer protocol is not known here
    if outcome.code() is StatusCode.NOT_FOUND:
        return "SERVICE_UNKNOWN"  # so the protocol says it
    raise outcome


def _variables(*, connected: bool, status: str = "") -> dict[str, Any]:
    return {"serving": status == "SERVING", "connected": connected, "status": status}


def _unanswered(error: AioRpcError, target: str, *, connected: bool) -> Observation:
    variables, code = _variables(connected=connected), error.code()
    if connected:
        return Observation(code.name, variables, f"{target} answers {code.name}")
    if code is StatusCode.DEADLINE_EXCEEDED:
        return Observation("Unreachable", variables, f"{target} did not answer in time")
    row = _UNREACHED[_row(error)]
    return Observation(row.status, variables, row.words.format(target=target, why=_why(error)))


def _rank(answer: Answer) -> int:
    return -1 if answer.connected or isinstance(answer.outcome, bytes) else _row(answer.outcome)


def _row(error: AioRpcError) -> int:
    said = error.details() or ""
    return next(number for number, row in enumerate(_UNREACHED) if row.sign in said)


def _why(error: AioRpcError) -> str:
    """The end of what gRPC says: where the trouble is, without the layers that it was passed through."""
    said = (error.details() or "").removesuffix(": OK").rpartition("last error: ")[2]
    return printable(said.rpartition("OPENSSL_internal:")[2], _LONGEST_REASON)
