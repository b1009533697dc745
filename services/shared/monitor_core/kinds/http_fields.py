"""What every kind that asks over HTTP has in common: the URL it asks and the headers it sends."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_OWN_HEADERS = frozenset({"connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"})
_LONGEST_NAME = 256
_LONGEST_VALUE = 8192
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def plain_http(url: str) -> str:
    """The URL itself.

    Raises:
        ValueError: it is no absolute http or https URL, or has credentials, spaces or control characters in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("should be an absolute http or https URL")
    if parts.username is not None or parts.password is not None:
        raise PydanticCustomError(
            "withheld", "should have no user name or password in it: it stays in the history"
        )
    if not url.isprintable() or " " in url:
        raise ValueError("should have no space or control character in it")
    _ = parts.port  # raises where it is no port
    return url


def sendable(headers: dict[str, str]) -> dict[str, str]:
    """The headers themselves.

    Raises:
        ValueError: one is not valid, carries a secret, or is the check's own to set.
    """
    for name, value in headers.items():
        if len(name) > _LONGEST_NAME:
            raise ValueError(f"has a name of {len(name):,} characters, and should have none above {_LONGEST_NAME}")
        if len(value) > _LONGEST_VALUE:
            raise ValueError(f"{name!r} has {len(value):,} characters, and should have at most {_LONGEST_VALUE:,}")
        if not _TOKEN.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"{name!r} is not a valid header")
        if name.lower() in _SECRET_HEADERS:
            raise ValueError(
                f"{name} would carry a secret into the history, where it stays readable: let auth name it"
            )
        not_of_the_check(name)
    return headers


def not_of_the_check(name: str) -> str:
    """The header's name itself.

    Raises:
        ValueError: the check sets that header.
    """
    if name.lower() in _OWN_HEADERS:
        raise ValueError(f"{name} is set by the check itself")
    return name


Url = Annotated[str, Field(max_length=2048), AfterValidator(plain_http)]
Headers = Annotated[
    dict[str, str],
    Field(max_length=50, description="Headers to send; none that carries a secret."),
    AfterValidator(sendable),
]
