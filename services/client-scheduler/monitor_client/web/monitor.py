"""One monitor: how it stands, the evidence, and what an operator may do."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from monitor_client.api.paths import JobId
from monitor_client.service import MonitorService
from monitor_client.web.pages import page
from monitor_client.web.targets import target_of
from monitor_client.web.viewer import MayOperate
from monitor_core.contract import MonitorRequest
from monitor_core.kinds import CheckSpec


def add(routes: APIRouter, service: MonitorService, kinds: Mapping[str, type[CheckSpec]]) -> None:
    """The route `/m/{job_id}`."""

    @routes.get("/m/{job_id}")
    async def monitor(job_id: JobId, may_operate: MayOperate) -> HTMLResponse:
        view = await service.get(job_id)
        check = view.request.check if view.request else {}
        return page(
            "monitor.html",
            may_operate=may_operate,
            view=view.model_dump(mode="json"),
            request=view.request,
            target=target_of(check, kinds),
            details={name: value for name, value in check.items() if name != "kind"},
            conditions=_conditions(view.request, kinds) if view.request else [],
        )


def _conditions(request: MonitorRequest, kinds: Mapping[str, type[CheckSpec]]) -> list[dict[str, Any]]:
    """What decides: the request's own conditions, or where it has none the kind's natural ones."""
    asked = {"Completed": request.success_when, "Failed": request.failure_when}
    spec = kinds.get(str(request.check.get("kind")))
    natural = not any(asked.values())
    if natural and spec is not None:
        asked = {"Completed": spec.natural_success, "Failed": spec.natural_failure}
    return [
        {"verdict": verdict, "text": text, "natural": natural}
        for verdict, text in asked.items()
        if text is not None
    ]
