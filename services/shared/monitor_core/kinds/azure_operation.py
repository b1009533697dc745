"""The kind `azure_operation`: an Azure long-running operation, asked about at its status monitor's URL."""

from types import MappingProxyType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from monitor_core.kinds.auth import Auth
from monitor_core.kinds.azure_adopt import OperationUrl, Rule, StartedBy, destination
from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.http_fields import Headers


class AzureOperationCheck(CheckSpec):
    """One GET of the operation's status per check.

    Give `url`, or `adopt` the response that started the operation: it is turned into `url` and `rule`, and is not
    kept. An answer other than 200, 201, 202 and 204 is an error of the check, of the same class as in `http`; one
    that does not tell the operation's state is a transient one.

    An operation in progress may name another URL to be asked at: it is followed, and the next check begins there.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["url"]}, {"required": ["adopt"]}]})

    variables = MappingProxyType(
        {
            "code": Variable("int", "The status code, 200 say."),
            "status": Variable(
                "string",
                "The operation's state; the three that are final always as Succeeded, Failed and Canceled. "
                "Absent where the answer does not tell.",
            ),
            "body": Variable("dyn", "The answer decoded as JSON; absent where it is not JSON."),
            "headers": Variable("map(string, string)", "The answer's headers, their names in lower case."),
            "error_code": Variable("string", "`error.code` of the answer; empty without one."),
            "error_message": Variable("string", "`error.message` of the answer; empty without one."),
        }
    )
    natural_success = "status == 'Succeeded'"
    natural_failure = "status in ['Failed', 'Canceled']"
    example = MappingProxyType(
        {
            "check": {
                "kind": "azure_operation",
                "adopt": {
                    "url": "https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000000"
                    "/resourceGroups/shop/providers/Microsoft.Web/sites/shop?api-version=2024-04-01",
                    "method": "PUT",
                    "status_code": 202,
                    "headers": {
                        "Azure-AsyncOperation": "https://management.azure.com/subscriptions"
                        "/00000000-0000-0000-0000-000000000000/providers/Microsoft.Web/locations/westeurope"
                        "/operations/1?api-version=2024-04-01"
                    },
                },
            },
            "timeout_seconds": 1800,
        }
    )

    kind: Literal["azure_operation"] = "azure_operation"
    url: OperationUrl = Field(
        "",
        description="That of Azure-AsyncOperation, Operation-Location or Location, absolute; or the resource's.",
    )
    rule: Rule = Field(
        "operation",
        description="How an answer is read. operation (Azure-AsyncOperation, Operation-Location): its `status`. "
        "location (Location): 202 is in progress, 200, 201 and 204 are success. "
        "resource (its own URL): its `properties.provisioningState`, without one success.",
    )
    headers: Headers = Field({}, description="Sent to the origin of `url` alone.")
    auth: Auth | None = Field(
        None,
        description="Who is asking. Without it an Azure Resource Manager is shown the worker's own identity "
        "(it needs the role Reader there), and anyone else nothing. Another origin that the operation moves to is "
        "sent only what may be sent there.",
    )
    adopt: StartedBy | None = Field(
        None, description="The response that started the operation, instead of url and rule."
    )

    @property
    def server_address(self) -> str | None:
        """The host of `url`."""
        return urlsplit(self.url).hostname

    @model_validator(mode="wrap")
    @classmethod
    def _adopted(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        check = handler(data)
        if check.adopt is None:
            if not check.url:
                raise ValueError("url is required, or adopt in its place")
            return check
        if check.model_fields_set & {"url", "rule"}:
            raise ValueError("adopt says what url and rule would: give one or the other")
        found = destination(check.adopt)
        return handler({"url": found.url, "rule": found.rule, "headers": check.headers, "auth": check.auth})
