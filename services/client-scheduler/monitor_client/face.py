"""What the commands ask of monitors, whoever answers: the scheduler itself, or a client-scheduler over HTTP."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from monitor_client.bulk import Outcome
from monitor_client.identity import Started
from monitor_client.listing import MonitorPage, Selection
from monitor_client.view import MonitorView
from monitor_core.contract import Command, CommandOutcome, Explanation, MonitorRequest


class Monitors(Protocol):
    """Monitors; see `MonitorService`, whose methods these are, for what they take, give and raise."""

    async def start(self, request: MonitorRequest, *, run: str | None = None, restart: bool = False) -> Started:
        """Start a monitor, once."""
        ...

    def start_many(self, requests: Iterable[MonitorRequest], *, restart: bool = False) -> AsyncIterator[Outcome]:
        """Start monitors side by side."""
        ...

    async def get(self, job_id: str, *, deliveries: bool = True) -> MonitorView:
        """A monitor as it is now."""
        ...

    async def list(self, selection: Selection, *, token: str | None = None, limit: int = 50) -> MonitorPage:
        """A page of monitors."""
        ...

    def watch(
        self,
        job_id: str,
        run: str | None = None,
        *,
        poll_seconds: float = 0.5,
        on_unreachable: Callable[[str], None] = lambda _: None,
    ) -> AsyncIterator[MonitorView]:
        """Look at a monitor until it ends."""
        ...

    async def send(self, job_id: str, command: Command, *, wait_seconds: float = 5) -> CommandOutcome | None:
        """Tell a running monitor something."""
        ...

    async def purge(self, job_id: str) -> None:
        """Delete an ended monitor."""
        ...

    async def explain(self, request: MonitorRequest, *, wait_seconds: float | None = None) -> Explanation:
        """What a monitor would see and come to at its first check."""
        ...
