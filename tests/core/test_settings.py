"""What the services take from the environment, and how a variable that cannot be used is named."""

from typing import Any

import pytest

from monitor_core.settings import (
    CONNECTION_STRING,
    ClientSettings,
    SettingsError,
    WorkerSettings,
    client_settings,
    worker_settings,
)

AZURE = "https://x.westeurope.durabletask.example"
both = pytest.mark.parametrize("read", [client_settings, worker_settings])


def refused(read: Any = worker_settings, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(environment)
    return str(caught.value)


@both
def test_unset_it_is_the_emulator_without_a_credential(read: Any) -> None:
    scheduler = read({}).scheduler
    assert (scheduler.endpoint, scheduler.taskhub) == ("http://localhost:8080", "default")
    assert (scheduler.address, scheduler.secure, scheduler.authentication) == ("localhost:8080", False, None)


@both
def test_endpoint_and_taskhub_are_all_that_a_deployed_scheduler_needs(read: Any) -> None:
    scheduler = read({"ENDPOINT": AZURE, "TASKHUB": "hub-1"}).scheduler
    assert (scheduler.endpoint, scheduler.taskhub, scheduler.secure) == (AZURE, "hub-1", True)


@both
def test_an_empty_variable_counts_as_unset(read: Any) -> None:
    empty = dict.fromkeys(
        ["ENDPOINT", "TASKHUB", CONNECTION_STRING, "LOG_LEVEL", "MONITOR_URL", "MONITOR_HEALTH_PORT"], ""
    )
    assert read(empty) == read({})


@both
def test_variables_of_others_do_not_matter(read: Any) -> None:
    assert read({"PATH": "/bin", "HOME": "/", "nonsense": "x"}) == read({})


@pytest.mark.parametrize(
    ("endpoint", "address", "secure"),
    [
        ("http://localhost:8080", "localhost:8080", False),
        ("http://emulator", "emulator:80", False),
        ("https://x.example", "x.example:443", True),
        ("https://x.example/", "x.example:443", True),
        ("https://x.example:8443", "x.example:8443", True),
        ("http://[::1]:8080", "[::1]:8080", False),
        ("https://[fd00::1]", "[fd00::1]:443", True),
        ("HTTPS://X.example", "x.example:443", True),
    ],
)
def test_the_scheme_decides_on_tls_and_on_the_port(endpoint: str, address: str, secure: bool) -> None:
    scheduler = worker_settings({"ENDPOINT": endpoint}).scheduler
    assert (scheduler.address, scheduler.secure) == (address, secure)


@both
@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("x.example:443", "should be http://host:port or https://host"),
        ("grpc://x.example", "should be http://host:port or https://host"),
        ("https://", "should be http://host:port or https://host"),
        ("https://x.example/hub", "should be http://host:port or https://host"),
        ("http://x.example:99999", "Port out of range"),
        ("http://x.example:port", "Port could not be cast"),
        ("http://[::1", "Invalid IPv6 URL"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_named(read: Any, endpoint: str, why: str) -> None:
    message = refused(read, ENDPOINT=endpoint)
    assert message.startswith("ENDPOINT: ")
    assert why in message


@pytest.mark.parametrize("variable", ["ENDPOINT", CONNECTION_STRING])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Endpoint={AZURE};Authentication=DefaultAzure;TaskHub=hub-1", (AZURE, "hub-1", "DefaultAzure", None)),
        (
            f"Endpoint={AZURE};Authentication=ManagedIdentity;ClientID=c-1;TaskHub=hub-1",
            (AZURE, "hub-1", "ManagedIdentity", "c-1"),
        ),
        (f" endpoint = {AZURE} ; TASKHUB = hub-1 ; ", (AZURE, "hub-1", None, None)),
        ("Endpoint=http://e:8080;Authentication=None", ("http://e:8080", "default", "None", None)),
        ("TaskHub=hub-1", ("http://localhost:8080", "hub-1", None, None)),
    ],
)
def test_a_connection_string_says_it_all(variable: str, text: str, expected: tuple[Any, ...]) -> None:
    scheduler = worker_settings({variable: text}).scheduler
    assert (scheduler.endpoint, scheduler.taskhub, scheduler.authentication, scheduler.client_id) == expected


def test_the_connection_string_comes_before_endpoint() -> None:
    environment = {CONNECTION_STRING: f"Endpoint={AZURE};TaskHub=hub-1", "ENDPOINT": "http://other:1"}
    assert worker_settings(environment).scheduler.endpoint == AZURE


