"""The names under which worker and client know each other, and the instance id of a monitor."""

import hashlib
import re
from typing import Final
from urllib.parse import quote, unquote

ORCHESTRATOR: Final = "monitor"
CONTROL_EVENT: Final = "control"
VERSION: Final = "1.0"
"""The version of the loop, the state and the turn; a worker takes work by it."""
ACTIVITY: Final = f"poll-{VERSION}"
"""A turn goes to a worker of its own version: an activity has no version but in its name."""

INSTANCE_PREFIX: Final = "monitor-"
_LONGEST_ID = 100
_KEPT = 40


def instance_id(job_id: str) -> str:
    """The orchestration's instance id, derived from `job_id` alone: two different job ids never share one.

    The engine takes 1 to 100 printable ASCII characters. A plain job id stays readable; any other character
    is percent-encoded; what would be too long keeps its beginning, followed by `@` (which never stands in an
    encoded id) and half of its SHA-256.
    """
    encoded = _encoded(job_id)
    if len(INSTANCE_PREFIX) + len(encoded) <= _LONGEST_ID:
        return INSTANCE_PREFIX + encoded
    digest = hashlib.sha256(job_id.encode()).hexdigest()[:32]
    return f"{INSTANCE_PREFIX}{encoded[:_KEPT]}@{digest}"


def job_id_of(instance: str) -> str:
    """The job id that an instance id was made of, as far as it still says."""
    return unquote(instance.removeprefix(INSTANCE_PREFIX))


def instance_prefix(job_id_prefix: str) -> str:
    """What the instance ids of all job ids that begin so begin with; those of a few others may as well."""
    return INSTANCE_PREFIX + _encoded(job_id_prefix)[:_KEPT]


def _encoded(text: str) -> str:
    return re.sub("~", "%7E", quote(text, safe=""))
