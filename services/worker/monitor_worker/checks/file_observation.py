"""From the files that were found to an observation, and to what the next check is compared with. Pure."""

from collections.abc import Mapping
from typing import Any

from monitor_core.kinds.file import FileCheck
from monitor_worker.checks.base import Observation
from monitor_worker.checks.changes import Changes, Checkpoint, is_ready
from monitor_worker.checks.file_walk import File, Found
from monitor_worker.checks.http_answer import printable
from monitor_worker.checks.http_body import storable

_LONGEST_PATH = 200
_ADVICE: Mapping[str, str] = {
    "Link": "is a link, and links are not followed",
    "Folder": "is a folder: wait for what is in it",
    "Special": "is no regular file",
    "Forbidden": "may not be looked into by the worker",
}


def observation(spec: FileCheck, found: Found, checkpoint: Checkpoint | None, now: float) -> Observation:
    """What was found, next to what the checks before have found.

    Args:
        spec: what is waited for.
        found: what is there.
        checkpoint: of the check before; None for the first.
        now: seconds since 1970 in UTC.
    """
    changes = Changes.since(checkpoint, found.files)
    variables = {
        "exists": bool(found.files),
        "changed": changes.changed,
        "unchanged_checks": changes.unchanged_checks,
        "count": len(found.files),
        "total_bytes": sum(file.size for file in found.files),
        **_of_the_newest(found.files, now),
    }
    return Observation(
        status=_status(found),
        variables={**variables, "ready": is_ready(spec, variables)},
        summary=_summary(found, variables),
        checkpoint=changes.checkpoint,
    )


def _of_the_newest(files: list[File], now: float) -> dict[str, Any]:
    if not files:
        return {}
    newest = max(files, key=lambda file: (file.modified_ns, file.path))
    age = max(now - newest.modified_ns / 1e9, 0.0)
    return {"newest": storable(newest.path), "size": newest.size, "age_seconds": age}


def _status(found: Found) -> str:
    if found.files:
        return "Present"
    return found.left_out.what if found.left_out else "Absent"


def _summary(found: Found, seen: Mapping[str, Any]) -> str:
    parts = ["no such file"]
    if found.files:
        number = f"{seen['count']} files" if seen["count"] > 1 else "1 file"
        changed = "changed since the first check" if seen["changed"] else "not changed since the first check"
        written = f"last written to {seen['age_seconds']:.0f} s ago"
        parts = [f"{number}, {seen['total_bytes']} bytes, {written}, {changed}"]
    if found.left_out:
        parts.append(f"{printable(found.left_out.path, _LONGEST_PATH)} {_ADVICE[found.left_out.what]}")
    return "; ".join(parts)
