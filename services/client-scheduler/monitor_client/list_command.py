"""The command `list`: which monitors there are, and how they stand."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from monitor_client.commands import Parameters, settings_of
from monitor_client.display import utc_now
from monitor_client.face import Monitors
from monitor_client.failures import note
from monitor_client.listing import MOST_AT_A_TIME, MonitorPage, Selection
from monitor_client.many import print_all
from monitor_client.options import Output
from monitor_client.printing import print_lines
from monitor_client.requests import number
from monitor_client.session import run
from monitor_client.table import Column, lines_of
from monitor_client.view import MonitorView
from monitor_core.contract import Problem, RequestError
from monitor_core.contract.wording import problems_of
from monitor_core.words import clean, count, day_and_clock


def list_monitors(parameters: Parameters) -> int:
    """Print the monitors that the options select, page by page."""
    selection, limit = _selection(parameters), _limit(parameters)

    async def errand(service: Monitors) -> int:
        views: list[MonitorView] = []
        async for page in _pages(service, selection, limit, every=parameters["all"]):
            if parameters["output"] in {Output.TABLE, Output.IDS}:
                _print_page(page, parameters, first=not views)
            views += page.monitors
            _say_what_is_left_out(page, parameters)
        print_all([view.model_dump(mode="json") for view in views], parameters)
        if not views and parameters["output"] is Output.TABLE:
            print_lines(["No monitor is selected."])
        return 0

    return run(settings_of(parameters), errand)


async def _pages(
    service: Monitors, selection: Selection, limit: int, *, every: bool
) -> AsyncIterator[MonitorPage]:
    token: str | None = None
    while True:
        page = await service.list(selection, token=token, limit=limit)
        yield page
        token = page.token
        if token is None or not every:
            return


def _selection(parameters: Parameters) -> Selection:
    labels = {}
    for text in parameters["label"] or ():
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise RequestError([Problem("--label", f"should be NAME=VALUE (got {text!r})")])
        labels[name] = value
    names = ("state", "verdict", "prefix", "created_after", "created_before")
    given = {name: parameters[name] for name in names if parameters[name] is not None}
    return selection_of({**given, "labels": labels})


def selection_of(given: dict[str, Any]) -> Selection:
    """The selection that options ask for.

    Raises:
        RequestError: names the option that is wrong.
    """
    try:
        return Selection.model_validate(given)
    except ValidationError as error:
        found = problems_of(error)
        raise RequestError([Problem(f"--{one.field.replace('_', '-')}", one.reason) for one in found]) from error


def _limit(parameters: Parameters) -> int:
    text = parameters["limit"]
    if text is None:
        return MOST_AT_A_TIME if parameters["all"] else 50
    limit = number(text)
    if not isinstance(limit, int) or not 1 <= limit <= MOST_AT_A_TIME:
        reason = f"should be a whole number, 1 to {MOST_AT_A_TIME} (got {text[:80]!r})"
        raise RequestError([Problem("--limit", reason)])
    return limit


def _checks(view: MonitorView) -> int:
    return view.result.checks_performed if view.result else view.status.check_count if view.status else 0


def _observed(view: MonitorView) -> str:
    if view.result:
        return view.result.last_observation.status if view.result.last_observation else ""
    return (view.status.observed or "") if view.status else ""


def _ends_at(view: MonitorView, now: datetime) -> str:
    if view.result:
        return f"ended {day_and_clock(view.result.ended_at, now)}"
    return day_and_clock(view.status.deadline, now) if view.status and not view.verdict else ""


_COLUMNS: Final = (
    Column("JOB ID", lambda view, _: clean(view.job_id)),
    Column("STATE", lambda view, _: str(view.state)),
    Column("CHECKS", lambda view, _: f"{_checks(view):,}"),
    Column("OBSERVED", lambda view, _: clean(_observed(view))[:40]),
    Column("STARTED", lambda view, now: day_and_clock(view.created_at, now)),
    Column("ENDS", _ends_at),
)


def _print_page(page: MonitorPage, parameters: Parameters, *, first: bool) -> None:
    if parameters["output"] is Output.IDS:
        print_lines([view.job_id for view in page.monitors])
    elif page.monitors:
        print_lines(lines_of(page.monitors, _COLUMNS, utc_now(), header=first))


def _say_what_is_left_out(page: MonitorPage, parameters: Parameters) -> None:
    if page.unreadable:
        note(f"{count(page.unreadable, 'monitor')} of a newer version left out")
    if page.token is not None and not parameters["all"]:
        note("there are more: --all, or select (--state, --prefix, --verdict, --label)")
