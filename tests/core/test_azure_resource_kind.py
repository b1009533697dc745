"""The kind `azure_resource`: which ids are ids, and what its conditions say."""

from typing import Any

import pytest
from pydantic import ValidationError

from monitor_core.conditions import conditions
from monitor_core.kinds import AzureResourceCheck
from monitor_core.kinds.azure_id import ResourceType, type_of

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/shop"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/shop"


@pytest.mark.parametrize(
    ("resource_id", "namespace", "kind"),
    [
        (SUBSCRIPTION, "Microsoft.Resources", "subscriptions"),
        (GROUP, "Microsoft.Resources", "resourceGroups"),
        (GROUP.replace("resourceGroups", "resourcegroups"), "Microsoft.Resources", "resourceGroups"),
        (f"{SUBSCRIPTION}/providers/Microsoft.Features/providers/x", None, None),
        (f"{SUBSCRIPTION}/providers/Microsoft.Security/pricings/Api", "Microsoft.Security", "pricings"),
        (SITE, "Microsoft.Web", "sites"),
        (f"{SITE}/slots/blue/hostNameBindings/a.example", "Microsoft.Web", "sites/slots/hostNameBindings"),
        (
            f"{SITE}/providers/Microsoft.Insights/diagnosticSettings/all",
            "Microsoft.Insights",
            "diagnosticSettings",
        ),
        (
            f"{GROUP}/providers/Microsoft.AlertsManagement/rules/Failure Anomalies - (x)",
            "Microsoft.AlertsManagement",
            "rules",
        ),
        (f"{SUBSCRIPTION.upper()}/resourceGroups/g\u00fcnther.x_(1)", "Microsoft.Resources", "resourceGroups"),
    ],
)
def test_the_type_follows_from_the_id(resource_id: str, namespace: str | None, kind: str | None) -> None:
    if namespace is None or kind is None:
        with pytest.raises(ValueError, match="should be a resource id"):
            type_of(resource_id)
    else:
        assert type_of(resource_id) == ResourceType(resource_id.split("/")[2], namespace, kind)
        assert AzureResourceCheck(resource_id=resource_id).resource_id == resource_id


@pytest.mark.parametrize(
    "resource_id",
    [
        "",
        "/",
        "shop",
        "/subscriptions",
        "/subscriptions/",
        "subscriptions/s/resourceGroups/g",
        "/resourceGroups/g",
        f"{GROUP}/",
        f"{GROUP}/providers",
        f"{GROUP}/providers/Microsoft.Web",
        f"{GROUP}/providers/Microsoft.Web/sites",
        f"{GROUP}/sites/shop",
        f"{SITE}/providers/Microsoft.Insights",
        f"{GROUP}//providers/Microsoft.Web/sites/shop",
        f"{GROUP}/providers/Microsoft.Web/sites/..",
        f"{GROUP}/providers/../Microsoft.Web/sites",
        f"{GROUP}/providers/Microsoft.Web/sites/%2e%2e",
        f"{SITE}?api-version=2024-04-01",
        f"{SITE}#x",
        f"{GROUP}/providers/Microsoft.Web/sites/a\\b",
        f"{GROUP}/providers/Microsoft.Web/sites/a\nb",
        f"{GROUP}/providers/Microsoft.Web/sites/ ",
        f"https://management.azure.com{SITE}",
        f"{GROUP}/providers/Microsoft.Web" + "/providers/x" * 100,
        SITE + "x" * 2048,
    ],
)
def test_what_is_no_resource_id_is_refused(resource_id: str) -> None:
    with pytest.raises(ValidationError, match="resource_id"):
        AzureResourceCheck(resource_id=resource_id)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"api_version": "latest"}, "api_version"),
        ({"api_version": "2024-04-01&x=1"}, "api_version"),
        ({"endpoint": "management.azure.com"}, "absolute http or https URL"),
        ({"endpoint": "https://management.azure.com/subscriptions"}, "the address alone"),
        ({"endpoint": "https://management.azure.com?x=1"}, "the address alone"),
        ({"endpoint": "https://me:secret@management.azure.com"}, "no user name or password"),
        ({"exists": True}, "exists"),
    ],
)
def test_other_fields_are_refused_by_their_place(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        AzureResourceCheck.model_validate({"resource_id": SITE, **fields})


def test_an_endpoint_is_written_without_its_slash() -> None:
    check = AzureResourceCheck(resource_id=SITE, endpoint="https://management.chinacloudapi.cn/")
    assert check.endpoint == "https://management.chinacloudapi.cn"
    assert AzureResourceCheck(resource_id=SITE, api_version="2024-11-01-preview").api_version is not None


@pytest.mark.parametrize(
    ("absent", "exists", "state", "verdict"),
    [
        (False, False, None, (False, False)),
        (False, True, "Creating", (False, False)),
        (False, True, "Succeeded", (True, False)),
        (False, True, "Failed", (False, True)),
        (False, True, "Canceled", (False, True)),
        (False, True, None, (True, False)),
        (True, True, "Deleting", (False, False)),
        (True, True, "Failed", (False, False)),
        (True, True, None, (False, False)),
        (True, False, None, (True, False)),
    ],
)
def test_it_is_there_when_provisioned_and_gone_when_not_found(
    absent: bool, exists: bool, state: str | None, verdict: tuple[bool, bool]
) -> None:
    success, failure = conditions(None, None, AzureResourceCheck)
    assert success is not None
    assert failure is not None
    values: dict[str, Any] = {"absent": absent, "exists": exists, "has_provisioning_state": state is not None}
    values |= {"provisioning_state": state} if state else {}
    assert (success.holds(values), failure.holds(values)) == verdict
