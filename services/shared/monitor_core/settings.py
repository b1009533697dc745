"""The only reader of the environment: what the services take from it, as typed objects."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from monitor_core import plugins
from monitor_core.contract import Problem
from monitor_core.contract.wording import problems_of
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import Kinds

EMULATOR = "http://localhost:8080"
CONNECTION_STRING = "DURABLE_TASK_SCHEDULER_CONNECTION_STRING"
Authentication = Literal["None", "DefaultAzure", "ManagedIdentity", "WorkloadIdentity", "Environment", "AzureCLI"]
_WORDS = {
    "endpoint": "ENDPOINT",
    "taskhub": "TASKHUB",
    "authentication": "authentication",
    "clientid": "client_id",
}


class SettingsError(ValueError):
    """A variable of the environment that cannot be used; the message names it and says why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))


def _split(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _enabled(value: object) -> object:
    names = _split(value)
    return plugins.kinds(names) if isinstance(names, tuple) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
EnabledKinds = Annotated[Kinds, BeforeValidator(_enabled)]
"""The built-in kinds, and the plug-ins that are named."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class SchedulerSettings(_Settings):
    """Where the Durable Task Scheduler is. Unset it is the emulator on this machine."""

    endpoint: str = Field(
        EMULATOR,
        alias="ENDPOINT",
        description="The scheduler: http://host:port of the emulator, https://... in Azure.",
    )
    taskhub: str = Field("default", alias="TASKHUB", min_length=1, max_length=64, description="Its task hub.")
    authentication: Authentication | None = None
    client_id: str | None = None

    @field_validator("taskhub")
    @classmethod
    def _fit_for_a_header(cls, taskhub: str) -> str:
        if any(not "!" <= character <= "~" for character in taskhub):
            raise ValueError("should be letters, digits and hyphens, as in Azure")
        return taskhub

    @field_validator("endpoint")
    @classmethod
    def _scheme_host_and_port(cls, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
            raise ValueError("should be http://host:port or https://host")
        if parts.username is not None or parts.password is not None:
            raise PydanticCustomError("withheld", "should have no user name or password in it")
        _ = parts.port  # raises where it is no port
        return endpoint

    @model_validator(mode="after")
    def _scheme_and_credential_agree(self) -> Self:
        if not self.secure and self.authentication not in {None, "None"}:
            raise ValueError(
                f"Authentication={self.authentication} goes with an https endpoint only: no credential in clear"
            )
        if self.secure and self.authentication == "None":
            raise ValueError("Authentication=None goes with an http endpoint only")
        return self

    @property
    def secure(self) -> bool:
        """Whether the channel is TLS and carries a credential: `https` both, `http` neither."""
        return urlsplit(self.endpoint).scheme == "https"

    @property
    def address(self) -> str:
        """`host:port` of the scheduler."""
        parts = urlsplit(self.endpoint)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port or (443 if self.secure else 80)}"


class AuthSettings(_Settings):
    """Who may use the client-scheduler's service."""

    mode: Literal["none", "entra", "closed"] = Field(
        "none",
        alias="AUTH_MODE",
        description="none: anyone on this machine; entra: holders of a token; closed: nobody but probes.",
    )
    tenant_id: str | None = Field(
        None, alias="AUTH_TENANT_ID", pattern=r"^[A-Za-z0-9.-]+$", description="Whose tokens count."
    )
    audiences: Names = Field((), alias="AUTH_AUDIENCE", description="What a token has to be for; one of these.")
    authority: str = Field(
        "https://login.microsoftonline.com",
        alias="AUTH_AUTHORITY",
        pattern=r"^https?://[^/]+$",
        description="Who issues them; another one in other clouds.",
    )
    platform: bool = Field(
        False,
        alias="AUTH_PLATFORM",
        description="The platform in front signs users in; set where the same Bicep file configures that.",
    )
    allowed_hosts: Names = Field(
        ("localhost", "127.0.0.1", "::1"),
        alias="MONITOR_ALLOWED_HOSTS",
        description="Without authentication: the names that the service is reached by.",
    )
    container_app: str | None = Field(None, alias="CONTAINER_APP_NAME", description="Set by the platform.")

    @model_validator(mode="after")
    def _closed_in_azure(self) -> Self:
        if self.mode == "none" and self.container_app:
            raise ValueError("AUTH_MODE=none does not start in a container app: it would be open to everybody")
        if self.mode == "entra" and not (self.tenant_id and self.audiences):
            raise ValueError("AUTH_MODE=entra takes AUTH_TENANT_ID and AUTH_AUDIENCE")
        return self

    @property
    def issuers(self) -> tuple[str, ...]:
        """Of tokens of version 2 and version 1."""
        return f"{self.authority}/{self.tenant_id}/v2.0", f"https://sts.windows.net/{self.tenant_id}/"

    @property
    def keys_url(self) -> str:
        """Where the tenant's signing keys are published."""
        return f"{self.authority}/{self.tenant_id}/discovery/v2.0/keys"


LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Signal = Literal["traces", "metrics", "logs"]
Protocol = Literal["grpc", "http/protobuf"]
_PAIR: Final = "[^;=]+=[^;=]*"
_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CONNECTION: Final = f"({_PAIR};)*InstrumentationKey={_UUID}(;{_PAIR})*"
_SIGNALS: Final[tuple[Signal, ...]] = ("traces", "metrics", "logs")


class TelemetrySettings(_Settings):
    """Where telemetry goes. The other OTEL_* variables are read by OpenTelemetry itself."""

    connection_string: str | None = Field(
        None,
        alias="APPLICATIONINSIGHTS_CONNECTION_STRING",
        repr=False,
        description="Application Insights; signed in as the managed identity of AZURE_CLIENT_ID.",
    )
    client_id: str | None = Field(
        None, alias="AZURE_CLIENT_ID", description="Which of several managed identities signs in."
    )
    endpoint: str | None = Field(
        None,
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        repr=False,
        description="A collector that takes OTLP, http://localhost:4318 say. With neither of both: off.",
    )
    disabled: bool = Field(False, alias="OTEL_SDK_DISABLED", description="Send nothing, whatever else is set.")
    otel: Mapping[str, str] = Field({}, repr=False, description="The variables OTEL_*.")

    @field_validator("connection_string")
    @classmethod
    def _has_a_key(cls, text: str | None) -> str | None:
        if text is not None and not re.fullmatch(_CONNECTION, text, re.IGNORECASE):
            # Not repeated, as nothing of it is: where local authentication is on, it is a credential.
            raise PydanticCustomError(
                "withheld", "should be InstrumentationKey=UUID;IngestionEndpoint=https://..."
            )
        return text

    @model_validator(mode="after")
    def _protocols_are_known(self) -> Self:
        for name, value in self.otel.items():
            is_protocol = name.startswith("OTEL_EXPORTER_OTLP_") and name.endswith("PROTOCOL")
            if is_protocol and value not in get_args(Protocol):
                raise ValueError(f"{name} should be {' or '.join(get_args(Protocol))} (got {value!r})")
        return self

    @property
    def is_sent(self) -> bool:
        """Whether there is an exporter at all."""
        return any(self.sends_any(signal) for signal in _SIGNALS)

    def sends_any(self, signal: Signal) -> bool:
        """Whether a signal goes anywhere."""
        return self.sends_otlp(signal) or (self.connection_string is not None and self.sends(signal))

    def sends(self, signal: Signal) -> bool:
        """Whether a signal is not switched off, by OTEL_TRACES_EXPORTER=none say."""
        return not self.disabled and self.otel.get(f"OTEL_{signal.upper()}_EXPORTER") != "none"

    def sends_otlp(self, signal: Signal) -> bool:
        """Whether a signal goes anywhere by OTLP."""
        own = self.otel.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
        return self.sends(signal) and bool(own or self.endpoint)

    def protocol(self, signal: Signal) -> str:
        """What a signal's OTLP goes over: `http/protobuf` unless set."""
        own = f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL"
        return self.otel.get(own) or self.otel.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"


class _ServiceSettings(_Settings):
    """What both services have to agree on."""

    scheduler: SchedulerSettings
    telemetry: TelemetrySettings = TelemetrySettings()
    log_format: Literal["text", "json"] = Field(
        "text", alias="LOG_FORMAT", description="Log lines: text for people, json for machines."
    )
    kinds: EnabledKinds = Field(
        BUILT_IN,
        alias="MONITOR_PLUGINS",
        description="Plug-ins to enable, by the names of their kinds; see docs/plugins.md.",
    )


class ClientSettings(_ServiceSettings):
    """The client-scheduler's settings."""

    server: str | None = Field(
        None,
        alias="MONITOR_SERVER",
        description="Go through this client-scheduler's HTTP API instead of the scheduler's own.",
    )
    server_audience: str | None = Field(
        None, alias="MONITOR_SERVER_AUDIENCE", description="What a token for that server has to be for."
    )
    url: str | None = Field(None, alias="MONITOR_URL", description="URL to monitor; {job_id} is filled in.")
    log_level: LogLevel = Field("WARNING", alias="LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR.")
    api_host: str = Field(
        "127.0.0.1", alias="MONITOR_API_HOST", min_length=1, description="Where the service listens."
    )
    api_port: int = Field(
        8000, alias="MONITOR_API_PORT", ge=0, le=65535, description="Its port; 0 for a free one."
    )
    forwarded_allow_ips: str = Field(
        "127.0.0.1",
        alias="FORWARDED_ALLOW_IPS",
        description="Proxies whose X-Forwarded-* headers count: addresses and networks; * where one proxy alone "
        "can reach the service, whose callers are then known by the last address that it says.",
    )
    api_rate: int = Field(
        50, alias="MONITOR_API_RATE", ge=1, le=100_000, description="Requests a second that one caller may make."
    )
    api_viewers: int = Field(
        1000,
        alias="MONITOR_API_VIEWERS",
        ge=1,
        le=100_000,
        description="How many may watch monitors live at a time, a connection each.",
    )

    reconcile_seconds: float = Field(
        30,
        alias="MONITOR_RECONCILE_SECONDS",
        ge=0,
        le=86_400,
        description="Seconds between looks for monitors that were ended from outside, to tell of them; 0: none.",
    )

    @field_validator("server")
    @classmethod
    def _is_an_origin(cls, server: str | None) -> str | None:
        if server is None:
            return None
        parts = urlsplit(server)  # raises where it has no end to a bracket
        if not re.fullmatch(r"https?://[^/?#@\s]+/?", server) or not parts.hostname:
            raise ValueError("should be http://host:port or https://host")
        _ = parts.port  # raises where it is no port
        return server


class WorkerSettings(_ServiceSettings):
    """The worker's settings."""

    log_level: LogLevel = Field("INFO", alias="LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR.")
    allowed_targets: Names = Field(
        (),
        alias="MONITOR_ALLOWED_TARGETS",
        description="Private targets and receivers that may be reached: host:port or CIDR:port, comma-separated.",
    )
    allowed_secrets: Names = Field(
        (),
        alias="MONITOR_ALLOWED_SECRETS",
        description="Which secret may be sent where: REFERENCE=ORIGIN each, "
        "env:MONITOR_SECRET_API=https://api.example.com say; a connection string's is postgresql://HOST:5432.",
    )
    allowed_audiences: Names = Field(
        (),
        alias="MONITOR_ALLOWED_AUDIENCES",
        description="Which access tokens of the worker's identity may be sent where: AUDIENCE=ORIGIN each.",
    )
    allowed_vaults: Names = Field(
        (), alias="MONITOR_ALLOWED_VAULTS", description="Key Vaults that secrets may be read from: their hosts."
    )
    file_roots: Names = Field(
        (), alias="MONITOR_FILE_ROOTS", description="Folders that files may be looked at in: absolute paths."
    )
    secrets: Mapping[str, str] = Field({}, repr=False, description="The variables MONITOR_SECRET_*.")
    identity_endpoint: str | None = Field(
        None, alias="IDENTITY_ENDPOINT", description="Set by the platform; no check may reach it."
    )
    pages: str | None = Field(
        None,
        alias="MONITOR_PAGES",
        pattern=r"^https?://[^/?#@\s]+$",
        description="The client-scheduler's URL, for links to monitors' pages in what people are told.",
    )
    max_activities: int = Field(
        2000, alias="MONITOR_MAX_ACTIVITIES", ge=1, le=10_000, description="Turns at a time."
    )
    max_orchestrations: int = Field(
        32, alias="MONITOR_MAX_ORCHESTRATIONS", ge=1, le=1000, description="Orchestrations at a time."
    )
    health_host: str = Field("127.0.0.1", alias="MONITOR_HEALTH_HOST", description="Where probes are answered.")
    health_port: int = Field(
        8081, alias="MONITOR_HEALTH_PORT", ge=0, le=65535, description="Its port; 0 for a free one."
    )
    journal: Path | None = Field(
        None,
        alias="MONITOR_JOURNAL",
        description="A folder that outlives the process: what is kept there tells which check ends the worker.",
    )
    drain_seconds: float = Field(
        75, alias="MONITOR_DRAIN_SECONDS", ge=0, le=600, description="From SIGTERM to the end, at most."
    )

    @property
    def denied_hosts(self) -> tuple[str, ...]:
        """`host:port` that no check may reach, whatever is allowed: what hands out this worker's tokens."""
        place = urlsplit(self.identity_endpoint or "").netloc
        return (place,) if place else ()


S = TypeVar("S", AuthSettings, ClientSettings, WorkerSettings)


def client_settings(environment: Mapping[str, str] = os.environ, *, server: str | None = None) -> ClientSettings:
    """The client-scheduler's settings; `server` stands in for the variable MONITOR_SERVER.

    Raises:
        SettingsError: names each variable that cannot be used.
    """
    return _read(ClientSettings, environment if server is None else {**environment, "MONITOR_SERVER": server})


def auth_settings(environment: Mapping[str, str] = os.environ) -> AuthSettings:
    """Who may use the service.

    Raises:
        SettingsError: names each variable that cannot be used, or is missing.
    """
    return _read(AuthSettings, environment)


def worker_settings(environment: Mapping[str, str] = os.environ) -> WorkerSettings:
    """The worker's settings.

    Raises:
        SettingsError: names each variable that cannot be used.
    """
    return _read(WorkerSettings, environment)


def _read(model: type[S], environment: Mapping[str, str]) -> S:
    # An empty variable is how compose and Bicep say "not set".
    given = {name: value for name, value in environment.items() if value and name.isupper()}
    try:
        scheduler = SchedulerSettings.model_validate(_scheduler(given))
        secrets = {name: value for name, value in given.items() if name.startswith("MONITOR_SECRET_")}
        otel = {name: value for name, value in given.items() if name.startswith("OTEL_")}
        telemetry = TelemetrySettings.model_validate({**given, "otel": otel})
        return model.model_validate({**given, "scheduler": scheduler, "secrets": secrets, "telemetry": telemetry})
    except ValidationError as error:
        raise SettingsError(problems_of(error, whole="settings")) from error


def _scheduler(given: Mapping[str, str]) -> dict[str, str]:
    """`ENDPOINT` and `TASKHUB`, or what a connection string in their place says."""
    text = given.get(CONNECTION_STRING) or given.get("ENDPOINT", "")
    if "=" not in text:
        return {name: given[name] for name in ("ENDPOINT", "TASKHUB") if name in given}
    values = {"taskhub": given["TASKHUB"]} if "TASKHUB" in given else {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, separator, value = part.partition("=")
        word = _WORDS.get(name.strip().lower())
        if word is None or not separator:
            reason = f"should be Endpoint=...;Authentication=...;TaskHub=... (cannot read {name.strip()!r})"
            raise SettingsError([Problem("connection string", reason)])
        values[word] = value.strip()
    return values
