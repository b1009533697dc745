"""The kind `azure_operation`: the status of an Azure long-running operation, at the URL it says it is at.

An operation in progress may name another URL to ask from then on. It is followed within the check; the next check
begins at the spec's URL again.
"""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from yarl import URL

from monitor_core.kinds.azure_operation import AzureOperationCheck
from monitor_worker.checks.azure_answer import next_url, observed
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.http_client import HttpClient
from monitor_worker.checks.http_request import Request
from monitor_worker.checks.targets import TargetGuard

_REDIRECTS: Final = 5
_MOVES: Final = 3
_SAME_METHOD: Final = 307


class AzureOperationDriver:
    """Makes the checks of the kind `azure_operation` over one pool of connections.

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
        self._client, self._now = HttpClient(guard, tls), now

    async def check(self, spec: AzureOperationCheck, context: CheckContext) -> Observation:
        """Ask once, and again for each other URL that an answer names.

        Raises:
            CheckFailed: there was no answer.
        """
        request, asked = Request.get(spec.url, spec.headers), set[URL]()
        while True:
            request, answer = await self._client.ask(request, context, _REDIRECTS)
            seen = observed(answer, spec.rule, self._now())
            asked.add(_place(request.url))
            moved = _moved(request, next_url(answer, spec.rule, seen))
            if moved is None or _place(moved.url) in asked or len(asked) > _MOVES:
                return seen
            request = moved

    async def close(self) -> None:
        """Close every connection. No check is made from then on."""
        await self._client.close()


def _moved(request: Request, url: str | None) -> Request | None:
    """The request to the URL that an answer names; None where it is none that may be followed."""
    try:
        return request.redirected(_SAME_METHOD, url) if url else None
    except CheckFailed:
        return None  # the answer that names it stands by itself


def _place(url: URL) -> URL:
    # Azure signs its URLs anew in each answer: one that differs in the query alone is of the same status monitor.
    return url.with_query(None).with_fragment(None)


def create(resources: Resources) -> AzureOperationDriver:
    """The driver of the kind `azure_operation`."""
    return AzureOperationDriver(resources.guard)
