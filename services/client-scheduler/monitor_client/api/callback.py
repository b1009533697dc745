"""The one request that needs no role: to end a wait with the token that was given out for it."""

import re
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from monitor_client.api.problems import Refused
from monitor_client.callback import PREFIX
from monitor_client.errors import NotAllowed, SchedulerRefused, SchedulerUnreachable, WrongToken
from monitor_client.identity import Started
from monitor_client.service import MonitorService
from monitor_core.contract import CommandOutcome, Complete

_PATH: Final = re.compile(r"/monitors/[^/]+/complete")
_RETRY_SECONDS: Final = "5"


def reachable(request: Request, started: Started) -> Started:
    """What a start came to, its callback's URL as the caller reaches this service."""
    if started.callback is None:
        return started
    url = f"{str(request.base_url).rstrip('/')}{started.callback.url}"
    return started.model_copy(update={"callback": started.callback.model_copy(update={"url": url})})


def token_of(request: Request) -> str | None:
    """The callback token that a request to end a wait brings; None for every other request."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    token = credentials.strip()
    if request.method != "POST" or scheme.lower() != "bearer" or not token.startswith(PREFIX):
        return None
    return token if _PATH.fullmatch(request.scope["path"]) else None


async def pushed(
    service: MonitorService, job_id: str, token: str, command: Complete, wait_seconds: float
) -> CommandOutcome | None:
    """As `MonitorService.push`, and not a word of what there is to whom the token does not let in.

    Raises:
        Refused: the token is not that of the monitor's run, whether or not there is one (401), or the scheduler
            cannot be asked (503).
    """
    try:
        return await service.push(job_id, token, command, wait_seconds=wait_seconds)
    except WrongToken as error:
        challenge = {"WWW-Authenticate": 'Bearer realm="Durable Monitor", error="invalid_token"'}
        raise Refused(HTTPStatus.UNAUTHORIZED, str(error), challenge) from None
    except (SchedulerUnreachable, SchedulerRefused, NotAllowed):
        wait = {"Retry-After": _RETRY_SECONDS}
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "nothing could be told now: try again", wait) from None
