"""A span and a duration for each request, by OpenTelemetry's own middleware. Added only where they are sent."""

from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from starlette.routing import Match
from starlette.types import Scope

_PROBES = "healthz,readyz"


def install(app: FastAPI) -> None:
    """Trace what `app` answers, refusals included; call it last, so that it is around all else."""

    def named(scope: Scope) -> tuple[str, dict[str, str]]:
        """A request by its route: by its path there would be as many names as there are monitors."""
        route = _route(app, scope)
        method = str(scope.get("method", "")).upper()
        return (f"{method} {route}", {"http.route": route}) if route else (method or "HTTP", {})

    app.add_middleware(
        OpenTelemetryMiddleware,
        excluded_urls=_PROBES,
        default_span_details=named,
        exclude_spans=["receive", "send"],
    )


def _route(app: FastAPI, scope: Scope) -> str | None:
    asked = {**scope, "path": scope.get("raw_path", b"").partition(b"?")[0].decode("ascii", "replace")}
    if asked.get("method") == "HEAD":
        asked["method"] = "GET"
    matched = ((route.matches(asked)[0], getattr(route, "path", None)) for route in app.routes)
    return next((path for match, path in matched if match is Match.FULL), None)
