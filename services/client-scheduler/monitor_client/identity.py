"""Whose monitor it is that stands in a start's way: the rules of identity."""

from enum import StrEnum

from pydantic import Field

from monitor_client.callback import Callback
from monitor_client.differing import differing
from monitor_client.errors import Conflict
from monitor_client.view import MonitorView
from monitor_core.contract import Model, MonitorRequest, fingerprint


class How(StrEnum):
    """What a start came to."""

    STARTED = "started"
    RESTARTED = "restarted"
    """The job had ended before, and was started anew."""
    ATTACHED = "attached"
    """The same was being monitored already."""
    MINE = "mine"
    """An earlier attempt of this very start had gone through."""


class Started(Model):
    """The monitor that a start leads to. `run` is the run to watch: of this start, or the one attached to."""

    job_id: str
    instance_id: str
    run: str
    how: How
    callback: Callback | None = Field(None, description="Where one was asked for, and `note` says nothing else.")
    note: str | None = Field(None, description="Why there is no callback though one was asked for.")


def joined(existing: MonitorView, request: MonitorRequest, run: str) -> Started | None:
    """The monitor in the way, where it is what was asked for; None where it is another run, and has ended.

    Raises:
        Conflict: it is running, and asked for otherwise.
    """
    if existing.run == run:
        return _started(existing, How.MINE)
    if existing.verdict is not None:
        return None
    if existing.request is None or fingerprint(existing.request) != fingerprint(request):
        fields = differing(existing.request, request) if existing.request else {"request": ""}
        raise Conflict(request.job_id, fields)
    return _started(existing, How.ATTACHED)


def _started(view: MonitorView, how: How) -> Started:
    return Started(job_id=view.job_id, instance_id=view.instance_id, run=str(view.run), how=how)
