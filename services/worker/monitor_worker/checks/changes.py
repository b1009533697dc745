"""Whether what a check sees is what the first check saw, for how long it has stayed the same, and if that will do.

Pure.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from pydantic import JsonValue

from monitor_core.kinds.blob import BlobCheck
from monitor_core.kinds.file import FileCheck

Checkpoint = Mapping[str, JsonValue]


class Changes(NamedTuple):
    """What comparing with the checks before says.

    Args:
        changed: anything differs from what the monitor's first check saw.
        unchanged_checks: so many checks in a row, up to this one, have found the very same as the check before.
        checkpoint: for the next check; its size is fixed, whatever was seen.
    """

    changed: bool
    unchanged_checks: int
    checkpoint: Checkpoint

    @classmethod
    def since(cls, before: Checkpoint | None, seen: Iterable[object]) -> Self:
        """Compare.

        Args:
            before: the checkpoint of the check before; None for a monitor's first one.
            seen: what tells one state of the target from another, as JSON; its order does not count.
        """
        this = _digest(seen)
        first = before["first"] if before else this
        unchanged = int(str(before["unchanged"])) + 1 if before and before["last"] == this else 0
        return cls(this != first, unchanged, {"first": first, "last": this, "unchanged": unchanged})


def is_ready(spec: BlobCheck | FileCheck, seen: Mapping[str, Any]) -> bool:
    """Whether there is something, and all holds that the spec asks for besides.

    Args:
        spec: what is waited for.
        seen: the variables, as both kinds name them.
    """
    return bool(
        seen["exists"]
        and (seen["changed"] or not spec.changed)
        and seen["unchanged_checks"] >= spec.stable_checks
        and seen["count"] >= spec.min_count
        and seen["age_seconds"] >= spec.min_age_seconds
    )


def _digest(seen: Iterable[object]) -> str:
    parts = sorted(json.dumps(part) for part in seen)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
