"""Many starts in one request: one that cannot be started hinders no other."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from pydantic import Field, StrictBool

from monitor_client.api.bodies import JsonObject
from monitor_client.api.paths import require_addressable
from monitor_client.api.problems import ProblemDetails, problem_of
from monitor_client.errors import ServiceError
from monitor_client.identity import Started
from monitor_client.service import MonitorService
from monitor_core.contract import Model, MonitorRequest, RequestError, parse_request
from monitor_core.kinds import CheckSpec

LARGEST_BATCH: Final = 1000


class Batch(Model):
    """Many starts."""

    requests: list[JsonObject] = Field(min_length=1, max_length=LARGEST_BATCH)
    restart: StrictBool = False


class BatchItem(Model):
    """What came of one start: `started`, or the problem."""

    job_id: str | None
    started: Started | None = None
    problem: ProblemDetails | None = None


class BatchResult(Model):
    """What came of each start, in the order of the requests."""

    results: tuple[BatchItem, ...]


def router(service: MonitorService, kinds: Mapping[str, type[CheckSpec]]) -> APIRouter:
    """The route `/monitors:batch`."""
    routes = APIRouter(tags=["monitors"])

    @routes.post("/monitors:batch")
    async def start_monitors(batch: Batch) -> BatchResult:
        """Start up to 1,000 monitors; one that cannot be started hinders no other."""
        items: list[BatchItem | MonitorRequest] = [_parsed(given, kinds) for given in batch.requests]
        sound = [(place, item) for place, item in enumerate(items) if isinstance(item, MonitorRequest)]
        outcomes = service.start_many((request for _, request in sound), restart=batch.restart)
        async for number, outcome in outcomes:
            place, asked = sound[number]
            items[place] = _item(asked.job_id, outcome)
        return BatchResult(results=tuple(item for item in items if isinstance(item, BatchItem)))

    return routes


def _parsed(given: dict[str, Any], kinds: Mapping[str, type[CheckSpec]]) -> BatchItem | MonitorRequest:
    try:
        return require_addressable(parse_request(given, kinds))
    except RequestError as error:
        job_id = given.get("job_id")
        return BatchItem(job_id=job_id if isinstance(job_id, str) else None, problem=problem_of(error))


def _item(job_id: str, outcome: Started | ServiceError | RequestError) -> BatchItem:
    if isinstance(outcome, Started):
        return BatchItem(job_id=job_id, started=outcome)
    return BatchItem(job_id=job_id, problem=problem_of(outcome))
