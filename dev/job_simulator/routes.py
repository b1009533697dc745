"""The simulator's HTTP API: each endpoint finds its job, applies the rules, and answers."""

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from job_simulator.hanging import Unanswered, gone_within
from job_simulator.jobs import Job, Jobs
from job_simulator.ledger import ENTRIES, Entry, Ledger
from job_simulator.model import NewJob, Operation, answer
from job_simulator.problems import problem
from job_simulator.query import fields_of

router = APIRouter()

_JSON: Final = "application/json"
_OPERATIONS: Final = TypeAdapter(list[Operation])


@router.post("/jobs", status_code=202, response_model=Operation)
async def create(request: Request, job: NewJob | None = None) -> Response:
    """Start a job; without a body, one of 5 seconds that succeeds."""
    asked = NewJob() if job is None else job
    jobs, entry = _jobs(request), _entry(request)
    entry.job_id = asked.id
    try:
        created = jobs.create(asked, asked.id)
    except KeyError:
        raise HTTPException(409, f"There is a job {asked.id!r}: delete it, or choose another id.") from None
    entry.job_id = created.id
    return _accepted(created, _url(request, created.id), entry)


@router.get("/jobs", response_model=list[Operation])
async def list_jobs(request: Request) -> Response:
    """Every job, in the order of creation."""
    jobs = _jobs(request)
    content = _OPERATIONS.dump_json(
        [job.shown(jobs.elapsed(job)) for job in jobs], by_alias=True, exclude_none=True
    )
    return Response(content, media_type=_JSON)


@router.get("/jobs/{job_id:path}", response_model=Operation)
async def show(request: Request, job_id: str) -> Response:
    """The job as it stands, or what it was asked to answer instead."""
    entry = _entry(request)
    entry.job_id = job_id
    job = _jobs(request).get(job_id) or _auto_created(request, job_id)
    job.gets += 1
    nth = job.gets
    if job.behaviour.hang or await gone_within(request.receive, job.behaviour.delay_seconds):
        return Unanswered()
    return _answered(_jobs(request), job, nth, entry)


@router.delete("/jobs/{job_id:path}", status_code=204)
async def delete(request: Request, job_id: str) -> None:
    """Forget a job."""
    _entry(request).job_id = job_id
    try:
        _jobs(request).delete(job_id)
    except KeyError:
        raise _unknown(job_id) from None


@router.get("/ledger", response_model=list[Entry])
async def show_ledger(request: Request, job_id: str | None = None) -> Response:
    """Every request that arrived, oldest first, or those of one job."""
    return Response(ENTRIES.dump_json(_ledger(request).entries(job_id)), media_type=_JSON)


@router.delete("/ledger", status_code=204)
async def clear_ledger(request: Request) -> None:
    """Forget every request."""
    _ledger(request).clear()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the simulator answers at all."""
    return {"status": "ok"}


def _accepted(job: Job, url: str, entry: Entry) -> Response:
    headers = {"Operation-Location": url, "Location": url}
    if (seconds := job.behaviour.retry_after_seconds) is not None:
        headers["Retry-After"] = str(seconds)
    return _operation(job.shown(0.0), entry, HTTPStatus.ACCEPTED, headers)


def _answered(jobs: Jobs, job: Job, nth: int, entry: Entry) -> Response:
    elapsed = jobs.elapsed(job)
    code, retry_after = answer(job.behaviour, nth, elapsed)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if code != HTTPStatus.OK:
        return problem(code, f"GET {nth} of job {job.id!r} is answered {code}, as the job asks.", headers)
    return _operation(job.shown(elapsed), entry, code, headers)


def _operation(shown: Operation, entry: Entry, code: int, headers: dict[str, str]) -> Response:
    entry.status = shown.status
    return Response(shown.model_dump_json(by_alias=True, exclude_none=True), code, headers, _JSON)


def _auto_created(request: Request, job_id: str) -> Job:
    if not request.app.state.auto_create:
        raise _unknown(job_id)
    try:
        asked = NewJob.model_validate({"id": job_id, **fields_of(request.query_params)})
    except ValidationError as error:
        errors = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(errors) from None
    if asked.id != job_id:
        raise HTTPException(422, f"id: the path says {job_id!r}, so take {asked.id!r} out of the query.")
    return _jobs(request).create(asked, job_id)


def _url(request: Request, job_id: str) -> str:
    server, port = request.scope["server"]
    host = request.headers.get("host") or f"{server}:{port}"
    return f"{request.scope['scheme']}://{host}/jobs/{quote(job_id, safe='')}"


def _unknown(job_id: str) -> HTTPException:
    return HTTPException(404, f"There is no job {job_id!r}: create it with POST /jobs.")


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


def _ledger(request: Request) -> Ledger:
    ledger: Ledger = request.app.state.ledger
    return ledger


def _entry(request: Request) -> Entry:
    entry: Entry = request.state.entry
    return entry
