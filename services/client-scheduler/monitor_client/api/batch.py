"""Many starts in one request: one that cannot be started hinders no other."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import Field, StrictBool, WithJsonSchema

from monitor_client.api.bodies import sound
from monitor_client.api.callback import reachable
from monitor_client.api.paths import require_addressable
from monitor_client.api.problems import ProblemDetails, problem_of
from monitor_client.errors import ServiceError
from monitor_client.identity import Started
from monitor_client.service import MonitorService
from monitor_core.contract import Model, MonitorRequest, Problem, RequestError, parse_request
from monitor_core.kinds import CheckSpec

LARGEST_BATCH: Final = 1000
_Asked = Annotated[Any, WithJsonSchema({"type": "object", "additionalProperties": True})]
"""One start: whatever it is, so that one that is no object hinders no other."""


class Batch(Model):
    """Many starts."""

    requests: list[_Asked] = Field(min_length=1, max_length=LARGEST_BATCH)
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
    async def start_monitors(request: Request, batch: Batch) -> BatchResult:
        """Start up to 1,000 monitors; one that cannot be started hinders no other."""
        items: list[BatchItem | MonitorRequest] = [_parsed(given, kinds) for given in batch.requests]
        sound = [(place, item) for place, item in enumerate(items) if isinstance(item, MonitorRequest)]
        outcomes = service.start_many((request for _, request in sound), restart=batch.restart)
        async for number, outcome in outcomes:
            place, asked = sound[number]
            found = reachable(request, outcome) if isinstance(outcome, Started) else outcome
            items[place] = _item(asked.job_id, found)
        return BatchResult(results=tuple(item for item in items if isinstance(item, BatchItem)))

    return routes


def _parsed(given: Any, kinds: Mapping[str, type[CheckSpec]]) -> BatchItem | MonitorRequest:
    try:
        return require_addressable(parse_request(_sound(given), kinds))
    except RequestError as error:
        job_id = given.get("job_id") if isinstance(given, dict) else None
        return BatchItem(job_id=job_id if isinstance(job_id, str) else None, problem=problem_of(error))


def _sound(given: Any) -> Any:
    try:
        return sound(given)
    except ValueError as error:
        raise RequestError([Problem("request", str(error))]) from error


def _item(job_id: str, outcome: Started | ServiceError | RequestError) -> BatchItem:
    if isinstance(outcome, Started):
        return BatchItem(job_id=job_id, started=outcome)
    return BatchItem(job_id=job_id, problem=problem_of(outcome))
