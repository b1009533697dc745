"""How the API says what went wrong: problem details (RFC 9457), from one table of exceptions."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from monitor_client import errors
from monitor_core.contract import Model, RequestError

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_SECONDS: Final = "5"
_STATUSES: Final[Mapping[type[Exception], HTTPStatus]] = {
    RequestError: HTTPStatus.BAD_REQUEST,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.AlreadyEnded: HTTPStatus.CONFLICT,
    errors.StillRunning: HTTPStatus.CONFLICT,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Contested: HTTPStatus.CONFLICT,
    errors.RunReplaced: HTTPStatus.CONFLICT,
    errors.Unreadable: HTTPStatus.BAD_GATEWAY,
    errors.NotAllowed: HTTPStatus.BAD_GATEWAY,
    errors.SchedulerRefused: HTTPStatus.BAD_GATEWAY,
    errors.SchedulerUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The first class that fits counts."""


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
    found = error.problems if isinstance(error, RequestError) else ()
    return ProblemDetails(
        type=f"urn:durable-monitor:{type(error).__name__}",
        title=status.phrase,
        status=status,
        detail=str(error),
        errors=tuple(FieldProblem(field=one.field, reason=one.reason) for one in found),
    )


def response(problem: ProblemDetails, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response that carries a problem."""
    return JSONResponse(
        problem.model_dump(mode="json"), problem.status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


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
    app.add_exception_handler(Exception, _unexpected)


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


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 # registered for it alone
    return response(_plain(HTTPStatus(error.status_code), str(error.detail)), error.headers)


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    # What it was stands in the log, which the server writes; the caller is told nothing of the inside.
    del error
    return response(_plain(HTTPStatus.INTERNAL_SERVER_ERROR, "a defect of Durable Monitor; its log says more"))


def _plain(status: HTTPStatus, detail: str, found: Sequence[FieldProblem] = ()) -> ProblemDetails:
    return ProblemDetails(title=status.phrase, status=status, detail=detail, errors=tuple(found))


def _field_problem(detail: Mapping[str, Any]) -> FieldProblem:
    place, *path = (str(part) for part in detail["loc"])
    return FieldProblem(field=".".join(path) or place, reason=str(detail["msg"]).removeprefix("Value error, "))
