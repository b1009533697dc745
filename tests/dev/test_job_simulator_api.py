"""The simulator's API over real HTTP; its clock stands still until a test moves it."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from job_simulator import JobSimulator

FOREVER = "3600"
PATIENCE = aiohttp.ClientTimeout(total=60)


class Clock:
    """Both clocks of a simulator, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def server(clock: Clock) -> Iterator[JobSimulator]:
    with JobSimulator(clock=clock.monotonic, now=clock.now) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def creating_server(clock: Clock) -> Iterator[JobSimulator]:
    with JobSimulator(clock=clock.monotonic, now=clock.now, auto_create=True) as simulator:
        yield simulator


@pytest.fixture
async def api(server: JobSimulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url, timeout=PATIENCE) as session:
        yield session


@pytest.fixture
async def creating(creating_server: JobSimulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(creating_server.url, timeout=PATIENCE) as session:
        yield session


@pytest.fixture
def job_id() -> str:
    return f"job-{uuid4()}"


async def post(api: aiohttp.ClientSession, **job: object) -> aiohttp.ClientResponse:
    async with api.post("/jobs", json=job) as response:
        await response.read()
        return response


async def get(api: aiohttp.ClientSession, job_id: str, **query: str) -> aiohttp.ClientResponse:
    async with api.get(f"/jobs/{job_id}", params=query) as response:
        await response.read()
        return response


async def ledger(api: aiohttp.ClientSession, job_id: str) -> list[dict[str, Any]]:
    async with api.get("/ledger", params={"job_id": job_id}) as response:
        entries: list[dict[str, Any]] = await response.json()
        return entries


async def arrival(api: aiohttp.ClientSession, job_id: str) -> None:
    async with asyncio.timeout(30):
        while not await ledger(api, job_id):
            pass


async def test_a_job_is_accepted_with_the_address_to_watch_it_at(
    server: JobSimulator, api: aiohttp.ClientSession, job_id: str
) -> None:
    response = await post(api, id=job_id, retry_after_seconds=4)
    assert response.status == 202
    assert response.headers["Operation-Location"] == f"{server.url}/jobs/{job_id}"
    assert response.headers["Location"] == response.headers["Operation-Location"]
    assert response.headers["Retry-After"] == "4"
    body = await response.json()
    assert (body["id"], body["status"], body["percentComplete"]) == (job_id, "NotStarted", 0)


async def test_a_job_runs_through_its_steps_to_its_outcome(
    api: aiohttp.ClientSession, clock: Clock, job_id: str
) -> None:
    await post(api, id=job_id, duration_seconds=10, steps=["Queued", "Running"])
    seen = []
    for _ in range(3):
        response = await get(api, job_id)
        seen.append(((await response.json())["status"], response.headers.get("Retry-After")))
        clock.seconds += 5
    assert seen == [("Queued", "1"), ("Running", "1"), ("Succeeded", None)]


async def test_a_job_over_stands_in_the_operation_form(
    api: aiohttp.ClientSession, clock: Clock, job_id: str
) -> None:
    started = clock.now()
    await post(api, id=job_id, duration_seconds=2, outcome="Failed")
    clock.seconds += 60
    body = await (await get(api, job_id)).json()
    assert datetime.fromisoformat(body["startTime"]) == started
    assert datetime.fromisoformat(body["endTime"]) == started + timedelta(seconds=2)
    assert body["error"]["code"] == "JobFailed"
    assert "properties" not in body


async def test_the_address_of_any_id_leads_back_to_it(api: aiohttp.ClientSession, job_id: str) -> None:
    job_id = f"a/b c?d=ü%#{job_id}"
    created = await post(api, id=job_id)
    async with aiohttp.ClientSession() as elsewhere, elsewhere.get(created.headers["Location"]) as response:
        assert (await response.json())["id"] == job_id


async def test_a_job_needs_no_body(api: aiohttp.ClientSession) -> None:
    async with api.post("/jobs") as response:
        assert response.status == 202
        assert (await response.json())["status"] == "NotStarted"


async def test_retry_after_can_be_left_out(api: aiohttp.ClientSession, job_id: str) -> None:
    created = await post(api, id=job_id, retry_after_seconds=None)
    assert "Retry-After" not in created.headers
    assert "Retry-After" not in (await get(api, job_id)).headers


async def test_an_id_is_taken_once(api: aiohttp.ClientSession, job_id: str) -> None:
    await post(api, id=job_id)
    again = await post(api, id=job_id)
    assert again.status == 409
    assert job_id in (await again.json())["detail"]


async def test_jobs_are_listed_until_deleted(api: aiohttp.ClientSession, job_id: str) -> None:
    await post(api, id=job_id)
    assert job_id in await listed(api)
    async with api.delete(f"/jobs/{job_id}") as response:
        assert response.status == 204
    assert job_id not in await listed(api)
    assert (await get(api, job_id)).status == 404
    async with api.delete(f"/jobs/{job_id}") as response:
        assert response.status == 404


async def listed(api: aiohttp.ClientSession) -> list[str]:
    async with api.get("/jobs") as response:
        return [job["id"] for job in await response.json()]


async def test_an_unknown_job_is_a_problem(api: aiohttp.ClientSession) -> None:
    response = await get(api, "nobody", duration_seconds="3")
    assert response.status == 404
    assert response.content_type == "application/problem+json"
    body = await response.json()
    assert (body["type"], body["title"], body["status"]) == ("about:blank", "Not Found", 404)
    assert "'nobody'" in body["detail"]


async def test_a_flapping_job_fails_now_and_then(api: aiohttp.ClientSession, job_id: str) -> None:
    await post(api, id=job_id, fail_first=1, fail_every=3, error_retry_after_seconds=9)
    responses = [await get(api, job_id) for _ in range(4)]
    assert [response.status for response in responses] == [503, 200, 503, 200]
    assert [response.headers["Retry-After"] for response in responses] == ["9", "1", "9", "1"]


@pytest.mark.parametrize("code", ["401", "403", "429", "499", "500"])
async def test_a_job_can_be_nothing_but_an_error(creating: aiohttp.ClientSession, job_id: str, code: str) -> None:
    for _ in range(2):
        response = await get(creating, job_id, status_code=code, duration_seconds="0")
        assert response.status == int(code)
        assert "Retry-After" not in response.headers
        assert response.content_type == "application/problem+json"


async def test_a_slow_job_answers_what_it_is_when_it_answers(
    creating: aiohttp.ClientSession, clock: Clock, job_id: str
) -> None:
    began = time.monotonic()
    answering = asyncio.create_task(get(creating, job_id, delay_seconds="0.5"))
    await arrival(creating, job_id)
    clock.seconds += 5
    response = await answering
    assert time.monotonic() - began >= 0.49
    assert (await response.json())["status"] == "Succeeded"


@pytest.mark.parametrize("query", [{"hang": "true"}, {"delay_seconds": FOREVER}])
async def test_a_request_never_answered_stays_so_in_the_ledger(
    creating: aiohttp.ClientSession, job_id: str, query: dict[str, str]
) -> None:
    waiting = asyncio.create_task(get(creating, job_id, **query))
    await arrival(creating, job_id)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    [entry] = await ledger(creating, job_id)
    assert (entry["job_id"], entry["response_code"], entry["status"]) == (job_id, None, None)


async def test_an_unknown_job_is_created_as_its_first_get_says(
    creating: aiohttp.ClientSession, clock: Clock, job_id: str
) -> None:
    first = await get(creating, job_id, duration_seconds="3", outcome="Failed", steps="Queued")
    assert (first.status, (await first.json())["status"]) == (200, "Queued")
    clock.seconds += 3
    second = await get(creating, job_id, duration_seconds="1000", outcome="nonsense")
    assert (await second.json())["status"] == "Failed"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"duration_seconds": "soon"}, "duration_seconds"),
        ({"status_code": "200"}, "status_code"),
        ({"colour": "red"}, "colour"),
        ({"id": "another"}, "id"),
        ({"hang": "true", "status_code": "500"}, "hang"),
    ],
)
async def test_a_first_get_that_cannot_be_creates_nothing(
    creating: aiohttp.ClientSession, job_id: str, query: dict[str, str], field: str
) -> None:
    response = await get(creating, job_id, **query)
    assert response.status == 422
    assert field in (await response.json())["detail"]
    assert job_id not in await listed(creating)


