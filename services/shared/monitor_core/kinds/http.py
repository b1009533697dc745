"""The kind `http`: one request to a URL; the job's status, or a service's availability."""

import json
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.http_fields import Headers, Url

_IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT"})  # RFC 9110, 9.2.2

_CODE = r"^[1-5]([0-9]{2}|xx)$"
Code = Annotated[
    str,
    BeforeValidator(str),
    Field(pattern=_CODE),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string", "pattern": _CODE}]}
    ),
]


class HttpCheck(CheckSpec):
    """One HTTP request per check.

    The conditions are judged on every answer, whatever its code. Where none holds, an answer outside
    `expected_codes` is an error of the check: transient for 404, 408, 409, 425, 429 and 5xx, else permanent.
    """

    variables = MappingProxyType(
        {
            "code": Variable("int", "The status code, 200 say."),
            "headers": Variable("map(string, string)", "The answer's headers, their names in lower case."),
            "body": Variable("dyn", "The answer decoded as JSON; absent where it is not JSON."),
            "text": Variable("string", "The answer as text."),
            "status": Variable("string", "The text field `status` of a JSON answer; absent without one."),
            "latency_ms": Variable("double", "Milliseconds from the check's start to the answer's end."),
        }
    )
    # The Azure operation form: https://github.com/microsoft/api-guidelines, "Long-Running Operations".
    natural_success = "code >= 200 && code < 300 && status == 'Succeeded'"
    natural_failure = "code >= 200 && code < 300 && status in ['Failed', 'Canceled']"

    kind: Literal["http"] = "http"
    url: Url = Field(description="http or https; no credentials in it.")
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = Field(
        "GET", description="POST and PATCH need allow_repeat."
    )
    headers: Headers = Field({})
    body: Any = Field(None, description="Sent as JSON; a text is sent as it is, as text/plain.")
    expected_codes: tuple[Code, ...] = Field(
        ("2xx",), max_length=50, description="Codes, or classes such as 2xx, whose answers are no error."
    )
    max_redirects: int = Field(5, ge=0, le=20, description="Redirects to follow; each is checked like the URL.")
    allow_repeat: bool = Field(
        False, description="A method that is not idempotent may be sent more than once for one check."
    )

    @field_validator("body")
    @classmethod
    def _is_json(cls, body: Any) -> Any:
        try:
            json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError) as error:
            raise ValueError(f"should be JSON: {error}") from error
        return body

    @model_validator(mode="after")
    def _repeatable(self) -> Self:
        if self.method not in _IDEMPOTENT and not self.allow_repeat:
            raise ValueError(
                f"{self.method} may be sent twice for one check: set allow_repeat if that does no harm"
            )
        return self
