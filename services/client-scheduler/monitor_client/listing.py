"""Which monitors a list shows: what the scheduler selects, and what is left out of the page that it gives."""

from collections.abc import Mapping
from typing import Final, Literal

from durabletask.client import OrchestrationQuery, OrchestrationState, OrchestrationStatus, Page
from pydantic import Field

from monitor_client.errors import Unreadable
from monitor_client.view import MonitorView, view_of
from monitor_core.contract import ORCHESTRATOR, Model, Utc, Verdict, instance_prefix

MOST_AT_A_TIME: Final = 500
MOST_LABELS: Final = 32
LONGEST_PREFIX: Final = 128
_STATUSES: Final[Mapping[str | None, list[OrchestrationStatus] | None]] = {
    None: None,
    "running": [
        OrchestrationStatus.PENDING,
        OrchestrationStatus.RUNNING,
        OrchestrationStatus.SUSPENDED,
        OrchestrationStatus.CONTINUED_AS_NEW,
    ],
    "ended": [OrchestrationStatus.COMPLETED, OrchestrationStatus.FAILED, OrchestrationStatus.TERMINATED],
}


class Selection(Model):
    """Which monitors. The scheduler selects by `state`, creation and the beginning of the job id."""

    state: Literal["running", "ended"] | None = Field(None, description="Only those with no verdict, or with one.")
    created_after: Utc | None = Field(None, description="Only those created at this time or later.")
    created_before: Utc | None = Field(None, description="Only those created before this time.")
    prefix: str = Field("", max_length=LONGEST_PREFIX, description="Only job ids that begin so.")
    verdict: Verdict | None = Field(None, description="Only those that ended so; within a page.")
    labels: Mapping[str, str] = Field({}, description="Only those with these labels; within a page.")


class MonitorPage(Model):
    """A page of monitors. It may be short, or empty, though others follow: `token` says whether any do."""

    monitors: tuple[MonitorView, ...]
    token: str | None
    unreadable: int = Field(0, description="Monitors left out because this version does not understand them.")


def query_of(selection: Selection, limit: int) -> OrchestrationQuery:
    """What the scheduler is asked."""
    state = "ended" if selection.verdict else selection.state
    return OrchestrationQuery(
        created_time_from=selection.created_after,
        created_time_to=selection.created_before,
        runtime_status=_STATUSES[state],
        max_instance_count=max(1, min(limit, MOST_AT_A_TIME)),
        fetch_inputs_and_outputs=True,
        instance_id_prefix=instance_prefix(selection.prefix),
    )


def listed(page: Page[OrchestrationState], selection: Selection) -> MonitorPage:
    """The monitors of a page that `selection` is of; what is no monitor is left out."""
    views = [_view(state) for state in page.items if state.name == ORCHESTRATOR]
    readable = [view for view in views if view is not None]
    return MonitorPage(
        monitors=tuple(view for view in readable if _is_of(view, selection)),
        token=page.continuation_token,
        unreadable=len(views) - len(readable),
    )


def _view(state: OrchestrationState) -> MonitorView | None:
    try:
        return view_of(state)
    except Unreadable:
        return None


def _is_of(view: MonitorView, selection: Selection) -> bool:
    labels = view.request.labels if view.request else {}
    return (
        view.job_id.startswith(selection.prefix)
        and selection.verdict in {None, view.verdict}
        and selection.labels.items() <= labels.items()
    )
