"""How a request names a secret: where it is kept, never what it is."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

_IN_ENVIRONMENT: Final = "env:"
_REFERENCE: Final = (
    r"env:MONITOR_SECRET_[A-Z0-9_]{1,100}"
    r"|https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/secrets/[0-9A-Za-z-]{1,127}(/[0-9a-f]{32})?"
)


def _names_a_secret(text: str) -> str:
    if not is_reference(text):
        # Not repeated: it may be the secret itself.
        why = "should be env:MONITOR_SECRET_NAME, or a Key Vault's secret identifier https://VAULT/secrets/NAME"
        raise PydanticCustomError("withheld", "{why}", {"why": why})
    return text


SecretReference = Annotated[
    str,
    Field(max_length=600),
    AfterValidator(_names_a_secret),
    WithJsonSchema(
        {"type": "string", "pattern": f"^({_REFERENCE})$", "examples": [f"{_IN_ENVIRONMENT}MONITOR_SECRET_NAME"]}
    ),
]
"""`env:MONITOR_SECRET_NAME`: a variable of the worker's; or the identifier of a secret in a Key Vault."""


def is_reference(text: str) -> bool:
    """Whether it names a secret in one of the two ways."""
    return re.fullmatch(_REFERENCE, text) is not None


def is_in_environment(reference: str) -> bool:
    """Whether the secret is a variable of the worker's environment."""
    return reference.startswith(_IN_ENVIRONMENT)


def name_of(reference: str) -> str:
    """The variable that holds the secret."""
    return reference.removeprefix(_IN_ENVIRONMENT)
