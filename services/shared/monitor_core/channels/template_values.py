"""What a template may name, each with a value of its type: by these samples a template is tried at the door."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Variable(NamedTuple):
    """What a template may name.

    Args:
        description: for the documentation.
        sample: a value of its type; absent texts are empty.
    """

    description: str
    sample: str | float | Mapping[str, str]


VARIABLES: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        "headline": Variable("The verdict and the job in a line, or what else is told.", "Failed: load-orders"),
        "why": Variable("Why it is told, in a sentence.", "failure_when holds: body.state == 'error'"),
        "occasion": Variable("`verdict`, `transition` or `reminder`.", "verdict"),
        "job_id": Variable("What is waited for.", "load-orders"),
        "instance_id": Variable("The orchestration's id.", "monitor-load-orders"),
        "run": Variable("The run's id.", "7f9c2ba4-0000-4000-8000-000000000000"),
        "revision": Variable("How often the monitor was changed.", 0),
        "kind": Variable("The kind of check.", "http"),
        "status": Variable("`Running`, or the verdict.", "Failed"),
        "decided_by": Variable(
            "`poll`, `push`, `operator` or `deadline`; empty before the verdict, or where nobody could say.",
            "poll",
        ),
        "reason": Variable("Why the verdict fell; empty before.", "failure_when holds: body.state == 'error'"),
        "observed": Variable("The last observed status; empty before the first check.", "error"),
        "summary": Variable("The last observation in a line; may be empty.", "200 OK, 64 bytes in 12 ms"),
        "error": Variable("The last check's error; empty where it had none.", "503 from GET https://example.com"),
        "checks_performed": Variable("How many checks were made.", 42),
        "at": Variable("When this came to be told, in UTC.", "2030-01-31 03:00:00 UTC"),
        "started_at": Variable("When the monitor was started, in UTC.", "2030-01-31 01:00:00 UTC"),
        "deadline": Variable("The deadline, in UTC.", "2030-01-31 05:00:00 UTC"),
        "elapsed": Variable("The time since the start, in words.", "2 h"),
        "left": Variable("The time to the deadline, in words; empty once it has passed.", "2 h"),
        "elapsed_seconds": Variable("The time since the start, as a number.", 7200.0),
        "elapsed_percent": Variable("The same, as a part of the time from the start to the deadline.", 50.0),
        "labels": Variable("The monitor's labels, by name.", {"team": "shop"}),
        "page": Variable(
            "The URL of the monitor's page; empty where the worker is told of none.", "https://m.example"
        ),
        "source": Variable("The task hub in which the monitor runs.", "/taskhubs/default"),
    }
)
"""What every template is rendered with."""
SAMPLES: Final = (
    {name: variable.sample for name, variable in VARIABLES.items()},
    {name: variable.sample for name, variable in VARIABLES.items()} | {"labels": {}},
)
"""A value for each; and as it is without any label."""