async def test_every_wrong_field_is_named(api: aiohttp.ClientSession) -> None:
    response = await post(api, duration_seconds="long", steps=["Running", 7], colour="red")
    assert response.status == 422
    body = await response.json()
    assert {error["field"] for error in body["errors"]} == {"duration_seconds", "steps.1", "colour"}
    assert "colour: is not a known field" in body["detail"]
    assert "(got 'long')" in body["detail"]


@pytest.mark.parametrize(
    ("body", "content_type", "code", "reason"),
    [
        (b'{"id":', "application/json", 422, "body: is not valid JSON: Expecting value (at character 6)"),
        (b"[]", "application/json", 422, "body: should be a valid dictionary"),
        (b'{"id": "x"}', "text/plain", 422, "Content-Type: application/json"),
        (b'{"\\ud800": 1}', "application/json", 422, "unicode"),
        (b'{"id": "\xff"}', "application/json", 400, "body"),
        (b"[" * 100_000, "application/json", 400, "body"),
        (b'{"duration_seconds": NaN}', "application/json", 422, "duration_seconds: should be a finite number"),
    ],
)
async def test_a_body_that_cannot_be_read_says_so(
    api: aiohttp.ClientSession, body: bytes, content_type: str, code: int, reason: str
) -> None:
    async with api.post("/jobs", data=body, headers={"Content-Type": content_type}) as response:
        assert (response.status, response.content_type) == (code, "application/problem+json")
        assert reason in (await response.json())["detail"]


