"""The kind `azure_resource`: an Azure resource is provisioned, or deleted, or has changed."""

from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from monitor_core.kinds.auth import Auth
from monitor_core.kinds.azure_id import ResourceId
from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.http_fields import Url


def _bare(url: str) -> str:
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("should be the address alone, https://management.azure.com say")
    return url.rstrip("/")


class AzureResourceCheck(CheckSpec):
    """One GET of the resource from Azure Resource Manager per check, as the worker's own identity by default.

    404 is observed (`Absent`) and waited for. Any other answer than a resource is an error of the check, and
    judged by no condition, so that nothing is taken for deleted which only could not be read: transient for 408,
    409, 425, 429 and 5xx; permanent for 401 and 403 (the identity needs the role Reader on the resource); a
    misconfiguration where the subscription, the provider, the type or the api_version is unknown.

    A resource without `properties.provisioningState` counts as provisioned, as in Azure's SDKs: it is there, and
    nothing happens to it. (`az resource wait --created` would wait for ever.) While its absence is waited for, no
    state fails: `Failed` may be that of the very resource that is being cleared away.
    """

    variables = MappingProxyType(
        {
            "code": Variable("int", "The status code: 404 where it is absent, 200 say where it exists."),
            "exists": Variable("bool", "Whether the resource is there."),
            "absent": Variable("bool", "Whether the check waits for its absence: the field `absent`."),
            "has_provisioning_state": Variable(
                "bool", "Whether the resource is there and has a `properties.provisioningState`."
            ),
            "provisioning_state": Variable(
                "string",
                "`properties.provisioningState`; the three that are final always as Succeeded, Failed and "
                "Canceled. Absent unless has_provisioning_state.",
            ),
            "changed": Variable(
                "bool",
                "Whether the resource is another than the monitor's first check saw: created or deleted since, or "
                "with another ETag, or where it has none with any other content.",
            ),
            "resource": Variable("dyn", "The resource, as Azure Resource Manager gives it; absent unless exists."),
            "properties": Variable("dyn", "Its `properties`; absent where it has none."),
            "location": Variable("string", "Its `location`; absent where it has none."),
            "tags": Variable("map(string, string)", "Its tags; empty where it has none."),
        }
    )
    natural_success = "absent ? !exists : exists && (!has_provisioning_state || provisioning_state == 'Succeeded')"
    natural_failure = "!absent && has_provisioning_state && provisioning_state in ['Failed', 'Canceled']"
    example = MappingProxyType(
        {
            "check": {
                "kind": "azure_resource",
                "resource_id": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop"
                "/providers/Microsoft.Web/sites/shop",
            },
            "polling": {"interval_seconds": 15},
            "timeout_seconds": 1800,
        }
    )

    kind: Literal["azure_resource"] = "azure_resource"
    resource_id: ResourceId = Field(
        description="Of a subscription, a resource group or a resource; nested and extension resources too."
    )
    api_version: str | None = Field(
        None,
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-[a-z]{1,20})?$",
        description="Of the resource's provider, 2024-04-01 say. Without it the newest at the first check that is "
        "no preview, as its provider tells (which needs the role Reader on the subscription).",
    )
    absent: bool = Field(False, description="Wait until the resource is not there.")
    endpoint: Annotated[Url, AfterValidator(_bare)] = Field(
        "https://management.azure.com", description="Azure Resource Manager; another one in other clouds."
    )
    auth: Auth | None = Field(
        None, description="Who is asking; without it the worker's own identity, with the endpoint as audience."
    )

    @property
    def server_address(self) -> str | None:
        """The host of `endpoint`."""
        return urlsplit(self.endpoint).hostname
