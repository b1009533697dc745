"""The kind `file`: files on a mounted share are there, have changed, are written to no more."""

from types import MappingProxyType
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from monitor_core.kinds.base import CheckSpec, Variable

ANY_FOLDERS: Final = "**"
_WILDCARDS: Final = frozenset("*?[")
_LONGEST_NAME: Final = 255  # bytes, of any usual file system


def is_pattern(part: str) -> bool:
    """Whether a part of a path stands for more names than its own."""
    return not _WILDCARDS.isdisjoint(part)


class FileCheck(CheckSpec):
    """One look at a path, or at all files that match a pattern, per check; nothing is ever read from a file.

    The path has to be below one of the folders in MONITOR_FILE_ROOTS of the worker. A file is a regular file: for
    a folder, wait for what is in it. Links are never followed, neither at the end of the path nor on the way. A
    link, folder, pipe or device in the file's place is observed (`Link`, `Folder`, `Special`) and waited for, like
    `Absent`. A root that is not there is a transient error of the check, since nothing was looked at; what the
    worker may not look into a permanent one, unless a wildcard has met it: that is left out, as the summary says.

    A mount that hangs is a transient error. Each such check keeps one of the few threads that its root has, until
    the mount answers.

    Size and time are what the share says. NFS and SMB keep them for a while (`actimeo`): let `stable_checks` times
    the interval be longer than that.
    """

    variables = MappingProxyType(
        {
            "exists": Variable("bool", "Whether there is such a file, at least one."),
            "ready": Variable("bool", "Whether it exists, and all holds that the other fields ask for."),
            "changed": Variable(
                "bool",
                "Whether anything differs from what this monitor's first check saw: which files there are, the "
                "size of one, its time.",
            ),
            "unchanged_checks": Variable(
                "int", "How many checks in a row have found the very same as the check before, up to this one."
            ),
            "count": Variable("int", "How many such files there are; at most 1 for a path without wildcards."),
            "total_bytes": Variable("int", "Their size together."),
            "newest": Variable("string", "The path of the one that was written to last; absent unless exists."),
            "size": Variable("int", "Bytes, of the newest; absent unless exists."),
            "age_seconds": Variable(
                "double",
                "Since the newest was written to, by the worker's clock, at least 0; absent unless exists.",
            ),
        }
    )
    natural_success = "ready"
    example = MappingProxyType(
        {
            "check": {"kind": "file", "path": "/mnt/share/orders/*.csv", "stable_checks": 2, "min_age_seconds": 1},
            "success_when": "ready && size > 0",
            "polling": {"interval_seconds": 30},
            "timeout_seconds": 3600,
        }
    )

    kind: Literal["file"] = "file"
    path: str = Field(
        max_length=1024,
        description="Absolute. *, ? and [...] match within a name, and names that begin with a dot only where the "
        "pattern does; ** once, as a whole part, matches any folders. Write [*] for a * itself. A check that has "
        "to look at more than 20,000 names (10,000 with **), or 32 folders deep, is a permanent error.",
    )
    changed: bool = Field(
        False, description="Wait for a change: what is there at the first check is not enough by itself."
    )
    stable_checks: int = Field(
        0, ge=0, le=1000, description="Wait until so many checks in a row have found nothing changed."
    )
    min_age_seconds: float = Field(
        0, ge=0, le=366 * 86_400, description="Wait until the newest was last written to so long ago."
    )
    min_count: int = Field(1, ge=1, le=20_000, description="Wait for so many files; with a pattern only.")

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if not path.startswith("/") or not path.isprintable():
            raise ValueError(
                "should be an absolute path, /mnt/share/ready.csv say, with no control character in it"
            )
        for part in path.split("/")[1:]:
            if part in {"", ".", ".."}:
                raise ValueError("should have no '..' or '.' in it, no '//' and no '/' at its end")
            if len(part.encode()) > _LONGEST_NAME:
                raise ValueError(f"should have no part of more than {_LONGEST_NAME} bytes")
        return path

    @field_validator("path")
    @classmethod
    def _bounded(cls, path: str) -> str:
        parts = path.split("/")
        if parts.count(ANY_FOLDERS) > 1 or any(ANY_FOLDERS in part != ANY_FOLDERS for part in parts):
            raise ValueError("should have ** once at most, as a whole part: /mnt/share/**/*.csv say")
        if parts[-1] == ANY_FOLDERS:
            raise ValueError("should say which files in the folders: end it with **/* for all of them")
        return path

    @model_validator(mode="after")
    def _countable(self) -> Self:
        if self.min_count > 1 and not any(is_pattern(part) for part in self.parts):
            raise ValueError("min_count can only be reached with a pattern, such as *, in path")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """The names and patterns that the path is made of, from the top down."""
        return tuple(self.path.split("/")[1:])
