"""Access tokens for a client-scheduler: of `az login`, or whatever else this machine's identity is."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError

from monitor_client.errors import NoServerToken

_SPARE_SECONDS: Final = 300
"""So long before its end a token is replaced."""


def default_credential() -> AsyncTokenCredential:
    """What Azure's own tools would use here."""
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 # half a second that few need

    return DefaultAzureCredential()


class ServerToken:
    """One server's tokens: one at a time, asked for once and kept, as `az` takes a second for each.

    Args:
        server: for messages.
        audience: what the token has to be for.
        credential: makes the credential, when first needed.
    """

    def __init__(
        self, server: str, audience: str, credential: Callable[[], AsyncTokenCredential] = default_credential
    ) -> None:
        self._server, self._scope, self._make = server, f"{audience}/.default", credential
        self._credential: AsyncTokenCredential | None = None
        self._token: AccessToken | None = None
        self._asking = asyncio.Lock()

    async def get(self) -> str:
        """The token.

        Raises:
            NoServerToken: there is none to be had.
        """
        async with self._asking:
            if self._token is None or self._token.expires_on - _SPARE_SECONDS <= time.time():
                self._token = await self._ask()
            return self._token.token

    async def close(self) -> None:
        """Close the credential."""
        if self._credential is not None:
            await self._credential.close()

    async def _ask(self) -> AccessToken:
        self._credential = self._credential or self._make()
        try:
            return await self._credential.get_token(self._scope)
        except AzureError as error:
            raise NoServerToken(self._server, (str(error.message).splitlines() or ["no reason"])[0]) from error
