"""The kind `azure_resource`: one GET of a resource from Azure Resource Manager, as the worker's own identity."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from yarl import URL

from monitor_core.contract import ErrorClass
from monitor_core.kinds.auth import Auth, ManagedIdentity
from monitor_core.kinds.azure_id import type_of
from monitor_core.kinds.azure_resource import AzureResourceCheck
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.azure_errors import MEANINGS_OF_CODES, Told, is_about_the_version, misconfigured, told
from monitor_worker.checks.azure_resource_answer import observed, pinned
from monitor_worker.checks.azure_versions import PROVIDERS_VERSION, Versions, newest
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.http_answer import Answer, observation
from monitor_worker.checks.http_client import HttpClient
from monitor_worker.checks.http_request import Request
from monitor_worker.checks.origins import Origin


class AzureResourceDriver:
    """Makes the checks of the kind `azure_resource` over one pool of connections.

    It keeps the api-versions that it has found: they are no monitor's own.

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
        self._authorizer = Authorizer.of(resources)
        self._versions = Versions()

    async def check(self, spec: AzureResourceCheck, context: CheckContext) -> Observation:
        """Ask once, and for the first resource of its type also which api-versions it has.

        Raises:
            CheckFailed: there was no answer, or none about the resource.
        """
        version = spec.api_version or pinned(spec, context.checkpoint)
        version = version or await self._versions.get(_key(spec), lambda: self._newest(spec, context))
        answer = await self._get(spec, spec.resource_id, version, context)
        if is_about_the_version(_told(answer, self._now())):
            self._versions.forget(_key(spec))  # it may have been withdrawn since it was found
        return observed(spec, answer, version, context.checkpoint, self._now())

    async def close(self) -> None:
        """Close every connection. No check is made from then on."""
        await self._client.close()

    async def _newest(self, spec: AzureResourceCheck, context: CheckContext) -> str:
        wanted = type_of(spec.resource_id)
        path = f"/subscriptions/{wanted.subscription}/providers/{wanted.namespace}"
        answer = await self._get(spec, path, PROVIDERS_VERSION, context)
        seen = observation(answer, ("200",), self._now(), MEANINGS_OF_CODES)
        if (never := misconfigured(answer, told(seen.variables.get("body")))) is not None:
            raise never
        if seen.error is not None:
            reason = f"the resource's api-version cannot be found, give check.api_version: {seen.error}"
            raise CheckFailed(seen.error.error_class, reason, seen.retry_after_seconds)
        return newest(seen.variables.get("body"), wanted)

    async def _get(self, spec: AzureResourceCheck, path: str, version: str, context: CheckContext) -> Answer:
        request = _request(spec.endpoint, path, version)
        given = await self._authorizer.headers(spec.auth or _own_identity(spec.endpoint), request.url)
        return (await self._client.ask(replace(request, headers=given), context, 0)).answer


def _told(answer: Answer, now: datetime) -> Told:
    return told(observation(answer, (), now).variables.get("body"))


def _request(endpoint: str, path: str, version: str) -> Request:
    try:
        url = URL(endpoint).with_path(path).with_query({"api-version": version})
    except ValueError:
        raise CheckFailed(ErrorClass.MISCONFIGURED, "check.endpoint and resource_id make no URL") from None
    return Request.get(str(url), {})


def _own_identity(endpoint: str) -> Auth:
    return ManagedIdentity(type="managed_identity", audience=str(Origin.parse(endpoint)))


def _key(spec: AzureResourceCheck) -> tuple[str, ...]:
    return (spec.endpoint, *(part.lower() for part in type_of(spec.resource_id)))


def create(resources: Resources) -> AzureResourceDriver:
    """The driver of the kind `azure_resource`."""
    return AzureResourceDriver(resources)
