"""Every request the simulator saw, noted as it arrives: what a test asks what was really sent to a job."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final

from pydantic import TypeAdapter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CAPACITY: Final = 100_000
UNRECORDED: Final = frozenset({"/healthz", "/ledger"})
"""What looks at the simulator, not at a job."""


@dataclass(slots=True)
class Entry:
    """One request. What is not known, or not yet, is None."""

    sequence: int
    """Counted from 1 over the server's life; clearing the ledger does not start it anew."""
    time: datetime
    """UTC, at the request's arrival."""
    monotonic_seconds: float
    """The same moment on the server's monotonic clock."""
    method: str
    path: str
    """Decoded, without the query."""
    client: str | None = None
    """The address that the request came from: which worker it was."""
    job_id: str | None = None
    response_code: int | None = None
    """None while unanswered, and for ever where the client went away first."""
    status: str | None = None
    """The job's status as it was answered; None where the answer was an error."""
    client_request_id: str | None = None
    """The header x-ms-client-request-id."""
    traceparent: str | None = None


ENTRIES: Final = TypeAdapter(list[Entry])


class Ledger:
    """The newest `capacity` requests, oldest first."""

    def __init__(self, clock: Callable[[], float], now: Callable[[], datetime], capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._now = now
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._sequence = count(1)

    def arrived(self, method: str, path: str, headers: Headers, client: str | None = None) -> Entry:
        """Note a request; who answers it fills in the rest."""
        entry = Entry(
            sequence=next(self._sequence),
            time=self._now(),
            monotonic_seconds=self._clock(),
            method=method,
            path=path,
            client=client,
            client_request_id=headers.get("x-ms-client-request-id"),
            traceparent=headers.get("traceparent"),
        )
        self._entries.append(entry)
        return entry

    def entries(self, job_id: str | None = None) -> list[Entry]:
        """The requests noted, or those of one job."""
        return [entry for entry in self._entries if job_id is None or entry.job_id == job_id]

    def clear(self) -> None:
        """Forget every request."""
        self._entries.clear()


class LedgerMiddleware:
    """Notes each request before anything else handles it; its entry is `request.state.entry`."""

    def __init__(self, app: ASGIApp, ledger: Ledger) -> None:
        self._app = app
        self._ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http" or scope["path"] in UNRECORDED:
            await self._app(scope, receive, send)
            return
        client = scope["client"][0] if scope["client"] else None
        entry = self._ledger.arrived(scope["method"], scope["path"], Headers(scope=scope), client)
        scope.setdefault("state", {})["entry"] = entry

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.response_code = message["status"]
            await send(message)

        await self._app(scope, receive, noting)
