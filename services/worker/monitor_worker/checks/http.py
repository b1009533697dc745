"""The kind `http`: one request, its redirects followed, its answer observed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from monitor_core.contract import ErrorClass
from monitor_core.kinds.http import HttpCheck
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.base import CheckContext, Observation, Resources
from monitor_worker.checks.http_answer import MEANINGS, Meaning, observation
from monitor_worker.checks.http_client import HttpClient
from monitor_worker.checks.http_memory import Memory
from monitor_worker.checks.http_request import Request

_NOT_MODIFIED: Final = 304
_MEANINGS: Final = {
    **MEANINGS,
    "304": Meaning(
        ErrorClass.PERMANENT,
        "it compares with an answer that is not known here: set check.conditional, and no If-None-Match",
    ),
    "401": Meaning(ErrorClass.PERMANENT, "it asks who is asking, and the check does not say: set check.auth"),
    "403": Meaning(
        ErrorClass.PERMANENT, "the worker may not read it: perhaps check.auth has to say who is asking"
    ),
}
_REFUSED_WITH_AUTH: Final = {
    **_MEANINGS,
    "401": Meaning(ErrorClass.PERMANENT, "it does not accept the credentials of check.auth"),
    "403": Meaning(ErrorClass.PERMANENT, "it knows who is asking by check.auth, who may not read it"),
}
_NOT_SENT_ON: Final = Meaning(
    ErrorClass.PERMANENT, "check.auth goes to the origin of check.url alone, and this is where that redirects to"
)
_REFUSED_ELSEWHERE: Final = {**_MEANINGS, "401": _NOT_SENT_ON, "403": _NOT_SENT_ON}


class HttpDriver:
    """Makes the checks of the kind `http` over one pool of connections.

    Args:
        client: asks; it is closed with the driver.
        authorizer: says who is asking.
        now: the time in UTC, for a Retry-After that is a date and for a certificate's days.
    """

    def __init__(
        self,
        client: HttpClient,
        authorizer: Authorizer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._authorizer, self._now = client, authorizer, now

    async def check(self, spec: HttpCheck, context: CheckContext) -> Observation:
        """Ask once. The caller cancels it at the context's timeout.

        Raises:
            CheckFailed: there was no answer, or none that can be judged; or the spec's secret cannot be had, or
                may not be sent there.
        """
        memory = Memory.of(context.checkpoint)
        request = Request.first(spec)
        request = replace(
            request,
            authorization=await self._authorizer.headers(spec.auth, request.url),
            preconditions=memory.preconditions(),
        )
        last, answer = await self._client.ask(request, context, spec.max_redirects)
        seen = observation(answer, spec.expected_codes, self._now(), _meanings(spec, last))
        if answer.code == _NOT_MODIFIED:
            seen = replace(seen, variables=_without_content(seen.variables))
            if last.preconditions:
                return memory.unmodified(seen)
        # What another URL answered says nothing of this one.
        return memory.take_in(answer, seen, remember=spec.conditional and last.url == request.url)

    async def close(self) -> None:
        """Close every connection. No check is made from then on."""
        await self._client.close()


def _without_content(variables: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if name not in {"body", "text"}}


def _meanings(spec: HttpCheck, answered: Request) -> Mapping[str, Meaning]:
    if spec.auth is None:
        return _MEANINGS
    return _REFUSED_WITH_AUTH if answered.authorization else _REFUSED_ELSEWHERE


def create(resources: Resources) -> HttpDriver:
    """The driver of the kind `http`."""
    return HttpDriver(HttpClient(resources.guard), Authorizer.of(resources))
