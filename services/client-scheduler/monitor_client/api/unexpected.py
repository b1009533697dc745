"""What nothing else has caught: a defect, told as a problem."""

import logging
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor_client.api.problems import Refused, refusal

_DEFECT: Final = Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "a defect of Durable Monitor; its log says more")
_log = logging.getLogger(__name__)


class Unexpected:
    """Answers what nothing else has caught; the log says what it was, the caller is told nothing of the inside.

    The framework's own place for this is outside of all that adds headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on. An answer that has begun already can only be broken off."""
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            if has_begun:
                raise
            _log.exception("%s %r", scope.get("method"), scope.get("path"))
            await refusal(_DEFECT)(scope, receive, send)
