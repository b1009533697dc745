"""The kind `azure_operation`: an Azure long-running operation, asked about at its status monitor's URL."""

from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from monitor_core.kinds.azure_adopt import Rule, StartedBy, destination
from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.http_fields import Headers, Url


class AzureOperationCheck(CheckSpec):
    """One GET of the operation's status per check.

    Give `url`, or `adopt` the response that started the operation: it is turned into `url` and `rule`, and is not
    kept. An answer other than 200, 201, 202 and 204 is an error of the check, of the same class as in `http`; one
    that does not tell the operation's state is a transient one.
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

    kind: Literal["azure_operation"] = "azure_operation"
    url: Url = Field(
        "",
        description="That of Azure-AsyncOperation, Operation-Location or Location, absolute; or the resource's.",
    )
    rule: Rule = Field(
        "operation",
        description="How an answer is read. operation (Azure-AsyncOperation, Operation-Location): its `status`. "
        "location (Location): 202 is in progress, 200, 201 and 204 are success. "
        "resource (its own URL): its `properties.provisioningState`, without one success.",
    )
    headers: Headers = Field({})
    adopt: StartedBy | None = Field(
        None, description="The response that started the operation, instead of url and rule."
    )

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
        return handler({"url": found.url, "rule": found.rule, "headers": check.headers})
