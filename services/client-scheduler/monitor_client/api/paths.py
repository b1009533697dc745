"""Job ids in paths: any text may be one, a slash in it included, as long as it is percent-encoded."""

from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Path
from pydantic import AfterValidator
from starlette.types import ASGIApp, Receive, Scope, Send


class EncodedPaths:
    """Routes by the path as it was sent. Decoded, `a%2Fb` would be two parts of the path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, with the path still encoded."""
        if scope["type"] == "http" and scope.get("raw_path"):
            scope = {**scope, "path": scope["raw_path"].partition(b"?")[0].decode("ascii", "replace")}
        await self._app(scope, receive, send)


def _decoded(text: str) -> str:
    try:
        job_id = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("should be UTF-8, percent-encoded") from None
    if not job_id.isprintable():
        raise ValueError("should be printable")
    return job_id


JobId = Annotated[str, Path(min_length=1, max_length=1200), AfterValidator(_decoded)]
"""The job id, percent-encoded in the path."""


def encoded(job_id: str) -> str:
    """A job id as a part of a path."""
    return quote(job_id, safe="")
