"""The kind `webhook`: a notice as a CloudEvent, signed over the very bytes that are posted."""

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event

from monitor_core.channels.webhook import WebhookChannel
from monitor_core.contract import ErrorClass, Notice
from monitor_worker.channels.base import DeliveryContext, Resources
from monitor_worker.channels.events import event
from monitor_worker.channels.posting import MEANINGS, Poster, Target
from monitor_worker.channels.signing import signer, stamp
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.http_answer import Meaning

_NOT_ACCEPTED: Final = Meaning(
    ErrorClass.TRANSIENT, "it does not accept the signature by to.secret, or the credentials of to.auth"
)
_MEANINGS: Final[Mapping[str, Meaning]] = {**MEANINGS, "401": _NOT_ACCEPTED, "403": _NOT_ACCEPTED}


class WebhookDriver:
    """Delivers by the kind `webhook`.

    Args:
        resources: which targets may be reached, and what may be sent there.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        now: the time in UTC.
    """

    def __init__(
        self,
        resources: Resources,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._poster = Poster(resources.guard, resources.secrets, tls, now)
        self._secrets, self._authorizer, self._now = resources.secrets, Authorizer.of(resources), now

    async def deliver(self, spec: WebhookChannel, notice: Notice, context: DeliveryContext) -> str:
        """Post a notice once. The caller cancels it at the context's timeout.

        Returns:
            The code of 2xx that was answered: `HTTP 204`.

        Raises:
            CheckFailed: it was not taken; or a secret cannot be had, is none to sign with, or may not be sent
                there.
        """
        target = await self._poster.target(spec)
        message = _message(spec, notice, context)
        headers = {
            **spec.headers,
            **message.headers,
            **await self._stamp(spec, notice, message.body, target),
            **await self._authorizer.headers(spec.auth, target.url),
        }
        return await self._poster.post(target, message.body, headers, context, _MEANINGS)

    async def close(self) -> None:
        """Close every connection. Nothing is delivered from then on."""
        await self._poster.close()

    async def _stamp(self, spec: WebhookChannel, notice: Notice, body: bytes, target: Target) -> Mapping[str, str]:
        signers = [
            signer(reference, await self._secrets.get(reference, target.origin)) for reference in spec.secret
        ]
        return stamp(notice.id, self._now(), body, signers)


def _message(spec: WebhookChannel, notice: Notice, context: DeliveryContext) -> HTTPMessage:
    told = event(notice, context)
    return to_binary_event(told) if spec.content_mode == "binary" else to_structured_event(told)


def create(resources: Resources) -> WebhookDriver:
    """The driver of the kind `webhook`."""
    return WebhookDriver(resources)
