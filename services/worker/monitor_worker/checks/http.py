"""The kind `http`: one request, its redirects followed, its answer observed."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime

from monitor_core.kinds.http import HttpCheck
from monitor_worker.checks.base import CheckContext, Observation, Resources
from monitor_worker.checks.http_answer import observation
from monitor_worker.checks.http_client import HttpClient
from monitor_worker.checks.http_request import Request
from monitor_worker.checks.targets import TargetGuard


class HttpDriver:
    """Makes the checks of the kind `http` over one pool of connections.

    Args:
        guard: decides which targets may be reached.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        now: the time in UTC, for a Retry-After that is a date.
    """

    def __init__(
        self,
        guard: TargetGuard,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._guard, self._now = guard, now
        self._client = HttpClient(guard, tls)

    async def check(self, spec: HttpCheck, context: CheckContext) -> Observation:
        """Ask once. The caller cancels it at the context's timeout.

        Raises:
            CheckFailed: there was no answer, or none that can be judged.
        """
        asked = await self._client.ask(Request.first(spec), context, spec.max_redirects)
        return observation(asked.answer, spec.expected_codes, self._now())

    async def close(self) -> None:
        """Close every connection. No check is made from then on."""
        await self._client.close()


def create(resources: Resources) -> HttpDriver:
    """The driver of the kind `http`."""
    return HttpDriver(resources.guard)
