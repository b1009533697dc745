"""One guarded POST and what its answer means: for every kind of channel that delivers to a URL.

The code of the answer decides. What else the receiver says is not read: it is a stranger's, it may be endless, and
a notice that was taken stays taken, however its answer ends.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from multidict import CIMultiDictProxy
from yarl import URL

from monitor_core.channels.posted import PostedSpec
from monitor_core.contract import ErrorClass
from monitor_core.kinds.http_fields import plain_http
from monitor_worker.channels.base import CheckFailed, DeliveryContext
from monitor_worker.checks.http_answer import Meaning, meaning_of, named, retry_after
from monitor_worker.checks.http_connect import Pool
from monitor_worker.checks.http_errors import FAILURES, check_failed
from monitor_worker.checks.http_request import Request, shown
from monitor_worker.checks.http_response import Response
from monitor_worker.checks.origins import Origin
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard

MEANINGS: Final[Mapping[str, Meaning]] = {
    "3xx": Meaning(ErrorClass.PERMANENT, "no redirect is followed: give the URL itself that it redirects to"),
    "401": Meaning(ErrorClass.TRANSIENT, "it does not know who delivers"),
    "403": Meaning(ErrorClass.TRANSIENT, "it does not take this from who delivers"),
    "404": Meaning(ErrorClass.TRANSIENT, "there is nothing there, perhaps not yet"),
    "405": Meaning(ErrorClass.PERMANENT, "it takes no POST: perhaps the URL is another one"),
    "408": Meaning(ErrorClass.TRANSIENT, "it did not receive the request in time"),
    "410": Meaning(ErrorClass.PERMANENT, "it is gone for good, and wants nothing delivered any more"),
    "413": Meaning(ErrorClass.PERMANENT, "this is more than it takes"),
    "415": Meaning(ErrorClass.PERMANENT, "it does not know this form"),
    "425": Meaning(ErrorClass.TRANSIENT, "it wants this later"),
    "429": Meaning(ErrorClass.TRANSIENT, "it is told too much at a time"),
    "5xx": Meaning(ErrorClass.TRANSIENT, "the trouble is on its side"),
    "any": Meaning(ErrorClass.TRANSIENT, "it did not take it"),
}
"""What an answer other than 2xx means, by code, else by class of codes, else `any`.

As Standard Webhooks and CloudEvents' HTTP Webhook advise: every failure is tried again, but for a redirect, 410,
and what says that it never takes such a request.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post to.

    Args:
        url: whole.
        named: what messages may show of it.
    """

    url: URL = field(repr=False)
    named: str

    @property
    def origin(self) -> Origin:
        """Whom a secret is sent to that goes with the request."""
        return _origin(self.url)


class _Last(Response):
    """An answer that ends its connection.

    One that is kept may be closed by the receiver in the moment in which the next POST is sent over it: an attempt
    would fail for nothing, which for a GET would not be noticed.
    """

    longest_connection_seconds = 0.0


class Poster:
    """Posts over guarded connections, a new one each time. Use it on one event loop.

    Args:
        guard: decides which targets may be reached.
        secrets: resolves a URL that is a secret.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        now: the time in UTC, for a Retry-After that is a date.
    """

    def __init__(
        self,
        guard: TargetGuard,
        secrets: Secrets,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool, self._secrets, self._now = Pool(guard, tls, _Last), secrets, now

    async def target(self, spec: PostedSpec) -> Target:
        """Where a spec's notices go.

        Raises:
            CheckFailed: its secret cannot be had, may not be sent there, or is no URL.
        """
        if spec.url is not None:
            url = _url(spec.url, "the URL")
            return Target(url, shown(url))
        reference = spec.url_secret or ""
        secret = await self._secrets.get_where(reference, lambda text: _origin(URL(text)))
        url = _url(secret, reference)
        # Its path is as secret as its query.
        return Target(url, shown(url.origin()))

    async def post(
        self,
        target: Target,
        body: bytes,
        headers: Mapping[str, str],
        context: DeliveryContext,
        meanings: Mapping[str, Meaning] = MEANINGS,
    ) -> str:
        """Post once. The caller cancels it at the context's timeout.

        Args:
            target: where to.
            body: sent as it is.
            headers: with the body's Content-Type among them.
            context: this attempt.
            meanings: of an answer's code, as MEANINGS.

        Returns:
            The code of 2xx: `HTTP 204`.

        Raises:
            CheckFailed: there was no answer, or another code.
        """
        sent = Request("POST", target.url, headers, body).all_headers(context.request_id)
        session = self._pool.session()
        try:
            async with session.post(target.url, data=body, headers=sent, allow_redirects=False) as response:
                code, answered = response.status, response.headers
        except FAILURES as error:
            # Not chained: aiohttp's exceptions show the URL whole.
            raise check_failed(error, target.named) from None
        if code // 100 == 2:  # noqa: PLR2004 # 2xx
            return f"HTTP {code}"
        raise self._refused(target, code, answered, meanings)

    async def close(self) -> None:
        """Close every connection. Nothing is posted from then on."""
        await self._pool.close()

    def _refused(
        self, target: Target, code: int, headers: CIMultiDictProxy[str], meanings: Mapping[str, Meaning]
    ) -> CheckFailed:
        meaning = meaning_of(code, meanings)
        message = f"{named(code)} from POST {target.named}: {meaning.advice}"
        return CheckFailed(meaning.error_class, message, retry_after(headers.get("Retry-After"), self._now()))


def _url(text: str, what: str) -> URL:
    try:
        url = URL(plain_http(text))
        url.origin()  # raises where it has no host
    except ValueError:
        # Not the reason: it may repeat the URL, a secret perhaps.
        reason = f"{what} cannot be posted to: it should be an http or https URL without a user name, and no more"
        raise CheckFailed(ErrorClass.MISCONFIGURED, reason) from None
    return url


def _origin(url: URL) -> Origin:
    return Origin.parse(str(url.origin()))
