"""The kind `blob`: the properties of one blob, or a listing below a prefix, compared with the check before."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime

from monitor_core.kinds.blob import BlobCheck
from monitor_worker.checks.base import CheckContext, Observation, Resources
from monitor_worker.checks.blob_client import BlobService
from monitor_worker.checks.blob_errors import CAUGHT, outcome
from monitor_worker.checks.blob_observation import observation


class BlobDriver:
    """Makes the checks of the kind `blob` over one pool of connections.

    Args:
        resources: the guard, secrets and tokens.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        now: the time in UTC, to count ages from.
    """

    def __init__(
        self,
        resources: Resources,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._service, self._now = BlobService(resources, tls), now

    async def check(self, spec: BlobCheck, context: CheckContext) -> Observation:
        """Look once. The caller cancels it at the context's timeout.

        Raises:
            CheckFailed: there was no answer, or none that says whether there are blobs.
        """
        try:
            found = await self._service.find(spec, context)
        except CAUGHT as error:
            found = outcome(error, spec, self._now())
        return observation(spec, found, context.checkpoint, self._now())

    async def close(self) -> None:
        """Close every connection."""
        await self._service.close()


def create(resources: Resources) -> BlobDriver:
    """The driver of the kind `blob`."""
    return BlobDriver(resources)
