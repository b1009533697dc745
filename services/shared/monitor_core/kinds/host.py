"""How a check names the host and port that it connects to."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field

_NO_PART_OF_A_NAME = frozenset(" %/\\:@?#[]")


def name_or_address(host: str) -> str:
    """The host itself.

    Raises:
        ValueError: it is neither a name that DNS can carry nor an address without brackets and zone.
    """
    if "%" not in host and _is_address(host):
        return host
    if not host or not host.isprintable() or _NO_PART_OF_A_NAME & set(host):
        raise ValueError("should be a name or an address alone, example.com or 2001:db8::1 say")
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError("should be a name that DNS can carry, its parts 1 to 63 characters long") from None
    return host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


Host = Annotated[
    str,
    Field(max_length=253, description="A name or an address; no scheme, port or brackets."),
    AfterValidator(name_or_address),
]
Port = Annotated[int, Field(ge=1, le=65535)]
