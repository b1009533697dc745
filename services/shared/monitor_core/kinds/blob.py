"""The kind `blob`: a blob in Azure Storage, or those below a prefix, are there, have changed, change no more."""

from types import MappingProxyType
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.http_fields import plain_http
from monitor_core.kinds.secret import SecretReference

MOST_BLOBS: Final = 5000
"""How many blobs below a prefix one check looks at."""
_CONTAINER: Final = r"^(\$root|\$web|\$logs|\$blobchangefeed|[a-z0-9](-?[a-z0-9]){2,62})$"
_LONGEST_CONTAINER: Final = 63
_CONTAINER_NAME: Final = (
    "Its name: 3 to 63 lower-case letters and digits, with single hyphens between; or $web and the like."
)


def _account(url: str) -> str:
    """The URL without a slash at its end.

    Raises:
        ValueError: it is none of a storage account.
    """
    parts = urlsplit(plain_http(url))
    if "?" in url or "#" in url:
        # Not repeated: it may be a shared access signature.
        why = "should have no ? or # in it: a shared access signature is a secret, name it in sas"
        raise PydanticCustomError("withheld", "{why}", {"why": why})
    path = parts.path.strip("/")
    # An emulator has the account's name in the path.
    if "/" in path or (path and ".blob." in str(parts.hostname)):
        raise ValueError("should end with the host: container, blob and prefix are fields of their own")
    return url.rstrip("/")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("should have no control character in it")
    return text


def _path(name: str) -> str:
    if {".", ".."} & set(name.split("/")):
        raise ValueError("should have no part '.' or '..', which no URL can carry")
    return name


Prefix = Annotated[str, Field(max_length=1024), AfterValidator(_printable)]
Name = Annotated[Prefix, Field(min_length=1), AfterValidator(_path)]


class BlobCheck(CheckSpec):
    """One look at a blob's properties, or one listing, per check; no blob is ever read.

    Give `blob`, or `prefix` for all blobs below it. A blob or container that is not there is observed (`Absent`,
    `No container`) and waited for: what writes the blob may make the container too. Of those below a prefix the
    first 5,000 by name are looked at; whatever is said of them says nothing of others (`truncated`). Folders of a
    hierarchical namespace are no blobs, and are left out of a listing.

    The worker asks with its own identity, which needs the role Storage Blob Data Reader, unless `sas` or
    `anonymous` says otherwise. Where the account is none of `*.blob.core.windows.net`, the worker's
    MONITOR_ALLOWED_AUDIENCES has to name it: `https://storage.azure.com=https://HOST`.
    """

    variables = MappingProxyType(
        {
            "exists": Variable("bool", "Whether there is such a blob, at least one."),
            "ready": Variable("bool", "Whether it exists, and all holds that the other fields ask for."),
            "changed": Variable(
                "bool",
                "Whether anything differs from what this monitor's first check saw: which blobs there are, the "
                "size of one, its ETag.",
            ),
            "unchanged_checks": Variable(
                "int", "How many checks in a row have found the very same as the check before, up to this one."
            ),
            "count": Variable("int", "How many such blobs there are; at most 1 with `blob`."),
            "total_bytes": Variable("int", "Their size together."),
            "truncated": Variable("bool", "Whether there are more blobs below the prefix than are looked at."),
            "newest": Variable("string", "The name of the one that was modified last; absent unless exists."),
            "size": Variable("int", "Bytes, of the newest; absent unless exists."),
            "etag": Variable("string", "Of the newest, without quotes; absent unless exists."),
            "last_modified": Variable(
                "string",
                "Of the newest, in UTC: 2026-01-31T12:00:00Z, which timestamp() takes; absent unless exists.",
            ),
            "age_seconds": Variable(
                "double",
                "Since the newest was modified, by the worker's clock, at least 0; absent unless exists.",
            ),
            "content_type": Variable("string", "Of the newest, empty without one; absent unless exists."),
            "metadata": Variable("map(string, string)", "Of the newest, as it was set; absent unless exists."),
        }
    )
    natural_success = "ready"
    needs = "azure-storage-blob"
    example = MappingProxyType(
        {
            "check": {
                "kind": "blob",
                "account_url": "https://myaccount.blob.core.windows.net",
                "container": "exports",
                "prefix": "2026/01/",
                "stable_checks": 2,
            },
            "success_when": "ready && count >= 2 && total_bytes > 0",
            "polling": {"interval_seconds": 30},
            "timeout_seconds": 3600,
        }
    )

    kind: Literal["blob"] = "blob"
    account_url: Annotated[str, Field(max_length=2048), AfterValidator(_account)] = Field(
        description="https://ACCOUNT.blob.core.windows.net, with no path; http for an emulator, its path /ACCOUNT."
    )
    container: str = Field(max_length=_LONGEST_CONTAINER, pattern=_CONTAINER, description=_CONTAINER_NAME)
    blob: Name | None = Field(None, description="The name of one blob.")
    prefix: Prefix | None = Field(
        None, description="What the names of the blobs begin with, folders with a / at the end; empty for all."
    )
    sas: SecretReference | None = Field(
        None,
        description="Names the secret that holds a shared access signature (sv=...&sig=...), which permits to "
        "read the blob, or to list the container.",
    )
    anonymous: bool = Field(False, description="Ask without any identity: for a public container.")
    changed: bool = Field(
        False, description="Wait for a change: what is there at the first check is not enough by itself."
    )
    stable_checks: int = Field(
        0, ge=0, le=1000, description="Wait until so many checks in a row have found nothing changed."
    )
    min_age_seconds: float = Field(
        0, ge=0, le=366 * 86_400, description="Wait until the newest was last modified so long ago."
    )
    min_count: int = Field(1, ge=1, le=MOST_BLOBS, description="Wait for so many blobs; with a prefix only.")

    @property
    def server_address(self) -> str | None:
        """The host of `account_url`."""
        return urlsplit(self.account_url).hostname

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.blob is None) == (self.prefix is None):
            raise ValueError("blob or prefix is required, and not both")
        if self.min_count > 1 and self.prefix is None:
            raise ValueError("min_count can only be reached with a prefix")
        if self.sas is not None and self.anonymous:
            raise ValueError("sas and anonymous exclude each other")
        return self
