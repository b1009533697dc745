"""An Azure Resource Manager over HTTPS, and the identity endpoint of App Service, both on 127.0.0.1.

async with arm() as azure:
    azure.resources["/subscriptions/s/resourceGroups/g"] = {"location": "here"}
    tokens = resources(azure, credential_of(azure)).tokens
"""

import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.identity.aio import ManagedIdentityCredential

from monitor_worker.checks.base import Resources
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tokens import AUDIENCES, Tokens
from support.tls import server_context

TOKEN = "eyJ0eXAiOiJKV1Qi.t0ken-of-the-worker"
IDENTITY_HEADER = "header-of-the-identity-endpoint"
VERSIONS = ("2022-03-01", "2024-11-01-preview", "2024-04-01", "2021-02-01")
_REGISTERED = {
    "Microsoft.Web": ("sites", "sites/slots"),
    "Microsoft.Resources": ("resourceGroups", "subscriptions"),
}


@dataclass
class Arm:
    """What it knows, and what it was asked. Paths are compared without regard to case."""

    url: str = ""
    identity_url: str = ""
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    scripts: dict[str, deque[web.Response]] = field(default_factory=dict)
    """Answers to give first, by path; the last one stays."""
    asked: list[web.Request] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    """The resources that tokens were issued for."""

    @property
    def address(self) -> str:
        """`host:port`."""
        return self.url.removeprefix("https://")

    @property
    def environment(self) -> dict[str, str]:
        """What App Service tells its processes of their identity."""
        return {"IDENTITY_ENDPOINT": f"{self.identity_url}/msi/token", "IDENTITY_HEADER": IDENTITY_HEADER}

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [unquote(request.path) for request in self.asked]

    def script(self, path: str, *answers: web.Response) -> None:
        """Answer so."""
        self.scripts[path.lower()] = deque(answers)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return problem(401, "AuthenticationFailed", "Authentication failed.")
        if script := self.scripts.get(request.path.lower()):
            return copy(script[0] if len(script) == 1 else script.popleft())
        if refused := _version_refused(request.query.get("api-version")):
            return refused
        return self._provider(request.path) or self._resource(request.path)

    async def issue(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("X-IDENTITY-HEADER") != IDENTITY_HEADER:
            return web.json_response({"statusCode": 401}, status=401)
        self.tokens.append(request.query["resource"])
        expires = str(int(time.time()) + 3600)
        granted = {
            "access_token": TOKEN,
            "expires_on": expires,
            "resource": self.tokens[-1],
            "token_type": "Bearer",
        }
        return web.json_response(granted)

    def _provider(self, path: str) -> web.Response | None:
        parts = path.split("/")
        if len(parts) != 5 or parts[3] != "providers":
            return None
        if parts[4] not in _REGISTERED:
            return problem(404, "InvalidResourceNamespace", f"The resource namespace '{parts[4]}' is invalid.")
        types = [{"resourceType": name, "apiVersions": list(VERSIONS)} for name in _REGISTERED[parts[4]]]
        return web.json_response({"namespace": parts[4], "resourceTypes": types})

    def _resource(self, path: str) -> web.Response:
        for known, body in self.resources.items():
            if known.lower() == path.lower():
                return web.json_response(body)
        return problem(404, "ResourceNotFound", f"The Resource '{path}' was not found.")


def problem(code: int, name: str, message: str, **headers: str) -> web.Response:
    """An error as Azure Resource Manager words it; `_` in a header's name is `-`."""
    named = {header.replace("_", "-"): value for header, value in headers.items()}
    return web.json_response({"error": {"code": name, "message": message}}, status=code, headers=named)


def copy(answer: web.Response) -> web.Response:
    """The same answer, not sent yet."""
    return web.Response(body=answer.body, status=answer.status, headers=answer.headers)


def state(value: object, **more: Any) -> dict[str, Any]:
    """A resource in this state."""
    return {"location": "westeurope", "properties": {"provisioningState": value}, **more}


def resources(azure: Arm, credential: ManagedIdentityCredential, *allowed: str) -> Resources:
    """Those of a worker whose settings let it ask this Azure Resource Manager.

    Args:
        azure: the one.
        credential: the worker's identity.
        allowed: where tokens may be sent besides; `{port}` is that of `azure`.
    """
    masker = Masker()
    entries = (entry.format(port=azure.url.rpartition(":")[2]) for entry in allowed)
    tokens = Tokens(Allowed([*AUDIENCES, f"{azure.url}={azure.url}", *entries]), lambda: credential, masker)
    return Resources(TargetGuard(["127.0.0.1:*"]), Secrets(masker=masker), tokens)


@asynccontextmanager
async def arm() -> AsyncIterator[Arm]:
    """One of each, with nothing in it."""
    azure = Arm()
    async with AsyncExitStack() as servers:
        server = await _served(servers, azure.answer, tls=True)
        azure.url = f"https://127.0.0.1:{server.port}"
        identity = await _served(servers, azure.issue, tls=False)
        azure.identity_url = f"http://127.0.0.1:{identity.port}"
        yield azure


def credential_of(azure: Arm) -> ManagedIdentityCredential:
    """The managed identity of Azure's SDK; it reads the environment when it is made, and not again."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in azure.environment.items():
            environment.setenv(name, value)
        return ManagedIdentityCredential()


async def _served(servers: AsyncExitStack, handler: Any, *, tls: bool) -> TestServer:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(app, host="127.0.0.1", scheme="https" if tls else "http")
    await server.start_server(ssl=server_context() if tls else None)
    servers.push_async_callback(server.close)
    return server


def _version_refused(version: str | None) -> web.Response | None:
    supported = f"The supported api-versions are '{', '.join(sorted((*VERSIONS, '2021-04-01')))}'."
    if version is None:
        return problem(
            400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required."
        )
    if version not in (*VERSIONS, "2021-04-01"):
        message = (
            f"No registered resource provider found for location 'x' and API version '{version}'. {supported}"
        )
        return problem(400, "NoRegisteredProviderFound", message)
    return None
