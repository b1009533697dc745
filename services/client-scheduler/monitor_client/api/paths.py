"""Job ids in paths: any text may be one, a slash in it included, as long as it is percent-encoded.

But for `.` and `..`: clients take these for steps in the path, encoded or not, and would ask for something else.
"""

from typing import Annotated, Final
from urllib.parse import quote, unquote

from fastapi import Path, Request
from pydantic import AfterValidator
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor_core.contract import MonitorRequest, Problem, RequestError

_STREAM: Final = "/events"


class EncodedPaths:
    """Routes by the path as it was sent. Decoded, `a%2Fb` would be two parts of the path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, with the path still encoded."""
        if scope["type"] == "http" and scope.get("raw_path"):
            scope = {**scope, "path": scope["raw_path"].partition(b"?")[0].decode("ascii", "replace")}
        await self._app(scope, receive, send)


class HeadAsGet:
    """Answers HEAD as GET, whose body the server then leaves out; but for the stream, which would not end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on."""
        if scope["type"] == "http" and scope["method"] == "HEAD" and not scope["path"].endswith(_STREAM):
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("should be UTF-8, percent-encoded") from None


JobId = Annotated[str, Path(min_length=1, max_length=1200), AfterValidator(_decoded)]
"""The job id, percent-encoded in the path."""


def encoded(job_id: str) -> str:
    """A job id as a part of a path."""
    return quote(job_id, safe="")


def place_of(request: Request, resource: str, job_id: str) -> str:
    """The URL of what belongs to a job, as the caller reaches this service."""
    return f"{str(request.base_url).rstrip('/')}/{resource}/{encoded(job_id)}"


def require_addressable(asked: MonitorRequest) -> MonitorRequest:
    """The request, where its monitor can have a URL.

    Raises:
        RequestError: its job id is a step in a path.
    """
    if asked.job_id in {".", ".."}:
        raise RequestError([Problem("job_id", f"cannot stand in a URL: choose another than {asked.job_id!r}")])
    return asked
