"""The start form: its fields come from the schemas, so that kinds that come later have theirs."""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from monitor_client.service import MonitorService
from monitor_client.web.fields import FormField, fields_of
from monitor_client.web.pages import page
from monitor_client.web.viewer import MayOperate
from monitor_core.contract import MonitorRequest
from monitor_core.kinds import CheckSpec

_PREFERRED: Final = "http"
_FIRST: Final = ("job_id",)
_HOW_LONG: Final = ("polling.interval_seconds", "timeout_seconds")
_WHEN: Final = ("success_when", "failure_when")
_LABELS: Final = ("labels",)
_SHOWN: Final = frozenset({*_FIRST, *_HOW_LONG, *_WHEN, *_LABELS})


def add(routes: APIRouter, service: MonitorService, kinds: Mapping[str, type[CheckSpec]]) -> None:
    """The route `/start`."""

    @routes.get("/start")
    async def start(
        may_operate: MayOperate, kind: str | None = None, like: Annotated[str | None, Query(alias="from")] = None
    ) -> HTMLResponse:
        """The form; empty, or filled with the request of the monitor `from`."""
        request = (await service.get(like, deliveries=False)).request if like else None
        given = request.model_dump(mode="json", exclude_defaults=True) if request else {}
        fields = {one.name: one for one in _request_fields(given)}
        return page(
            "start.html",
            may_operate=may_operate,
            like=like,
            kinds=[_kind(name, spec, given.get("check", {})) for name, spec in sorted(kinds.items())],
            chosen=_chosen(kind or str(given.get("check", {}).get("kind", "")), kinds),
            first=[fields[name] for name in _FIRST],
            how_long=[fields[name] for name in _HOW_LONG],
            when=[fields[name] for name in _WHEN],
            labels=[fields[name] for name in _LABELS],
            more=[one for name, one in fields.items() if name not in _SHOWN],
        )


def _request_fields(given: Mapping[str, Any]) -> list[FormField]:
    schema = MonitorRequest.model_json_schema()
    return [one for one in fields_of(schema, "", given) if one.name != "check"]


def _kind(name: str, spec: type[CheckSpec], given: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows of a kind; `given` fills it where it is of this kind."""
    filled = given if given.get("kind") == name else {}
    about, *more = inspect.cleandoc(spec.__doc__ or "").split("\n\n")
    return {
        "name": name,
        "about": about,
        "more": more,
        "fields": fields_of(spec.model_json_schema(), "check", filled),
        "variables": dict(spec.variables),
        "natural": {"Completed": spec.natural_success, "Failed": spec.natural_failure},
    }


def _chosen(asked: str, kinds: Mapping[str, type[CheckSpec]]) -> str:
    if asked in kinds:
        return asked
    return _PREFERRED if _PREFERRED in kinds else min(kinds)
