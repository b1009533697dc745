"""A callback as lines to copy: it is shown once, so it is shown whatever is quiet."""

import shlex
from collections.abc import Iterator

from monitor_client.identity import Started
from monitor_core.words import clean

_SERVER = "CLIENT_SCHEDULER"
_FAILED = """-H 'Content-Type: application/json' -d '{"outcome": "Failed"}'"""


def callback_lines(started: Started) -> Iterator[str]:
    """How the system that does the job ends the wait; nothing where no callback was asked for."""
    if started.note is not None:
        yield f"{clean(started.job_id)}: {started.note}."
    if started.callback is None:
        return
    yield "  end it from outside, by a token that is shown this once:"
    header = shlex.quote(f"Authorization: Bearer {started.callback.token}")
    yield f"    curl -sS -X POST -H {header} {_place(started.callback.url)}"
    yield f"  where the job has failed, with {_FAILED}"
    if _is_path(started.callback.url):
        yield f"  with {_SERVER} the URL of a client-scheduler of this task hub"


def _place(url: str) -> str:
    return f'"${_SERVER}"{shlex.quote(url)}' if _is_path(url) else shlex.quote(url)


def _is_path(url: str) -> bool:
    return url.startswith("/")
