"""The list: a page of monitors, as the filters say, with a trail that leads back."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor_client.listing import LONGEST_PREFIX, MOST_LABELS, Selection
from monitor_client.service import MonitorService
from monitor_client.view import MonitorView
from monitor_client.web.pages import page
from monitor_client.web.targets import target_of
from monitor_core.contract import Utc, Verdict
from monitor_core.kinds import CheckSpec

LONGEST_TRAIL: Final = 20
"""Pages that lead back, one at a time; the first page is always one link away."""
_LONGEST_SHOWN: Final = 80
WITHIN: Final[Mapping[str, tuple[str, timedelta]]] = {
    "1h": ("the last hour", timedelta(hours=1)),
    "1d": ("the last 24 hours", timedelta(days=1)),
    "7d": ("the last 7 days", timedelta(days=7)),
    "30d": ("the last 30 days", timedelta(days=30)),
}


class Filters(BaseModel):
    """What the list is narrowed to, as the form and the links send it. An empty field is one that is not set."""

    model_config = ConfigDict(frozen=True)

    state: Literal["", "running", "ended"] = ""
    verdict: Literal["", "Completed", "Failed", "Timeout", "Cancelled", "Error"] = ""
    prefix: str = Field("", max_length=LONGEST_PREFIX)
    label: tuple[str, ...] = Field((), max_length=MOST_LABELS)
    within: Literal["", "1h", "1d", "7d", "30d"] = ""
    created_after: Utc | None = None
    created_before: Utc | None = None

    def pairs(self) -> list[tuple[str, str]]:
        """The fields that are set, as a query has them."""
        given = [(name, value) for name, value in self.model_dump(mode="json").items() if value]
        return [(name, one) for name, value in given for one in (value if isinstance(value, list) else [value])]

    def asked(self, now: datetime) -> list[tuple[str, str]]:
        """The same, as the API is asked."""
        asked = [pair for pair in self.pairs() if pair[0] != "within"]
        if self.within:
            asked.append(("created_after", self._since(now).isoformat()))
        return asked

    def selection(self, now: datetime) -> Selection:
        """The same, as the service is asked."""
        labels = dict(one.split("=", 1) for one in self.label)
        return Selection(
            state=self.state or None,
            verdict=Verdict(self.verdict) if self.verdict else None,
            prefix=self.prefix,
            labels=labels,
            created_after=self._since(now) if self.within else self.created_after,
            created_before=self.created_before,
        )

    def wrong(self) -> dict[str, str]:
        """What is wrong with it, by field."""
        bad = [one for one in self.label if not one.partition("=")[0] or "=" not in one]
        return {"label": f"should be NAME=VALUE (got {bad[0]!r})"} if bad else {}

    def _since(self, now: datetime) -> datetime:
        return now - WITHIN[self.within][1]


def add(routes: APIRouter, service: MonitorService, kinds: Mapping[str, type[CheckSpec]]) -> None:
    """The route `/`."""

    @routes.get("/")
    async def home(
        request: Request, token: str | None = None, past: Annotated[Sequence[str], Query()] = ()
    ) -> HTMLResponse:
        filters, wrong = _filters(request)
        now = datetime.now(UTC)
        shown = await service.list(filters.selection(now), token=token) if not wrong else None
        return page(
            "list.html",
            filters=filters,
            wrong=wrong,
            within=WITHIN,
            rows=[_row(view, kinds) for view in shown.monitors] if shown else [],
            unreadable=shown.unreadable if shown else 0,
            source=_url("/monitors", filters.asked(now), token),
            following=_following(filters, token, past, shown.token if shown else None),
            back=_back(filters, past) if token is not None else None,
            first=_url("/", filters.pairs(), None),
            base=str(request.base_url).rstrip("/"),
        )


def _filters(request: Request) -> tuple[Filters, dict[str, str]]:
    query = request.query_params
    given: dict[str, Any] = {name: query[name] for name in Filters.model_fields if query.get(name)}
    given["label"] = tuple(one.strip() for one in query.getlist("label") if one.strip())
    given["prefix"] = query.get("prefix", "").strip()
    try:
        filters = Filters.model_validate(given)
    except ValidationError as error:
        wrong = {
            str(one["loc"][0]): f"{one['msg']} (got {one['input']!r:.{_LONGEST_SHOWN}})" for one in error.errors()
        }
        return Filters.model_validate({name: given[name] for name in given.keys() - wrong.keys()}), wrong
    return filters, filters.wrong()


def _row(view: MonitorView, kinds: Mapping[str, type[CheckSpec]]) -> dict[str, Any]:
    check = view.request.check if view.request else {}
    labels = view.request.labels if view.request else {}
    return {"view": view.model_dump(mode="json"), "target": target_of(check, kinds), "labels": labels}


def _url(path: str, pairs: Sequence[tuple[str, str]], token: str | None) -> str:
    asked = [*pairs, *([("token", token)] if token is not None else [])]
    return f"{path}?{urlencode(asked)}" if asked else path


def _following(filters: Filters, token: str | None, past: Sequence[str], following: str | None) -> str | None:
    if following is None:
        return None
    # The first page has no token: an empty one stands for it.
    trail = [("past", one) for one in [*past, token or ""][-LONGEST_TRAIL:]]
    return _url("/", [*filters.pairs(), *trail], following)


def _back(filters: Filters, past: Sequence[str]) -> str | None:
    if not past:
        return None
    *trail, before = past
    return _url("/", [*filters.pairs(), *(("past", one) for one in trail)], before or None)
