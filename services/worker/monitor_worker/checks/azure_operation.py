"""The kind `azure_operation`: the status of an Azure long-running operation, at the URL it says it is at.

An operation in progress may name another URL to ask from then on. It is followed within the check, and the next
check begins there. Where nothing can be learnt there any more, the check asks at the spec's URL again.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

from yarl import URL

from monitor_core.contract import ErrorClass
from monitor_core.kinds.azure_operation import AzureOperationCheck
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.azure_answer import next_url, observed
from monitor_worker.checks.azure_identity import identity_at
from monitor_worker.checks.azure_place import recalled, to_recall
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.http_client import HttpClient
from monitor_worker.checks.http_request import Request

_REDIRECTS: Final = 5
_MOVES: Final = 3
_SAME_METHOD: Final = 307
_NOT_KNOWN: Final = frozenset({401, 403})
_BUSY: Final = frozenset({408, 425, 429})
_ON_ITS_SIDE: Final = 500
# A place that is silent must leave time to ask at the spec's URL.
_SHARE_OF_TIMEOUT: Final = 0.5


class _Asker(NamedTuple):
    """A request as it may be sent to its origin, and why it carries no authorisation, if one was held back."""

    request: Request
    held_back: CheckFailed | None = None


class AzureOperationDriver:
    """Makes the checks of the kind `azure_operation` over one pool of connections.

    Args:
        resources: which targets may be reached, and who may ask there.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        now: the time in UTC, for a Retry-After that is a date.
    """

    def __init__(
        self,
        resources: Resources,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._now = HttpClient(resources.guard, tls), now
        self._tokens, self._mask = resources.tokens, resources.secrets.masker
        self._authorizer = Authorizer.of(resources)

    async def check(self, spec: AzureOperationCheck, context: CheckContext) -> Observation:
        """Ask once, and again for each other URL that an answer names.

        Raises:
            CheckFailed: there was no answer, or the worker may not ask.
        """
        url = recalled(spec, context.checkpoint)
        if url is None:
            return await self._follow(spec, spec.url, context)
        there = await self._tried(spec, url, context, context.timeout_seconds * _SHARE_OF_TIMEOUT)
        if not _is_lost(there):
            return _given(there)
        at_first = await self._tried(spec, spec.url, context, None)
        # Where both fail, the one that may pass counts: a URL that the operation has left may be gone for good.
        return _given(there if _error(at_first) and _passes(there) else at_first)

    async def close(self) -> None:
        """Close every connection. No check is made from then on."""
        await self._client.close()

    async def _tried(
        self, spec: AzureOperationCheck, url: str, context: CheckContext, seconds: float | None
    ) -> Observation | CheckFailed:
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(spec, url, context)
        except TimeoutError:
            return CheckFailed(ErrorClass.TRANSIENT, "the URL that the operation moved to did not answer in time")
        except CheckFailed as error:
            return error

    async def _follow(self, spec: AzureOperationCheck, url: str, context: CheckContext) -> Observation:
        request, asked = Request.get(url, spec.headers), set[URL]()
        while True:
            asker = await self._authorised(spec, request)
            found = await self._client.ask(asker.request, context, _REDIRECTS)
            if asker.held_back and found.answer.code in _NOT_KNOWN:
                raise asker.held_back
            seen = observed(found.answer, spec.rule, self._now())
            asked.add(_place(found.request.url))
            moved = _moved(found.request, next_url(found.answer, spec.rule, seen))
            if moved is None or _place(moved.url) in asked or len(asked) > _MOVES:
                return self._remembering(spec, seen, (moved or request).url)
            request = moved

    async def _authorised(self, spec: AzureOperationCheck, request: Request) -> _Asker:
        is_own = request.url.origin() == Request.get(spec.url, {}).url.origin()
        headers = spec.headers if is_own else {}
        auth = spec.auth or identity_at(request.url, self._tokens)
        try:
            given = await self._authorizer.headers(auth, request.url)
        except CheckFailed as error:
            if is_own or error.error_class is not ErrorClass.MISCONFIGURED:
                raise
            # Many a place that an operation moves to signs its URLs, and asks for nothing more.
            return _Asker(replace(request, headers=headers), error)
        return _Asker(replace(request, headers={**headers, **given}))

    def _remembering(self, spec: AzureOperationCheck, seen: Observation, url: URL) -> Observation:
        return seen if seen.error else replace(seen, checkpoint=to_recall(spec, str(url), self._mask))


def _moved(request: Request, url: str | None) -> Request | None:
    """The request to the URL that an answer names; None where it is none that may be followed."""
    try:
        return request.redirected(_SAME_METHOD, url) if url else None
    except CheckFailed:
        return None  # the answer that names it stands by itself


def _place(url: URL) -> URL:
    # Azure signs its URLs anew in each answer: one that differs in the query alone is of the same status monitor.
    return url.with_query(None).with_fragment(None)


def _is_lost(outcome: Observation | CheckFailed) -> bool:
    """Whether nothing was learnt of the operation, by other reasons than that its status monitor is busy."""
    if isinstance(outcome, CheckFailed):
        return True
    code = outcome.variables["code"]
    return outcome.error is not None and code not in _BUSY and code < _ON_ITS_SIDE


def _error(outcome: Observation | CheckFailed) -> CheckFailed | None:
    return outcome if isinstance(outcome, CheckFailed) else outcome.error


def _passes(outcome: Observation | CheckFailed) -> bool:
    error = _error(outcome)
    return error is not None and error.error_class is ErrorClass.TRANSIENT


def _given(outcome: Observation | CheckFailed) -> Observation:
    if isinstance(outcome, CheckFailed):
        raise outcome
    return outcome


def create(resources: Resources) -> AzureOperationDriver:
    """The driver of the kind `azure_operation`."""
    return AzureOperationDriver(resources)
