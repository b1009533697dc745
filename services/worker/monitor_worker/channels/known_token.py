"""A token of the worker's identity, in the form in which clients of Azure's SDKs ask for one."""

from typing import Any

from azure.core.credentials import AccessToken


class KnownToken:
    """A token that was asked for before, for the one place that it may be sent to: no other is ever given.

    Args:
        token: what is given, whatever is asked for.
    """

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        """The token."""
        return self._token

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> "KnownToken":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
