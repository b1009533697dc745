"""A process with what telemetry and checks go to: a target, a collector, a scheduler. It prints where, as JSON.

It ends when its standard input does. A process of its own, so that none of it counts.
"""

import json
import sys

from stack import stack
from support.otlp import collector
from support.targets import Target, serving


def main() -> None:
    """Serve until nobody is there any more."""
    target = Target(sys.maxsize)
    with collector() as collected, serving(target), stack() as parts:
        parts.start_scheduler()
        where = {"target": target.url, "collector": collected.http_url, "scheduler": parts.scheduler_url}
        print(json.dumps(where), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
