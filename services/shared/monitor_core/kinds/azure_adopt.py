"""Adopting an Azure long-running operation: from the response that started it to what to ask, and by which rule.

The rules are those of the Azure Resource Manager's asynchronous operations, in the order of Azure's SDKs:
https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import urljoin, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from monitor_core.kinds.http_fields import Url, plain_http

OperationUrl = Annotated[str, Field(max_length=8192), AfterValidator(plain_http)]
"""Azure signs its URLs with a whole certificate in the query: some 3,500 characters."""
Rule = Literal["operation", "location", "resource"]

_BY_HEADER: Mapping[str, Rule] = {
    "azure-asyncoperation": "operation",
    "operation-location": "operation",
    "location": "location",
}
"""The first that the response has decides."""
_ACCEPTED = frozenset({200, 201, 202, 204})
_CREATED, _IN_PROGRESS = 201, 202
_SHOWN_BY_THEIR_URL = frozenset({"PUT", "PATCH"})


class Destination(NamedTuple):
    """What to ask, and how its answers are read."""

    url: str
    rule: Rule


class StartedBy(BaseModel):
    """The response that started an operation. None of it but the URL to ask is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url = Field(description="What the request that started the operation was sent to.")
    method: Literal["PUT", "PATCH", "POST", "DELETE"] = Field(
        "PUT", description="Of that request; it counts where no header says what to ask."
    )
    status_code: int = Field(ge=100, le=599, description="Of the response.")
    headers: dict[str, str] = Field({}, description="Of the response; names in any case.")
    body: Any = Field(None, description="Of the response, decoded JSON; null for none.")

    @model_validator(mode="after")
    def _is_under_way(self) -> Self:
        try:
            destination(self)
        except ValueError as error:
            # The response may hold secrets: nothing of it is repeated.
            raise PydanticCustomError("withheld", "{why}", {"why": str(error)}) from None
        return self


def destination(started: StartedBy) -> Destination:
    """What to ask about the operation that a response started.

    Raises:
        ValueError: the response started none, or one that is over or cannot be asked about.
    """
    if started.status_code not in _ACCEPTED:
        raise ValueError(f"{started.status_code} started no operation: only 200, 201, 202 and 204 do")
    given = {name.lower(): value.strip() for name, value in started.headers.items()}
    for header, rule in _BY_HEADER.items():
        if given.get(header):
            return Destination(_resolved(started.url, given[header], header), rule)
    return Destination(_own_url(started), "resource")


def provisioning_state(body: object) -> object:
    """`properties.provisioningState` of a resource, whatever it is; None without one."""
    properties = body.get("properties") if isinstance(body, Mapping) else None
    return properties.get("provisioningState") if isinstance(properties, Mapping) else None


def _resolved(url: str, reference: str, header: str) -> str:
    try:
        target = plain_http(urljoin(url, reference))
    except ValueError:
        raise ValueError(f"the header {header} holds no URL that can be asked") from None
    if (urlsplit(url).scheme, urlsplit(target).scheme) == ("https", "http"):
        raise ValueError(f"the header {header} leads from https to http, which is not followed")
    return target


def _own_url(started: StartedBy) -> str:
    code, headers = started.status_code, "Azure-AsyncOperation, Operation-Location or Location"
    under_way = code in {_CREATED, _IN_PROGRESS} or provisioning_state(started.body) is not None
    if started.method in _SHOWN_BY_THEIR_URL and under_way:
        return started.url
    if code == _IN_PROGRESS:
        raise ValueError(f"202 to {started.method} without a header {headers} does not say what to ask: give url")
    raise ValueError(f"{code} to {started.method} without a header {headers} says that the operation is over")
