"""Trying a request: one check by a worker, and what its conditions say; nothing is started."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter

from monitor_client.api.bodies import Json
from monitor_client.api.problems import declared
from monitor_client.service import MonitorService
from monitor_core.contract import Explanation, parse_request
from monitor_core.kinds import CheckSpec


def router(service: MonitorService, kinds: Mapping[str, type[CheckSpec]]) -> APIRouter:
    """The route `/explain`."""
    routes = APIRouter(tags=["monitors"])

    @routes.post("/explain", responses=declared(HTTPStatus.GATEWAY_TIMEOUT))
    async def explain(given: Json) -> Explanation:
        """What a monitor of this request would see at its first check, and what it would come to.

        A worker makes the check, under its own identity; nothing is started, and nothing stays. 503 where no
        worker takes it within 20 s and the check's own timeout, 504 where one has and does not answer.
        """
        return await service.explain(parse_request(given, kinds))

    return routes
