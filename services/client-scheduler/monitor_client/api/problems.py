"""How the API says what went wrong: problem details (RFC 9457), from one table of exceptions."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from monitor_client import errors
from monitor_core.contract import CommandOutcome, Model, RequestError
from monitor_core.contract.wording import reason_of

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_SECONDS: Final = "5"
_FORMS: Final[Mapping[str, str]] = {
    "Repeatability-Request-ID": "should be 1 to 64 letters, digits, '.', '_' and '-': a UUID say",
    "label": "should be NAME=VALUE",
}
"""In the place of the pattern that a parameter should match."""
_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
_STATUSES: Final[Mapping[type[Exception], HTTPStatus]] = {
    RequestError: HTTPStatus.BAD_REQUEST,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.AlreadyEnded: HTTPStatus.CONFLICT,
    errors.StillRunning: HTTPStatus.CONFLICT,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Contested: HTTPStatus.CONFLICT,
    errors.RunReplaced: HTTPStatus.CONFLICT,
    errors.CommandRefused: HTTPStatus.CONFLICT,
    errors.Unreadable: HTTPStatus.BAD_GATEWAY,
    errors.NotAllowed: HTTPStatus.BAD_GATEWAY,
    errors.SchedulerRefused: HTTPStatus.BAD_GATEWAY,
    errors.ServerRefused: HTTPStatus.BAD_GATEWAY,
    errors.SchedulerUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NotTaken: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.WrongToken: HTTPStatus.UNAUTHORIZED,
    errors.NotAnswered: HTTPStatus.GATEWAY_TIMEOUT,
    errors.NotExplained: HTTPStatus.BAD_GATEWAY,
}
"""The first class that fits counts."""


_URL: Final = {"type": "string", "format": "uri"}
HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Allow": {"description": "The methods that there are.", "schema": {"type": "string"}},
    "Location": {"description": "The monitor's URL.", "schema": _URL},
    "Operation-Location": {"description": "The monitor as an Azure long-running operation.", "schema": _URL},
    "Retry-After": {
        "description": "Seconds after which it is worth asking again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"description": "How to say who is asking.", "schema": {"type": "string"}},
}
"""What the headers of answers mean, as OpenAPI describes them."""


class FieldProblem(Model):
    """One field that is wrong."""

    field: str = Field(description="Its dotted path, `check.url` say.")
    reason: str


class ProblemDetails(Model):
    """What went wrong (RFC 9457)."""

    type: str = Field("about:blank", description="`urn:durable-monitor:` and the error's name, or about:blank.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What was wrong, where, and what to do.")
    errors: tuple[FieldProblem, ...] = ()
    outcome: CommandOutcome | None = Field(None, description="Of a command that the monitor did not apply.")


class Refused(Exception):
    """A request that the API itself refuses.

    Args:
        status: the HTTP status.
        detail: what was wrong, and what to do.
        headers: to send along: Retry-After, say.
    """

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.headers = status, dict(headers or {})


def problem_of(error: Exception) -> ProblemDetails:
    """The problem details of an exception that a call raises by design."""
    status = next(status for kind, status in _STATUSES.items() if isinstance(error, kind))
    return ProblemDetails(
        type=f"urn:durable-monitor:{type(error).__name__}",
        title=status.phrase,
        status=status,
        detail=str(error),
        errors=tuple(_fields(error)),
        outcome=error.outcome if isinstance(error, errors.CommandRefused) else None,
    )


def _fields(error: Exception) -> Iterator[FieldProblem]:
    if isinstance(error, RequestError):
        yield from (FieldProblem(field=one.field, reason=one.reason) for one in error.problems)
    elif isinstance(error, errors.Conflict):
        for name, how in error.fields.items():
            yield FieldProblem(field=name, reason=f"differs from what runs{how and ': '}{how}")


def response(problem: ProblemDetails, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response that carries a problem."""
    return JSONResponse(
        problem.model_dump(mode="json"), problem.status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def declared(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """For a route's declaration: problems that it answers with beside those that any route has."""
    return {status: {"$ref": f"#/components/responses/{status.name}"} for status in statuses}


def headers(*names: str) -> dict[str, Any]:
    """For a route's declaration: headers of an answer that are always there."""
    return {name: {"required": True, **HEADERS[name]} for name in names}


def refusal(error: Refused) -> JSONResponse:
    """The response to a request that the API itself refuses."""
    return response(_plain(error.status, str(error)), error.headers)


def install(app: FastAPI) -> None:
    """Have every error of the application answered by problem details."""
    for kind in _STATUSES:
        app.add_exception_handler(kind, _by_design)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _by_design(_: Request, error: Exception) -> JSONResponse:
    problem = problem_of(error)
    wait = {"Retry-After": _RETRY_SECONDS} if problem.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return response(problem, wait)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)  # noqa: S101 # registered for it alone
    return refusal(error)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 # registered for it alone
    found = tuple(_field_problem(detail) for detail in error.errors())
    detail = "; ".join(f"{one.field}: {one.reason}" for one in found)
    return response(_plain(HTTPStatus.BAD_REQUEST, detail, found))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 # registered for it alone
    status, said, more = HTTPStatus(error.status_code), str(error.detail), dict(error.headers or {})
    match status:
        case HTTPStatus.NOT_FOUND:
            said = "there is nothing here: /openapi.json says what there is"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            more = {"Allow": ", ".join(_methods(request))}
            said = f"{request.method} is not for this: {more['Allow']} may be"
        case HTTPStatus.BAD_REQUEST:
            said = "the body is not JSON: it is no UTF-8, is nested too deep, or has a number of too many digits"
    return response(_plain(status, said), more)


def _methods(request: Request) -> list[str]:
    """What the path that was asked for may be asked; the framework knows but of one of its routes."""
    asked = ({**request.scope, "method": method} for method in _METHODS)
    return [one["method"] for one in asked if _is_served(request.app.routes, one)]


def _is_served(routes: Sequence[BaseRoute], scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def _plain(status: HTTPStatus, detail: str, found: Sequence[FieldProblem] = ()) -> ProblemDetails:
    return ProblemDetails(title=status.phrase, status=status, detail=detail, errors=tuple(found))


def _field_problem(detail: Mapping[str, Any]) -> FieldProblem:
    place, *path = (str(part) for part in detail["loc"])
    if detail["type"] == "json_invalid":
        return FieldProblem(field=place, reason=f"is not JSON: {detail['ctx']['error']}, character {path[0]}")
    form = _FORMS.get(path[0]) if path and detail["type"] == "string_pattern_mismatch" else None
    return FieldProblem(
        field=".".join(path) or place,
        reason=reason_of(detail["type"], form or str(detail["msg"]), detail["input"], detail.get("ctx") or {}),
    )
