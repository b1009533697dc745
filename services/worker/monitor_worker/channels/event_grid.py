"""The kind `event_grid`: Azure's own client, over connections of ours and with what we let it know.

The client makes no connection, takes no proxy, follows no redirect, repeats nothing and gets no token by itself.
"""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from azure.core.credentials import AzureKeyCredential
from azure.core.messaging import CloudEvent
from azure.core.pipeline.transport import AioHttpTransport
from azure.eventgrid.aio import EventGridPublisherClient
from yarl import URL

from monitor_core.channels.event_grid import EventGridChannel
from monitor_core.contract import Notice
from monitor_core.kinds.auth import ApiKey
from monitor_worker.channels.base import DeliveryContext, Resources
from monitor_worker.channels.event_grid_errors import CAUGHT, check_failed
from monitor_worker.channels.events import event
from monitor_worker.channels.known_token import KnownToken
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.http_connect import Pool
from monitor_worker.checks.http_response import BoundedResponse
from monitor_worker.checks.origins import Origin

_AUDIENCE: Final = "https://eventgrid.azure.net"
_HEADER: Final = "aeg-sas-key"


class _Last(BoundedResponse):
    """An answer that ends its connection, as those to Poster do: one that is kept may be closed under the next."""

    longest_connection_seconds = 0.0


class EventGridDriver:
    """Delivers by the kind `event_grid`, over a new connection each time.

    Args:
        resources: the guard, secrets and tokens.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        now: the time in UTC, for a Retry-After that is a date.
    """

    def __init__(
        self,
        resources: Resources,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = Pool(resources.guard, tls, _Last)
        self._tokens, self._authorizer, self._now = resources.tokens, Authorizer.of(resources), now

    async def deliver(self, spec: EventGridChannel, notice: Notice, context: DeliveryContext) -> str:
        """Publish a notice once. The caller cancels it at the context's timeout.

        Returns:
            What Event Grid answers where it takes an event: `HTTP 200`.

        Raises:
            CheckFailed: it was not taken, or the worker may not say who it is.
        """
        # Made anew for each delivery (0.2 ms): a key that is renewed is used at once.
        client = EventGridPublisherClient(
            spec.endpoint,
            await self._credential(spec),
            transport=AioHttpTransport(session=self._pool.session(), session_owner=False),
            retry_total=0,
            permit_redirects=False,
            request_id=context.request_id,
        )
        try:
            await client.send(_told(spec, notice, context))
        except CAUGHT as error:
            raise check_failed(error, spec, self._now()) from None
        return "HTTP 200"

    async def close(self) -> None:
        """Close every connection. Nothing is delivered from then on."""
        await self._pool.close()

    async def _credential(self, spec: EventGridChannel) -> AzureKeyCredential | KnownToken:
        if spec.key is None:
            return KnownToken(await self._tokens.access_token(_AUDIENCE, Origin.parse(spec.endpoint)))
        header = ApiKey(type="api_key", header=_HEADER, key=spec.key)
        return AzureKeyCredential((await self._authorizer.headers(header, URL(spec.endpoint)))[_HEADER])


def _told(spec: EventGridChannel, notice: Notice, context: DeliveryContext) -> CloudEvent[Any]:
    told = event(notice, context)
    attributes = told.get_attributes()
    if spec.topic is not None:
        attributes = {**attributes, "source": spec.topic}
    return CloudEvent(data=told.get_data(), **attributes)


def create(resources: Resources) -> EventGridDriver:
    """The driver of the kind `event_grid`."""
    return EventGridDriver(resources)
