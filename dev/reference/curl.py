"""The examples of docs/api.md: a request for every operation, each following from those before it."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

BASE: Final = "http://localhost:8000"


class Example(NamedTuple):
    """A request: the path with its query, a body, more headers, and what else curl is told."""

    path: str
    body: Mapping[str, Any] | None = None
    headers: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


_CHECK: Final = {"kind": "http", "url": "https://api.example.com/jobs/42"}
_ONE: Final = {"job_id": "import-42", "check": _CHECK, "timeout_seconds": 3600, "labels": {"team": "data"}}
_TWO: Final = {"job_id": "import-43", "check": {**_CHECK, "url": "https://api.example.com/jobs/43"}}
EXAMPLES: Final[Mapping[str, Example]] = {
    "start_monitor": Example("/monitors", _ONE, ("Repeatability-Request-ID: 6f1c2a50-import-42",)),
    "start_monitors": Example("/monitors:batch", {"requests": [_ONE, _TWO]}),
    "list_monitors": Example("/monitors?state=running&prefix=import-&label=team%3Ddata&limit=100"),
    "get_monitor": Example("/monitors/import-42"),
    "check_now": Example("/monitors/import-42/check-now"),
    "pause_monitor": Example("/monitors/import-42/pause", {"deadline": "stops", "reason": "maintenance"}),
    "resume_monitor": Example("/monitors/import-42/resume"),
    "extend_monitor": Example("/monitors/import-42/extend", {"id": "extend-1", "seconds": 600}),
    "edit_monitor": Example("/monitors/import-42/edit", {"interval_seconds": 30, "success_when": "code == 200"}),
    "complete_monitor": Example("/monitors/import-43/complete", {"outcome": "Completed"}),
    "cancel_monitor": Example("/monitors/import-42/cancel", {"reason": "not needed"}),
    "watch_monitor": Example("/monitors/import-42/events", options=("-N",)),
    "get_operation": Example("/operations/import-42"),
    "delete_monitor": Example("/monitors/import-42"),
    "explain": Example("/explain", {"job_id": "import-42", "check": _CHECK, "success_when": "code == 200"}),
    "list_kinds": Example("/kinds"),
    "healthz": Example("/healthz"),
    "readyz": Example("/readyz"),
}
"""By operation id; the page has its operations in this order."""


def command(method: str, example: Example) -> str:
    """The example as a command line."""
    words = ["curl", "-sS", *example.options]
    if method != "GET":
        words += ["-X", method]
    lines = [" ".join([*words, f"'{BASE}{example.path}'"])]
    lines += [f"  -H '{header}'" for header in example.headers]
    if example.body is not None:
        lines += ["  -H 'Content-Type: application/json'", f"  -d '{json.dumps(example.body)}'"]
    return " \\\n".join(lines)
