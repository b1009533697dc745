"""Whether the service works, and whether it can do its work."""

import logging
from http import HTTPStatus
from typing import Final, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from monitor_client.errors import ServiceError
from monitor_client.readiness import Reader, require_ready
from monitor_core.contract import Model

_log = logging.getLogger(__name__)


class Health(Model):
    """The answer to a probe."""

    status: Literal["ok", "no"]


_NOT_READY: Final = {"model": Health, "description": "The scheduler does not answer."}


class Readiness:
    """Asks at every probe; the reason goes to the log, not to whoever asks, and only when it changes."""

    def __init__(self, service: Reader, endpoint: str) -> None:
        self._service = service
        self._endpoint = endpoint
        self._complaint: str | None = None

    async def holds(self) -> bool:
        """Whether the scheduler answers now."""
        before, self._complaint = self._complaint, await self._ask()
        if self._complaint is None and before is not None:
            _log.warning("Ready again")
        elif self._complaint != before:
            _log.warning("Not ready: %s", self._complaint)
        return self._complaint is None

    async def _ask(self) -> str | None:
        try:
            await require_ready(self._service, self._endpoint)
        except ServiceError as error:
            return str(error)
        return None


def router(service: Reader, endpoint: str) -> APIRouter:
    """`/healthz` and `/readyz`, for probes: nobody has to say who is asking. `endpoint` is for messages."""
    routes = APIRouter(tags=["health"])
    readiness = Readiness(service, endpoint)

    @routes.get("/healthz")
    async def healthz() -> Health:
        """Whether the process works."""
        return Health(status="ok")

    @routes.get("/readyz", response_model=Health, responses={HTTPStatus.SERVICE_UNAVAILABLE: _NOT_READY})
    async def readyz() -> JSONResponse:
        """Whether the scheduler answers; 503 where it does not."""
        if await readiness.holds():
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "no"}, HTTPStatus.SERVICE_UNAVAILABLE)

    return routes