@both
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"Endpoint={AZURE};Key=secret-word", "cannot read 'Key'"),
        (f"Endpoint={AZURE};TaskHub", "cannot read 'TaskHub'"),
        (f"Endpoint={AZURE};Authentication=Password", "authentication: "),
        ("Endpoint=x.example", "ENDPOINT: should be http://host:port"),
        (f"Endpoint={AZURE};TaskHub=", "TASKHUB: "),
        (f"Endpoint={AZURE};Authentication=None", "Authentication=None goes with an http endpoint only"),
        ("Endpoint=http://e:80;Authentication=DefaultAzure", "goes with an https endpoint only"),
        ("Authentication=ManagedIdentity", "goes with an https endpoint only: no credential in clear"),
    ],
)
def test_a_connection_string_that_cannot_be_used_says_why(read: Any, text: str, why: str) -> None:
    message = refused(read, ENDPOINT=text)
    assert why in message
    assert "secret-word" not in message


@both
def test_a_task_hub_s_name_is_bounded(read: Any) -> None:
    assert refused(read, TASKHUB="x" * 65).startswith("TASKHUB: ")


def test_the_worker_s_own_defaults() -> None:
    settings = worker_settings({})
    assert (settings.log_level, settings.allowed_targets, settings.denied_hosts) == ("INFO", (), ())
    assert (settings.max_activities, settings.max_orchestrations) == (2000, 32)
    assert (settings.health_host, settings.health_port, settings.drain_seconds) == ("127.0.0.1", 8081, 75)


def test_the_worker_s_own_variables() -> None:
    settings = worker_settings(
        {
            "LOG_LEVEL": "DEBUG",
            "MONITOR_ALLOWED_TARGETS": "a.example:80, 10.0.0.0/8:443  [::1]:8080",
            "MONITOR_MAX_ACTIVITIES": "5",
            "MONITOR_MAX_ORCHESTRATIONS": "2",
            "MONITOR_HEALTH_HOST": "0.0.0.0",
            "MONITOR_HEALTH_PORT": "0",
            "MONITOR_DRAIN_SECONDS": "1.5",
            "IDENTITY_ENDPOINT": "http://localhost:42356/msi/token",
        }
    )
    assert settings.allowed_targets == ("a.example:80", "10.0.0.0/8:443", "[::1]:8080")
    assert (settings.log_level, settings.max_activities, settings.max_orchestrations) == ("DEBUG", 5, 2)
    assert (settings.health_host, settings.health_port, settings.drain_seconds) == ("0.0.0.0", 0, 1.5)
    assert settings.denied_hosts == ("localhost:42356",)


def test_the_client_s_own_variables() -> None:
    assert (client_settings({}).url, client_settings({}).log_level) == (None, "WARNING")
    settings = client_settings({"MONITOR_URL": "http://a.example/{job_id}", "LOG_LEVEL": "ERROR"})
    assert (settings.url, settings.log_level) == ("http://a.example/{job_id}", "ERROR")
    assert client_settings({}).reconcile_seconds == 30
    assert client_settings({"MONITOR_RECONCILE_SECONDS": "0"}).reconcile_seconds == 0
    for value in ("-1", "nan", "86401"):
        with pytest.raises(SettingsError, match="MONITOR_RECONCILE_SECONDS: "):
            client_settings({"MONITOR_RECONCILE_SECONDS": value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LOG_LEVEL", "LOUD"),
        ("MONITOR_MAX_ACTIVITIES", "0"),
        ("MONITOR_MAX_ACTIVITIES", "10001"),
        ("MONITOR_MAX_ACTIVITIES", "many"),
        ("MONITOR_MAX_ORCHESTRATIONS", "1001"),
        ("MONITOR_HEALTH_PORT", "65536"),
        ("MONITOR_HEALTH_PORT", "-1"),
        ("MONITOR_HEALTH_PORT", "http"),
        ("MONITOR_DRAIN_SECONDS", "601"),
        ("MONITOR_DRAIN_SECONDS", "-1"),
        ("MONITOR_DRAIN_SECONDS", "nan"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    message = refused(**{variable: value})
    assert message.startswith(f"{variable}: ")
    assert f"(got '{value}')" in message or value in message


def test_every_variable_that_cannot_be_used_is_named_at_once() -> None:
    message = refused(LOG_LEVEL="LOUD", MONITOR_HEALTH_PORT="x")
    assert "LOG_LEVEL: " in message
    assert "; MONITOR_HEALTH_PORT: " in message


@pytest.mark.parametrize(("read", "model"), [(client_settings, ClientSettings), (worker_settings, WorkerSettings)])
def test_the_process_s_environment_is_the_default(
    read: Any, model: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT", "http://from-the-environment:1")
    monkeypatch.delenv(CONNECTION_STRING, raising=False)
    settings = read()
    assert isinstance(settings, model)
    assert settings.scheduler.endpoint == "http://from-the-environment:1"
