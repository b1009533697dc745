"""What docker-compose.yml has to keep: each rule gives its complaints over the parsed services."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from monitor_client.server import GRACE_SECONDS
from monitor_core.settings import ClientSettings, SettingsError, WorkerSettings, client_settings, worker_settings
from monitor_core.telemetry import FLUSH_SECONDS

Services = Mapping[str, Mapping[str, Any]]
Rule = Callable[[Services], Iterator[str]]
EMULATOR = "mcr.microsoft.com/dts/dts-emulator:latest"
SERVICES = {"scheduler", "scheduler-ready", "worker", "client-scheduler", "job-simulator", "telemetry"}
NOT_OURS = {"scheduler", "telemetry"}
ONE_SHOT = "scheduler-ready"
DASHBOARD = "mcr.microsoft.com/dotnet/aspire-dashboard"
OTLP = "${TELEMETRY_ENDPOINT-http://telemetry:18889}"
OPENTELEMETRY = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TIMEOUT"}
OPENTELEMETRY |= {"OTEL_METRIC_EXPORT_INTERVAL"}
JOURNAL = ["journal:/journal"]
"""A volume of the engine's, not a folder of the host's: a worker's journal outlives its process."""


def services(found: Services) -> Iterator[str]:
    """The stack is whole, and its scheduler is the emulator: the stand-in is the rehearsal's alone."""
    if set(found) != SERVICES:
        yield f"services {sorted(found)}"
    if (image := found["scheduler"].get("image")) != EMULATOR:
        yield f"the scheduler is {image}"
    for name, one in ours(found):
        tag = one["image"].partition(":")[2]
        if tag in {"", "latest"} or "build" not in one:
            yield f"{name}: {one['image']} is not built here under a tag of its own"


def published_ports(found: Services) -> Iterator[str]:
    """On this machine only; nothing that a second worker would collide with."""
    for name, one in found.items():
        for port in one.get("ports", []):
            if not str(port).startswith("127.0.0.1:"):
                yield f"{name}: {port}"
    if found["worker"].get("ports"):
        yield "worker: a port on the host, so that it cannot be scaled"
    for name, one in found.items():
        if "container_name" in one:
            yield f"{name}: a container_name"


def hardened(found: Services) -> Iterator[str]:
    """As little as possible is possible. What is not ours is left its file system."""
    for name, one in found.items():
        if one.get("cap_drop") != ["ALL"] or one.get("cap_add"):
            yield f"{name}: capabilities"
        if one.get("security_opt") != ["no-new-privileges:true"] or one.get("privileged"):
            yield f"{name}: privileges"
        if one.keys() & {"network_mode", "pid", "ipc", "user", "devices"}:
            yield f"{name}: something of the host's"
        if one.get("volumes", []) != (JOURNAL if name == "worker" else []):
            yield f"{name}: volumes"
    for name, one in ours(found):
        if one.get("read_only") is not True or one.get("tmpfs") != ["/tmp"]:
            yield f"{name}: can be written"


def restarts(found: Services) -> Iterator[str]:
    """What stays up comes up again; the wait does not."""
    for name, one in found.items():
        expected = "no" if name == ONE_SHOT else "unless-stopped"
        if one.get("restart") != expected:
            yield f"{name}: restart {one.get('restart')}, not {expected}"


def order(found: Services) -> Iterator[str]:
    """Everything waits for the scheduler. Nothing depends on the worker: `run` would scale it back to one."""
    for name in ("worker", "client-scheduler"):
        condition = found[name].get("depends_on", {}).get(ONE_SHOT, {}).get("condition")
        if condition != "service_completed_successfully":
            yield f"{name} does not wait for the scheduler"
    for name, one in found.items():
        if "worker" in one.get("depends_on", {}):
            yield f"{name} depends on the worker"


