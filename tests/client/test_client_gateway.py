"""Calls on the scheduler: a deadline for each, and errors in words a user can act on."""

import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError

from monitor_client.connect import open_service
from monitor_client.errors import NoCredential, NotAllowed, SchedulerRefused, SchedulerUnreachable, ServiceError
from monitor_client.gateway import CALL_SECONDS, Gateway
from monitor_core.scheduler import Client
from monitor_core.settings import ClientSettings, SchedulerSettings
from support.fake_scheduler import SETTINGS, FakeScheduler, failing, once, request, rpc_error

Code = grpc.StatusCode


async def failed(error: Exception) -> ServiceError:
    scheduler = FakeScheduler(before=once(failing(error)))
    with pytest.raises(ServiceError) as caught:
        await scheduler.service().get("job-1")
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("code", "details", "why"),
    [
        (Code.UNAVAILABLE, "failed to connect ...: Connection refused (111)", "connection refused"),
        (Code.UNAVAILABLE, "DNS resolution failed for nowhere:80: ...", "its name cannot be resolved"),
        (Code.UNAVAILABLE, "Ssl handshake failed: SSL_ERROR_SSL", "the TLS handshake failed"),
        (Code.UNAVAILABLE, "CERTIFICATE_VERIFY_FAILED", "its TLS certificate is not trusted"),
        (Code.UNAVAILABLE, "Failed parsing HTTP/2", "what answers there speaks no gRPC"),
        (Code.UNAVAILABLE, "first line\nsecond line", "first line"),
        (Code.UNAVAILABLE, "", "UNAVAILABLE"),
        (Code.DEADLINE_EXCEEDED, "Deadline Exceeded", "Deadline Exceeded"),
        (Code.RESOURCE_EXHAUSTED, "too many requests", "too many requests"),
    ],
)
async def test_a_scheduler_that_does_not_answer_is_unreachable(code: Code, details: str, why: str) -> None:
    error = await failed(rpc_error(code, details))
    assert isinstance(error, SchedulerUnreachable)
    assert error.why == why
    assert str(error).startswith(f"cannot reach the scheduler at http://127.0.0.1:8080: {why} (")


@pytest.mark.parametrize("code", [Code.UNAUTHENTICATED, Code.PERMISSION_DENIED])
async def test_a_caller_without_the_role_is_told_which(code: Code) -> None:
    error = await failed(rpc_error(code, "no\nno"))
    assert isinstance(error, NotAllowed)
    assert "Durable Task Data Contributor" in str(error)
    assert "'hub'" in str(error)


@pytest.mark.parametrize("code", [Code.UNIMPLEMENTED, Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.INTERNAL])
async def test_any_other_answer_is_passed_on_shortened(code: Code) -> None:
    error = await failed(rpc_error(code, "x" * 1000))
    assert isinstance(error, SchedulerRefused)
    assert error.code == code.name
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    "raised",
    [
        ClientAuthenticationError("no token\nAttempted: ..."),
        CredentialUnavailableError("no token\nAttempted: ..."),
    ],
)
async def test_trouble_with_the_credential_is_no_scheduler_either(raised: Exception) -> None:
    error = await failed(raised)
    assert isinstance(error, SchedulerUnreachable)
    assert str(error) == "no credential for the scheduler at http://127.0.0.1:8080: no token (run `az login`?)"


async def test_only_an_id_that_is_taken_is_an_answer_to_a_start() -> None:
    scheduler = FakeScheduler(before=once(failing(rpc_error(Code.UNAVAILABLE, "Connection refused"))))
    with pytest.raises(SchedulerUnreachable):
        await scheduler.service().start(request())


async def test_a_call_has_a_deadline() -> None:
    scheduler = FakeScheduler(seconds=30)
    began = time.monotonic()
    with pytest.raises(SchedulerUnreachable, match=r"no answer within 0\.05 s"):
        await scheduler.service(call_seconds=0.05).get("job-1")
    assert time.monotonic() - began < 15
    assert CALL_SECONDS == 10, "so that a scheduler that never answers is told within 15 s"


class Credential:
    """A credential that gives no token, and remembers whether it was closed."""

    closed = False

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        raise CredentialUnavailableError("nobody is logged in")

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> "Credential":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@pytest.fixture
async def settings() -> AsyncIterator[SchedulerSettings]:
    """Of a port that nobody listens on, as it stays bound."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield SchedulerSettings(ENDPOINT=f"http://127.0.0.1:{taken.getsockname()[1]}")


async def test_a_token_that_cannot_be_had_comes_through_the_sdk_as_that(settings: SchedulerSettings) -> None:
    credential = Credential()
    client = Client(
        host_address=settings.address, taskhub="hub", token_credential=credential, secure_channel=False
    )
    async with client:
        with pytest.raises(NoCredential, match="nobody is logged in"):
            await Gateway(client, SETTINGS).read("monitor-job-1", payloads=True)


async def test_the_service_closes_the_channel_and_the_credential(settings: SchedulerSettings) -> None:
    credential = Credential()
    clients: list[Client] = []

    def build(of: SchedulerSettings) -> Client:
        clients.append(
            Client(host_address=of.address, taskhub=of.taskhub, token_credential=credential, secure_channel=False)
        )
        return clients[0]

    with pytest.raises(NoCredential):
        async with open_service(ClientSettings(scheduler=settings), build) as service:
            await service.get("job-1")
    assert credential.closed
    with pytest.raises(RuntimeError, match="closed"):
        await clients[0].get_orchestration_state("x")
