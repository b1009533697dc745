"""Every error as problem details (RFC 9457), naming the field that is wrong."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

_LONGEST_SHOWN = 80
_TITLES = {status.value: status.phrase for status in HTTPStatus}


def problem(code: int, detail: str, headers: Mapping[str, str] | None = None, **members: object) -> Response:
    """An answer with status `code` that says in `detail` what was wrong; `members` extend the form."""
    title = _TITLES.get(code, "Error")
    content = {"type": "about:blank", "title": title, "status": code, "detail": detail, **members}
    return JSONResponse(content, code, headers, "application/problem+json")


def handle_errors(app: FastAPI) -> None:
    """Let `app` answer its errors as problem details."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    # What Starlette raises by itself says no more than its status code.
    bare = error.detail == _TITLES.get(error.status_code)
    detail = f"{request.method} {request.scope['path']}: {error.detail}" if bare else error.detail
    return problem(error.status_code, detail, error.headers)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    errors = [{"field": _field(one), "reason": _reason(one)} for one in error.errors()]
    detail = "; ".join(f"{one['field']}: {one['reason']}" for one in errors)
    return problem(422, detail, errors=errors)


def _field(error: Mapping[str, Any]) -> str:
    # The first part says where the field stood (body, query), which is its name where it is all there is.
    place, *parts = (str(part) for part in error["loc"])
    return place if error["type"] == "json_invalid" else ".".join(parts) or place


def _reason(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "is not a known field"
    if error["type"] == "json_invalid":
        return f"is not valid JSON: {error['ctx']['error']} (at character {error['loc'][-1]})"
    if isinstance(error["input"], bytes):
        return "should be a JSON object, sent with Content-Type: application/json"
    reason = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    value = error["input"]
    plain = value is None or isinstance(value, bool | int | float | str)
    return f"{reason} (got {value!r})" if plain and len(repr(value)) <= _LONGEST_SHOWN else reason
