"""Asking a Blob service: Azure's own client, over connections of ours and with what we let it know.

The client makes no connection, takes no proxy, follows no redirect, repeats nothing and gets no token by itself:
it would ask the worker's identity for one for whatever audience the 401 of a server names.
"""

import ssl
from collections.abc import Mapping
from typing import Any, Final

from azure.core.credentials import AzureSasCredential
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.blob.aio import BlobClient, ContainerClient
from yarl import URL

from monitor_core.contract import ErrorClass
from monitor_core.kinds.auth import ManagedIdentity
from monitor_core.kinds.blob import MOST_BLOBS, BlobCheck
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.base import CheckContext, CheckFailed, Resources
from monitor_worker.checks.blob_observation import Blob, Found
from monitor_worker.checks.http_connect import Pool
from monitor_worker.checks.http_response import BoundedResponse
from monitor_worker.checks.origins import Origin

_IDENTITY: Final = ManagedIdentity(type="managed_identity", audience="https://storage.azure.com")
_PER_PAGE: Final = 200
"""Reading a page takes the loop some 40 ms, in which no other check gets on."""
_FOLDER: Final = "hdi_isfolder"


class BlobService:
    """Looks at blobs. Use it on one event loop.

    Args:
        resources: the guard, secrets and tokens.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
    """

    def __init__(self, resources: Resources, tls: ssl.SSLContext | None = None) -> None:
        self._resources, self._pool = resources, Pool(resources.guard, tls, BoundedResponse)
        self._authorizer = Authorizer.of(resources)

    async def find(self, spec: BlobCheck, context: CheckContext) -> Found:
        """The blob, or those below the prefix.

        Raises:
            CheckFailed: the worker may not say who it is, or what answers is no Blob service.
            AzureError, TargetDenied, TargetUnresolved: as the service answers, and the guard decides.
        """
        headers, signature = await self._access(spec)
        # Made anew for each check (0.3 ms): a secret that is renewed is used at once, and no account is kept.
        options: dict[str, Any] = {
            "account_url": spec.account_url,
            "credential": signature,
            "transport": AioHttpTransport(session=self._pool.session(), session_owner=False),
            "retry_total": 0,
            "permit_redirects": False,
        }
        asked: dict[str, Any] = {"headers": headers, "client_request_id": context.request_id}
        if spec.blob is not None:
            blob = BlobClient(container_name=spec.container, blob_name=spec.blob, **options)
            return Found([_known(await blob.get_blob_properties(**asked))])
        container = ContainerClient(container_name=spec.container, **options)
        try:
            return await _listed(container, spec.prefix or None, asked)
        except (AttributeError, KeyError, TypeError, ValueError):  # the client reads any answer as a listing
            raise _no_service() from None

    async def close(self) -> None:
        """Close every connection. Nothing is asked from then on."""
        await self._pool.close()

    async def _access(self, spec: BlobCheck) -> tuple[Mapping[str, str], AzureSasCredential | None]:
        if spec.anonymous:
            return {}, None
        if spec.sas is None:
            return await self._authorizer.headers(_IDENTITY, URL(spec.account_url)), None
        secret = await self._resources.secrets.get(spec.sas, Origin.parse(spec.account_url))
        signature = secret.strip().removeprefix("?")
        if (
            "sig=" not in signature
            or not signature.isprintable()
            or {" ", "#"} & set(signature)
            or "://" in signature
        ):
            reason = (
                f"{spec.sas} holds no shared access signature: it should look like sv=...&sig=..., with no URL"
            )
            raise CheckFailed(ErrorClass.MISCONFIGURED, reason)
        self._resources.secrets.masker.add(signature)
        return {}, AzureSasCredential(signature)


async def _listed(container: ContainerClient, prefix: str | None, asked: Mapping[str, Any]) -> Found:
    found: list[Blob] = []
    listing = container.list_blobs(prefix, include=["metadata"], results_per_page=_PER_PAGE, **asked)
    # Page by page: over the blobs alone the client would recurse once for each page that is empty.
    async for page in listing.by_page():
        async for blob in page:
            if (blob.metadata or {}).get(_FOLDER) == "true":
                continue
            if len(found) == MOST_BLOBS:
                return Found(found, truncated=True)
            found.append(_known(blob))
    return Found(found)


def _known(blob: Any) -> Blob:
    # BlobProperties promises all of them, but whatever answers 200 need not be a Blob service.
    if not blob.etag or blob.last_modified is None or blob.size is None or blob.blob_type is None:
        raise _no_service()
    return Blob(
        name=str(blob.name),
        size=int(blob.size),
        etag=blob.etag.strip('"'),
        last_modified=blob.last_modified,
        content_type=blob.content_settings.content_type or "",
        metadata=blob.metadata or {},
    )


def _no_service() -> CheckFailed:
    return CheckFailed(ErrorClass.TRANSIENT, "what answers at check.account_url does not answer as a Blob service")
