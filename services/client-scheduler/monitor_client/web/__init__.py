"""The web page: server-rendered, kept live by small scripts of our own; nothing third-party, nothing inline."""

from collections.abc import Mapping

from fastapi import APIRouter

from monitor_client.service import MonitorService
from monitor_client.web import assets, home, monitor, start
from monitor_client.web.pages import PageRoute
from monitor_core.kinds import CheckSpec


def router(service: MonitorService, kinds: Mapping[str, type[CheckSpec]]) -> APIRouter:
    """`/` the list, `/m/{job_id}` one monitor, `/start` the form. What changes something goes through the API."""
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)
    home.add(routes, service, kinds)
    monitor.add(routes, service, kinds)
    start.add(routes, service, kinds)
    assets.add(routes)
    return routes


__all__ = ["router"]
