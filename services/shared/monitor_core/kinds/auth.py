"""How a check says who is asking: four ways, none with a secret in it."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from monitor_core.kinds.http_fields import not_of_the_check
from monitor_core.kinds.secret import SecretReference

Audience = Annotated[str, StringConstraints(max_length=300, pattern=r"^[a-z][a-z0-9+.-]*://[^\s=]*[^\s=/]$")]


class _Auth(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bearer(_Auth):
    """`Authorization: Bearer` with a token that is kept as a secret."""

    type: Literal["bearer"]
    token: SecretReference = Field(description="Names the secret that holds the token.")


class Basic(_Auth):
    """`Authorization: Basic`."""

    type: Literal["basic"]
    username: Annotated[str, StringConstraints(max_length=256, pattern=r"^[^:\x00-\x1f\x7f]*$")] = Field(
        description="Who is asking; no secret, and no colon in it."
    )
    password: SecretReference = Field(description="Names the secret that holds the password.")


class ApiKey(_Auth):
    """A header of the target's own choice."""

    type: Literal["api_key"]
    header: Annotated[
        str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9_-]+$"), AfterValidator(not_of_the_check)
    ] = Field(description="The header's name, X-API-Key say.")
    key: SecretReference = Field(description="Names the secret that the header carries.")


class ManagedIdentity(_Auth):
    """`Authorization: Bearer` with an access token of the worker's own identity."""

    type: Literal["managed_identity"]
    audience: Audience = Field(description="What the token is for, https://management.azure.com say.")


Auth = Annotated[Bearer | Basic | ApiKey | ManagedIdentity, Field(discriminator="type")]
"""A secret or token is only ever sent to the origins that the worker's settings name for it."""


def require_one_of_each(auth: Auth | None, headers: Iterable[str]) -> None:
    """Check the headers that a check sends besides its `auth`.

    Raises:
        ValueError: `auth` sets one of them as well.
    """
    header = auth.header if isinstance(auth, ApiKey) else "Authorization"
    if auth is not None and header.lower() in {name.lower() for name in headers}:
        raise ValueError(f"{header} stands in headers and is set by auth: leave it out of headers")
