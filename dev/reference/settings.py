"""docs/settings.md: the environment variables of both services, from the models that read them."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic import BaseModel

from monitor_core.settings import (
    AuthSettings,
    ClientSettings,
    SchedulerSettings,
    TelemetrySettings,
    WorkerSettings,
)
from reference.markdown import prose

_HEAD: Final = """\
# Settings

<!-- Generated from services/shared/monitor_core/settings.py by `make reference`: change that, not this page. -->

Both services, and the command line, take their settings from the environment. An empty variable counts as unset;
one that cannot be used stops the start with a line that names it; a worker does without its `MONITOR_JOURNAL`, and
says so. In Azure they are set by `azd env set` ([deploy.md](deploy.md)).
"""
_SECTIONS: Final = (
    ("Both", (SchedulerSettings,)),
    ("The worker", (WorkerSettings,)),
    ("The command line and the client-scheduler", (ClientSettings,)),
    ("Who may use the client-scheduler", (AuthSettings,)),
    ("Telemetry", (TelemetrySettings,)),
)

_TAIL: Final = """\
The other variables that OpenTelemetry defines count as well: `OTEL_EXPORTER_OTLP_*` for each signal, its headers
and certificates, `OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
`OTEL_METRIC_EXPORT_INTERVAL`; `OTEL_TRACES_EXPORTER=none` and its like switch one signal off. Unless set, OTLP
goes by `http/protobuf`, and every trace is kept. What is measured is in [operate.md](operate.md).
"""


def settings_page() -> str:
    """The page's text."""
    return "\n".join([_HEAD, *(text for title, models in _SECTIONS for text in _section(title, models)), _TAIL])


def _section(title: str, models: Iterable[type[BaseModel]]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| Variable | Default | Meaning |\n| --- | --- | --- |"
    for model in models:
        for field in model.model_fields.values():
            if field.alias:
                yield f"| `{field.alias}` | {_default(field.default)} | {prose(field.description or '')} |"
    yield ""


def _default(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value) or "none"
    return f"`{value}`" if isinstance(value, str | int | float) and value is not False else "none"