def health(found: Services) -> Iterator[str]:
    """The services say when they are ready, on the port that they listen on; the wait has no health."""
    ports = {
        "worker": WorkerSettings.model_fields["health_port"].default,
        "client-scheduler": ClientSettings.model_fields["api_port"].default,
    }
    for name, port in ports.items():
        test = found[name].get("healthcheck", {}).get("test")
        if test != ["CMD", "python", "-m", "monitor_core.probe", f"http://127.0.0.1:{port}/readyz"]:
            yield f"{name}: {test}"
    if found[ONE_SHOT].get("healthcheck") != {"disable": True}:
        yield f"{ONE_SHOT}: a health check"


def environment(found: Services) -> Iterator[str]:
    """Every variable is one that the settings read, with a value that they take, for the stack's own scheduler."""
    for name, model, read in (
        ("worker", WorkerSettings, worker_settings),
        ("client-scheduler", ClientSettings, client_settings),
        (ONE_SHOT, ClientSettings, client_settings),
    ):
        given = found[name].get("environment", {})
        known = {"ENDPOINT", "TASKHUB", *OPENTELEMETRY, *(field.alias for field in model.model_fields.values())}
        if given.keys() - known:
            yield f"{name}: no setting is called {sorted(given.keys() - known)}"
        try:
            scheduler = read(given).scheduler
        except SettingsError as error:
            yield f"{name}: {error}"
            continue
        hubs = found["scheduler"].get("environment", {}).get("DTS_TASK_HUB_NAMES", "").split(",")
        if scheduler.address != "scheduler:8080" or scheduler.taskhub not in hubs:
            yield f"{name}: {scheduler.endpoint}, hub {scheduler.taskhub} is not the stack's"


def simulator(found: Services) -> Iterator[str]:
    """What the client asks for by default is what the worker may check."""
    url = str(found["client-scheduler"].get("environment", {}).get("MONITOR_URL"))
    allowed = str(found["worker"].get("environment", {}).get("MONITOR_ALLOWED_TARGETS"))
    if url != f"http://{allowed}/jobs/{{job_id}}" or allowed != "job-simulator:8000":
        yield f"MONITOR_URL={url}, MONITOR_ALLOWED_TARGETS={allowed}"
    if "--auto-create" not in found["job-simulator"].get("command", []):
        yield "the simulator knows no job"


def telemetry(found: Services) -> Iterator[str]:
    """The dashboard is there where it is asked for; the services send there at all times, and never need it."""
    dashboard = found["telemetry"]
    if dashboard.get("profiles") != ["telemetry"] or not dashboard["image"].startswith(f"{DASHBOARD}:"):
        yield f"the dashboard is {dashboard['image']}, in profiles {dashboard.get('profiles')}"
    if dashboard["image"].endswith(":latest"):
        yield "the dashboard is another one from day to day"
    for name, one in found.items():
        expected = OTLP if name in {"worker", "client-scheduler"} else None
        if (sent := one.get("environment", {}).get("OTEL_EXPORTER_OTLP_ENDPOINT")) != expected:
            yield f"{name} sends to {sent}"
        if "telemetry" in one.get("depends_on", {}):
            yield f"{name} depends on the dashboard"
        if name != "telemetry" and one.get("profiles"):
            yield f"{name}: only in profiles {one['profiles']}"


def grace(found: Services) -> Iterator[str]:
    """Docker waits longer than the drain may take, and the last telemetry after it."""
    said = found["worker"].get("environment", {}).get("MONITOR_DRAIN_SECONDS")
    drain = float(said or WorkerSettings.model_fields["drain_seconds"].default)
    for name, needed in (("worker", drain), ("client-scheduler", GRACE_SECONDS)):
        period = re.fullmatch(r"(\d+)s", str(found[name].get("stop_grace_period")))
        if period is None or int(period[1]) <= needed + FLUSH_SECONDS:
            yield f"{name}: stop_grace_period {found[name].get('stop_grace_period')} for {needed:g} s"


def ours(found: Services) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The services whose images are built here."""
    return ((name, one) for name, one in found.items() if name not in NOT_OURS)


RULES: list[Rule] = [
    services, published_ports, hardened, restarts, order, health, environment, simulator, telemetry, grace,
]  # fmt: skip


def complaints(found: Services) -> list[str]:
    """All that all rules have to say."""
    return [f"{rule.__name__}: {complaint}" for rule in RULES for complaint in rule(found)]
