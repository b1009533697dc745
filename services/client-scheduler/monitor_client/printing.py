"""How an answer is written to stdout: as lines, JSON or YAML."""

import json
from collections.abc import Iterable
from typing import Any

from monitor_client.options import Output


def print_lines(lines: Iterable[str]) -> None:
    """The lines, at once: who reads them may be waiting for them."""
    for line in lines:
        print(line, flush=True)  # noqa: T201 # the answer


def print_document(document: Any, output: Output) -> None:
    """JSON data as JSON or YAML."""
    if output is Output.YAML:
        import yaml  # noqa: PLC0415 # few ask for it

        print(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), end="", flush=True)  # noqa: T201
    else:
        print(json.dumps(document, indent=2), flush=True)  # noqa: T201 # the answer
