"""The kind `webhook`: a CloudEvent posted to a URL, signed so that the receiver knows whose it is."""

from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, WithJsonSchema, model_validator

from monitor_core.channels.posted import PostedSpec
from monitor_core.kinds.auth import ApiKey, Auth, require_one_of_each
from monitor_core.kinds.http_fields import Headers
from monitor_core.kinds.secret import SecretReference

_OWN: Final = ("ce-", "content-type", "webhook-id", "webhook-signature", "webhook-timestamp")
_REFERENCE: Final = TypeAdapter(SecretReference).json_schema()


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


SigningSecrets = Annotated[
    tuple[SecretReference, ...],
    BeforeValidator(_listed),
    Field(min_length=1, max_length=2),
    WithJsonSchema({"anyOf": [_REFERENCE, {"type": "array", "items": _REFERENCE, "minItems": 1, "maxItems": 2}]}),
]


class WebhookChannel(PostedSpec):
    """A CloudEvent posted to a URL, signed after Standard Webhooks."""

    example = MappingProxyType(
        {
            "to": {
                "kind": "webhook",
                "url": "https://hooks.example.com/monitors",
                "secret": "env:MONITOR_SECRET_WEBHOOK",
            },
            "verdicts": ["Failed", "Timeout", "Error"],
        }
    )

    kind: Literal["webhook"] = "webhook"
    secret: SigningSecrets = Field(
        (),
        description="What to sign with: names a secret of the form whsec_..., or two while one replaces the "
        "other. Without it nothing is signed.",
    )
    content_mode: Literal["structured", "binary"] = Field(
        "structured", description="The whole event as the body, or its data as the body and the rest as headers."
    )
    headers: Headers = Field({})
    auth: Auth | None = Field(
        None, description="Who delivers, for a receiver that asks; sent to the URL's own origin."
    )

    @model_validator(mode="after")
    def _sets_none_of_its_own_headers(self) -> Self:
        require_one_of_each(self.auth, self.headers)
        given = [*self.headers, *([self.auth.header] if isinstance(self.auth, ApiKey) else [])]
        if mine := [name for name in given if name.lower().startswith(_OWN)]:
            raise ValueError(f"{mine[0]} is set by the webhook itself: leave it out")
        return self
