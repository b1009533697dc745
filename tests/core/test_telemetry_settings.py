"""Where telemetry goes: what the environment says of it, and that a bound holds at the end."""

import threading
import time
from collections.abc import Mapping

import pytest

from monitor_core import __version__, telemetry
from monitor_core.settings import SettingsError, Signal, TelemetrySettings, client_settings, worker_settings
from monitor_core.telemetry import Telemetry
from monitor_core.telemetry.metrics import METRICS
from monitor_core.telemetry.pipeline import _resource

SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs")
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
KEY = "00000000-0000-4000-8000-000000000000"
AZURE = {"APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={KEY};IngestionEndpoint=https://127.0.0.1"}


def settings(**environment: str) -> TelemetrySettings:
    found = worker_settings(environment).telemetry
    assert found == client_settings(environment).telemetry
    return found


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "", "APPLICATIONINSIGHTS_CONNECTION_STRING": ""},
        {**ENDPOINT, **AZURE, "OTEL_SDK_DISABLED": "true"},
        {**ENDPOINT, **{f"OTEL_{signal.upper()}_EXPORTER": "none" for signal in SIGNALS}},
        {**AZURE, **{f"OTEL_{signal.upper()}_EXPORTER": "none" for signal in SIGNALS}},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_SERVICE_NAME": "x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_it_is_off(environment: Mapping[str, str]) -> None:
    assert not settings(**environment).is_sent


@pytest.mark.parametrize("environment", [ENDPOINT, AZURE, {**ENDPOINT, "OTEL_SDK_DISABLED": "false"}])
def test_it_is_on_for_every_signal(environment: Mapping[str, str]) -> None:
    found = settings(**environment)
    assert found.is_sent
    assert all(found.sends_any(signal) for signal in SIGNALS)
    assert [found.sends_otlp(signal) for signal in SIGNALS] == [environment is not AZURE] * 3


@pytest.mark.parametrize("off", SIGNALS)
@pytest.mark.parametrize("environment", [ENDPOINT, AZURE])
def test_each_signal_can_be_switched_off(off: Signal, environment: Mapping[str, str]) -> None:
    found = settings(**environment, **{f"OTEL_{off.upper()}_EXPORTER": "none"})
    assert [signal for signal in SIGNALS if not found.sends_any(signal)] == [off]


@pytest.mark.parametrize("on", SIGNALS)
def test_a_signal_may_have_an_endpoint_of_its_own(on: Signal) -> None:
    found = settings(**{f"OTEL_EXPORTER_OTLP_{on.upper()}_ENDPOINT": "http://127.0.0.1:1"})
    assert [signal for signal in SIGNALS if found.sends_any(signal)] == [on]


def test_the_protocol_is_http_unless_set_for_all_or_for_one() -> None:
    assert [settings().protocol(signal) for signal in SIGNALS] == ["http/protobuf"] * 3
    found = settings(OTEL_EXPORTER_OTLP_PROTOCOL="grpc", OTEL_EXPORTER_OTLP_LOGS_PROTOCOL="http/protobuf")
    assert [found.protocol(signal) for signal in SIGNALS] == ["grpc", "grpc", "http/protobuf"]


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"])
def test_a_protocol_that_is_not_spoken_is_refused_by_the_variables_name(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} should be grpc or http/protobuf \(got 'http/json'\)"):
        settings(**{name: "http/json"})


def test_neither_the_connection_string_nor_headers_are_shown() -> None:
    found = settings(**AZURE, OTEL_EXPORTER_OTLP_HEADERS="authorization=s3cret", **ENDPOINT)
    assert "s3cret" not in repr(found)
    assert "InstrumentationKey" not in repr(found)


@pytest.mark.parametrize(
    ("environment", "name", "team"),
    [
        ({}, telemetry.WORKER, None),
        ({"OTEL_SERVICE_NAME": "mine"}, "mine", None),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=mine,team=a"}, "mine", "a"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "team=a"}, telemetry.WORKER, "a"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=theirs", "OTEL_SERVICE_NAME": "mine"}, "mine", None),
    ],
)
def test_a_resource_has_our_name_unless_the_environment_names_it(
    environment: Mapping[str, str], name: str, team: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    found = _resource(telemetry.WORKER).attributes
    assert (found["service.name"], found.get("team"), found["service.version"]) == (name, team, __version__)
    assert found["service.instance.id"]


def test_what_the_environment_says_of_a_resource_comes_before_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=pod-7,service.version=9")
    found = _resource(telemetry.WORKER).attributes
    assert (found["service.instance.id"], found["service.version"]) == ("pod-7", "9")


def test_one_exporter_that_hangs_keeps_neither_the_others_nor_the_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone, ended = threading.Event(), threading.Event()
    sent = Telemetry([gone.wait, ended.set])  # type: ignore[list-item] # what they return is not looked at
    began = time.monotonic()
    assert not sent.stop(0.2)
    assert time.monotonic() - began < 20
    assert ended.is_set()
    assert "could not be sent within 0.2 s" in caplog.text
    gone.set()
    assert sent.stop(0)


def test_every_metric_is_named_once_after_conventions_and_its_attributes_are_words_of_the_contract() -> None:
    from monitor_core.telemetry import metrics  # noqa: PLC0415 # the module, beside its table

    ours = [value for value in vars(metrics).values() if isinstance(value, metrics.Metric)]
    assert len(ours) == len(METRICS) == len({metric.name for metric in ours})
    bounded = {"kind", "result", "end", "verdict", "decided_by", "command", "outcome"}
    http = {"http.request.method", "http.route", "http.response.status_code"}
    for metric in ours:
        assert metric.name.startswith("durable_monitor.") or metric.name == "http.server.request.duration"
        assert set(metric.attributes) <= (http if metric.name.startswith("http") else bounded), metric.name
        assert metric.says
        assert metric.unit == "s" or metric.unit.startswith("{")
        assert list(metric.bounds) == sorted(metric.bounds)


@pytest.mark.parametrize(
    "given",
    ["nonsense", "InstrumentationKey=secret", f"InstrumentationKey={KEY};", f"IngestionEndpoint={KEY}", KEY],
)
def test_a_connection_string_that_cannot_be_used_is_said_by_its_name_alone(given: str) -> None:
    with pytest.raises(SettingsError) as refused:
        worker_settings({"APPLICATIONINSIGHTS_CONNECTION_STRING": given})
    said = str(refused.value)
    assert "APPLICATIONINSIGHTS_CONNECTION_STRING: should be InstrumentationKey=UUID;" in said
    assert given not in said
