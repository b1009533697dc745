"""Access tokens of the worker's own identity, for the audiences and origins that they may be sent to."""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError

from monitor_core.contract import ErrorClass
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.origins import Allowed, Origin

AUDIENCES: Final = (
    "https://management.azure.com=https://management.azure.com",
    "https://management.azure.com=https://*.management.azure.com",
    "https://management.usgovcloudapi.net=https://management.usgovcloudapi.net",
    "https://management.chinacloudapi.cn=https://management.chinacloudapi.cn",
    "https://storage.azure.com=https://*.blob.core.windows.net",
    "https://eventgrid.azure.net=https://*.eventgrid.azure.net",
    "https://servicebus.azure.net=amqps://*.servicebus.windows.net",
)
"""What needs no setting: Azure's own services under Azure's own names."""
_LONGEST_REASON: Final = 200


def default_credential() -> AsyncTokenCredential:
    """The identity that Azure gives the worker, else what `az login` has left."""
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 # half a second that few workers need

    return DefaultAzureCredential()


class Tokens:
    """Gets tokens. Use it on one event loop.

    Args:
        allowed: which audience's tokens may be sent where.
        credential: makes the credential, once, when first needed.
        masker: is told every token.
    """

    def __init__(
        self,
        allowed: Allowed | None = None,
        credential: Callable[[], AsyncTokenCredential] = default_credential,
        masker: Masker | None = None,
    ) -> None:
        self._allowed = allowed or Allowed(AUDIENCES)
        self._make, self._masker = credential, masker or Masker()
        self._credential: AsyncTokenCredential | None = None
        self._making = asyncio.Lock()

    async def get(self, audience: str, origin: Origin) -> str:
        """A token for `audience`, to be sent to `origin` and nowhere else.

        Raises:
            CheckFailed: it may not be sent there, or there is none to be had.
        """
        return (await self.access_token(audience, origin)).token

    async def access_token(self, audience: str, origin: Origin) -> AccessToken:
        """As `get`, with the time at which it expires."""
        if not self._allowed.permits(audience, origin):
            reason = f"a token for {audience} may not be sent to {origin}"
            entry = f"{audience}={origin}"
            raise CheckFailed(
                ErrorClass.MISCONFIGURED, f"{reason}: add {entry} to MONITOR_ALLOWED_AUDIENCES of the worker"
            )
        try:
            token = await (await self.credential()).get_token(f"{audience}/.default")
        except AzureError as error:
            why = next(iter(str(error.message).strip().splitlines()), "")[:_LONGEST_REASON]
            reason = f"the worker's identity gets no token for {audience}: {why}"
            raise CheckFailed(ErrorClass.TRANSIENT, reason) from None
        self._masker.add(token.token)
        return token

    def audience_of(self, origin: Origin) -> str | None:
        """The audience that is a service's own address (an Azure Resource Manager's is, in every cloud).

        Args:
            origin: the service's, or one below it: a region's.

        Returns:
            None where there is none, or its tokens may not be sent there.
        """
        return next((what for what in self._allowed.at(origin) if _is_at(what, origin)), None)

    async def credential(self) -> AsyncTokenCredential:
        """The worker's identity, for a client of Azure's SDKs that asks for tokens by itself."""
        async with self._making:
            if self._credential is None:
                # Its imports take half a second: not on the loop, where every check would wait for them.
                self._credential = await asyncio.to_thread(self._make)
            return self._credential

    async def close(self) -> None:
        """Close the credential."""
        if self._credential is not None:
            await self._credential.close()


def _is_at(audience: str, origin: Origin) -> bool:
    host = urlsplit(audience).hostname or ""
    return f".{origin.host}".endswith(f".{host}") if host else False
