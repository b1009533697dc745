"""From the blobs that a check has found to an observation. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitor_core.kinds.blob import BlobCheck
from monitor_worker.checks.base import Observation
from monitor_worker.checks.changes import Changes, Checkpoint, is_ready
from monitor_worker.checks.http_body import storable


@dataclass(frozen=True, slots=True)
class Blob:
    """What is known of a blob.

    Args:
        name: within its container.
        size: in bytes.
        etag: without quotes.
        last_modified: UTC.
        content_type: empty for none.
        metadata: as it was set.
    """

    name: str
    size: int
    etag: str
    last_modified: datetime
    content_type: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """What a check has found.

    Args:
        blobs: perhaps none.
        truncated: there are more.
        absent: why there are none, as a status and in words; None for the usual reason.
    """

    blobs: Sequence[Blob] = ()
    truncated: bool = False
    absent: tuple[str, str] | None = None


def observation(spec: BlobCheck, found: Found, checkpoint: Checkpoint | None, now: datetime) -> Observation:
    """What the blobs say.

    Args:
        spec: what was looked for.
        found: what there is.
        checkpoint: of the check before; None for a monitor's first one.
        now: UTC, to count an age from.
    """
    changes = Changes.since(checkpoint, ([blob.name, blob.etag, blob.size] for blob in found.blobs))
    newest = max(found.blobs, key=lambda blob: (blob.last_modified, blob.name), default=None)
    variables = {
        "exists": newest is not None,
        "changed": changes.changed,
        "unchanged_checks": changes.unchanged_checks,
        "count": len(found.blobs),
        "total_bytes": sum(blob.size for blob in found.blobs),
        "truncated": found.truncated,
    } | (_of_newest(newest, now) if newest else {})
    status, summary = ("Present", _summary(variables)) if newest else _absent(spec, found)
    ready = {"ready": is_ready(spec, variables)}
    return Observation(status, variables | ready, storable(summary), checkpoint=changes.checkpoint)


def _of_newest(newest: Blob, now: datetime) -> dict[str, Any]:
    modified = newest.last_modified.astimezone(UTC)
    return {
        "newest": storable(newest.name),
        "size": newest.size,
        "etag": storable(newest.etag),
        "last_modified": modified.isoformat().replace("+00:00", "Z"),
        "age_seconds": max((now - modified).total_seconds(), 0.0),
        "content_type": storable(newest.content_type),
        "metadata": {storable(key): storable(value) for key, value in newest.metadata.items()},
    }


def _absent(spec: BlobCheck, found: Found) -> tuple[str, str]:
    what = f"no blob {spec.blob}" if spec.blob is not None else f"no blob below {spec.prefix!r}"
    return found.absent or ("Absent", f"{what} in {spec.container}")


def _summary(seen: Mapping[str, Any]) -> str:
    more = "more than " if seen["truncated"] else ""
    blobs = "1 blob" if seen["count"] == 1 else f"{more}{seen['count']:,} blobs"
    since = "changed since the first check, " if seen["changed"] else ""
    same = f"unchanged for {seen['unchanged_checks']} checks"
    return f"{blobs}, {seen['total_bytes']:,} bytes, {since}{same}; the newest is {seen['newest']}"
