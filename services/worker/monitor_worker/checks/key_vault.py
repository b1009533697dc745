"""Secrets kept in Azure Key Vaults, read with the worker's identity."""

import asyncio
import importlib
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
)

from monitor_core.contract import ErrorClass
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.failures import Failure, classified
from monitor_worker.checks.tokens import Tokens

_FORBIDDEN: Final = 403
_TABLE: Final = (
    Failure(ResourceNotFoundError, ErrorClass.MISCONFIGURED, "{name} does not exist in {vault}"),
    Failure(
        HttpResponseError,
        ErrorClass.MISCONFIGURED,
        "the worker may not read {name} in {vault}: give its identity the role Key Vault Secrets User there",
        lambda error: error.status_code == _FORBIDDEN,
    ),
    Failure(ClientAuthenticationError, ErrorClass.TRANSIENT, "the worker's identity gets no token for {vault}"),
    Failure(ServiceRequestError, ErrorClass.TRANSIENT, "{vault} cannot be reached"),
    Failure(AzureError, ErrorClass.TRANSIENT, "{vault} gives no answer that can be used"),
)


class KeyVault:
    """Reads secrets. Use it on one event loop.

    Args:
        hosts: the vaults that may be asked, each by its exact host.
        tokens: gives the worker's identity.
        options: for the Azure SDK's client: another transport, say.
    """

    def __init__(self, hosts: Iterable[str], tokens: Tokens, **options: Any) -> None:
        self._hosts, self._tokens, self._options = frozenset(hosts), tokens, options
        self._clients: dict[str, Any] = {}

    async def get(self, identifier: str) -> str:
        """The value of the secret that an identifier names: `https://VAULT/secrets/NAME[/VERSION]`.

        Raises:
            CheckFailed: the vault is not allowed, there is no such secret, or the worker cannot read it.
        """
        parts = urlsplit(identifier)
        name, _, version = parts.path.removeprefix("/secrets/").partition("/")
        if parts.netloc not in self._hosts:
            reason = f"{parts.netloc} is not among MONITOR_ALLOWED_VAULTS of the worker"
            raise CheckFailed(ErrorClass.MISCONFIGURED, reason)
        try:
            found = await (await self._client(parts.netloc)).get_secret(name, version or None)
        except AzureError as error:
            raise classified(_TABLE, error, name=name, vault=parts.netloc) from None
        return str(found.value or "")

    async def _client(self, host: str) -> Any:
        if host not in self._clients:
            credential = await self._tokens.credential()
            try:
                # Optional, and half a second: not on the loop, where every check would wait for it.
                sdk = await asyncio.to_thread(importlib.import_module, "azure.keyvault.secrets.aio")
            except ImportError:
                reason = "this worker lacks the package azure-keyvault-secrets, which reading Key Vaults needs"
                raise CheckFailed(ErrorClass.MISCONFIGURED, reason) from None
            self._clients.setdefault(host, sdk.SecretClient(f"https://{host}", credential, **self._options))
        return self._clients[host]

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(client.close() for client in self._clients.values()), return_exceptions=True)
