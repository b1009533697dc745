"""The kind `http`: one request to a URL; the job's status, or a service's availability."""

import json
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from monitor_core.kinds.auth import Auth, require_one_of_each
from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.http_fields import Headers, Url

_IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT"})  # RFC 9110, 9.2.2
_CONDITIONAL = frozenset({"GET", "HEAD"})  # for others a precondition that fails is an error: RFC 9110, 13.2.2
_PRECONDITIONS = frozenset({"if-modified-since", "if-none-match"})

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

    Without conditions of its own a check waits for a job whose JSON answer says `"status": "Succeeded"`; one by
    HEAD, which has no content to say so, for any answer of 2xx: the service is available.

    With `conditional` the server need not send again what it sent before, and answers 304 instead (RFC 9110,
    section 13). The conditions then see what they saw on the answer before, as with any HTTP cache: its `code`,
    `status`, `changed`; so a condition over these holds on, and `consecutive_successes` counts on. `not_modified`
    tells a 304 apart, `headers` are its own, and there is no `body` and no `text`: write
    `!not_modified && body.count > 3`, which is judged once for each version. Kept is the last expected answer of
    2xx with an ETag or Last-Modified; one that was redirected is asked for whole each time.
    """

    variables = MappingProxyType(
        {
            "code": Variable("int", "The status code, 200 say; on a 304 that of the answer that still stands."),
            "method": Variable("string", "The method that was answered: the check's, or GET after a redirect."),
            "headers": Variable("map(string, string)", "The answer's headers, their names in lower case."),
            "body": Variable("dyn", "The answer decoded as JSON; absent where it is not JSON, by HEAD, on a 304."),
            "text": Variable("string", "The answer as text; absent by HEAD and on a 304."),
            "status": Variable("string", "The text field `status` of a JSON answer; absent without one."),
            "latency_ms": Variable("double", "Milliseconds from the request to the answer's end."),
            "changed": Variable(
                "bool",
                "Whether an expected answer of 2xx differs from the monitor's first one: by their ETags where "
                "both have one, else by Last-Modified, else by their content. False for other answers, and by "
                "HEAD for those without either header.",
            ),
            "not_modified": Variable(
                "bool", "Whether the server says, asked by `conditional`, that the answer before still stands."
            ),
            "certificate_days_left": Variable(
                "double",
                "Days until the server's certificate expires; absent without https. Connections are made anew "
                "each minute, so a renewed one is seen. One that has expired is an error of the check.",
            ),
        }
    )
    # The Azure operation form: https://github.com/microsoft/api-guidelines, "Long-Running Operations".
    natural_success = "code >= 200 && code < 300 && (method == 'HEAD' || status == 'Succeeded')"
    natural_failure = "code >= 200 && code < 300 && method != 'HEAD' && status in ['Failed', 'Canceled']"
    example = MappingProxyType(
        {
            "check": {
                "kind": "http",
                "url": "https://api.example.com/jobs/42",
                "auth": {"type": "bearer", "token": "env:MONITOR_SECRET_API_TOKEN"},
            },
            "success_when": "code == 200 && body.state == 'done'",
            "failure_when": "code == 200 && body.state == 'error'",
            "polling": {"interval_seconds": 10},
            "timeout_seconds": 3600,
        }
    )

    kind: Literal["http"] = "http"
    url: Url = Field(description="http or https; no credentials in it.")
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = Field(
        "GET", description="POST and PATCH need allow_repeat."
    )
    headers: Headers = Field({})
    auth: Auth | None = Field(None, description="Who is asking; sent to the URL's own origin alone.")
    body: Any = Field(None, description="Sent as JSON; a text is sent as it is, as text/plain.")
    expected_codes: tuple[Code, ...] = Field(
        ("2xx",), max_length=50, description="Codes, or classes such as 2xx, whose answers are no error."
    )
    max_redirects: int = Field(5, ge=0, le=20, description="Redirects to follow; each is checked like the URL.")
    allow_repeat: bool = Field(
        False, description="A method that is not idempotent may be sent more than once for one check."
    )

    conditional: bool = Field(
        False,
        description="Ask by ETag or Last-Modified whether the answer before still stands; GET and HEAD only.",
    )

    @property
    def server_address(self) -> str | None:
        """The host of `url`."""
        return urlsplit(self.url).hostname

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

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        require_one_of_each(self.auth, self.headers)
        if self.conditional and self.method not in _CONDITIONAL:
            raise ValueError(f"conditional is for GET and HEAD, not for {self.method}")
        mine = [name for name in self.headers if self.conditional and name.lower() in _PRECONDITIONS]
        if mine:
            raise ValueError(f"{mine[0]} is set by conditional: leave it out of headers")
        return self