async def test_the_ledger_tells_what_was_sent_and_answered(
    api: aiohttp.ClientSession, clock: Clock, job_id: str
) -> None:
    await post(api, id=job_id, fail_every=2)
    headers = {"x-ms-client-request-id": "run.0.1.1", "traceparent": "00-aa-bb-01"}
    async with api.get(f"/jobs/{job_id}", headers=headers):
        pass
    await get(api, job_id)
    entries = await ledger(api, job_id)
    numbers = [entry.pop("sequence") for entry in entries]
    assert numbers == sorted(set(numbers))
    same = {"job_id": job_id, "client": "127.0.0.1", "monotonic_seconds": clock.seconds}
    assert [datetime.fromisoformat(entry.pop("time")) for entry in entries] == [clock.now()] * 3
    none = {"client_request_id": None, "traceparent": None}
    path = f"/jobs/{job_id}"
    assert entries == [
        {"method": "POST", "path": "/jobs", "response_code": 202, "status": "NotStarted", **none, **same},
        {
            "method": "GET",
            "path": path,
            "response_code": 200,
            "status": "NotStarted",
            "client_request_id": "run.0.1.1",
            "traceparent": "00-aa-bb-01",
            **same,
        },
        {"method": "GET", "path": path, "response_code": 503, "status": None, **none, **same},
    ]


async def test_the_ledger_holds_what_was_refused_but_not_its_own_readers() -> None:
    with JobSimulator() as simulator:
        async with aiohttp.ClientSession(simulator.url) as api:
            for path in ("/healthz", "/ledger", "/jobs/nobody", "/nothing"):
                await read(api, path)
            seen = await read(api, "/ledger")
            assert [(entry["path"], entry["response_code"]) for entry in seen] == [
                ("/jobs/nobody", 404),
                ("/nothing", 404),
            ]
            async with api.delete("/ledger") as response:
                assert response.status == 204
            assert await read(api, "/ledger") == []


async def read(api: aiohttp.ClientSession, path: str) -> Any:
    async with api.get(path) as response:
        return await response.json(content_type=None)


async def test_stopping_hangs_up_on_whoever_waits_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with JobSimulator(auto_create=True) as simulator:
        session = aiohttp.ClientSession(simulator.url)
        waiting = [
            asyncio.create_task(get(session, "hanging", hang="true")),
            asyncio.create_task(get(session, "slow", delay_seconds=FOREVER)),
        ]
        await arrival(session, "hanging")
        await arrival(session, "slow")
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    await session.close()
    assert all(isinstance(outcome, aiohttp.ClientConnectionError) for outcome in outcomes)
    assert caplog.messages == []


def test_a_taken_port_is_an_error_where_it_is_asked_for(server: JobSimulator) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), JobSimulator(port=port):
        pass
