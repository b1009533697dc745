"""The ledger by itself; what the server writes into it stands with the API."""

from datetime import UTC, datetime

from starlette.datastructures import Headers

from job_simulator.ledger import Ledger

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def ledger(capacity: int) -> Ledger:
    return Ledger(clock=lambda: 42.5, now=lambda: NOON, capacity=capacity)


def test_a_request_is_noted_with_both_clocks_and_its_headers() -> None:
    headers = Headers({"X-Ms-Client-Request-Id": "run.0.1.1", "traceparent": "00-1-2-01"})
    entry = ledger(10).arrived("GET", "/jobs/nightly", headers, "10.0.0.7")
    assert (entry.sequence, entry.time, entry.monotonic_seconds) == (1, NOON, 42.5)
    assert (entry.method, entry.path, entry.client) == ("GET", "/jobs/nightly", "10.0.0.7")
    assert (entry.client_request_id, entry.traceparent) == ("run.0.1.1", "00-1-2-01")
    assert (entry.job_id, entry.response_code, entry.status) == (None, None, None)


def test_the_newest_requests_are_kept() -> None:
    full = ledger(3)
    for number in range(5):
        full.arrived("GET", f"/jobs/{number}", Headers())
    assert [(entry.sequence, entry.path) for entry in full.entries()] == [
        (3, "/jobs/2"),
        (4, "/jobs/3"),
        (5, "/jobs/4"),
    ]


def test_clearing_does_not_start_the_count_anew() -> None:
    cleared = ledger(3)
    cleared.arrived("GET", "/jobs/a", Headers())
    cleared.clear()
    assert cleared.entries() == []
    assert cleared.arrived("GET", "/jobs/a", Headers()).sequence == 2
