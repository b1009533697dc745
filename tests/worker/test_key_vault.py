"""Secrets in a Key Vault: a fake one over HTTPS that asks for a token, read by Azure's own client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from monitor_core.contract import ErrorClass
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.key_vault import KeyVault
from monitor_worker.checks.masking import HIDDEN, Masker
from monitor_worker.checks.origins import Allowed, Origin
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.tokens import Tokens
from support import tls
from support.tokens import Identity

CHALLENGE = 'Bearer authorization="https://login.example/tenant", resource="https://vault.azure.net"'
API = Origin.parse("https://api.example.com")


class Vault:
    """Gives its secrets to whoever has a token; keeps what was asked."""

    def __init__(self) -> None:
        self.host, self.asked, self.code = "", list[str](), 200

    async def answer(self, request: web.Request) -> web.Response:
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return web.Response(status=401, headers={"WWW-Authenticate": CHALLENGE})
        self.asked.append(request.path)
        if self.code != 200:
            return web.json_response({"error": {"code": "X", "message": "no"}}, status=self.code)
        return web.json_response({"value": "s3cr3t-in-the-vault", "id": f"https://{self.host}{request.path}"})


@asynccontextmanager
async def vault() -> AsyncIterator[Vault]:
    found = Vault()
    app = web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls.server_context("localhost"))
    await site.start()
    found.host = f"localhost:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()


def reading(folder: Path, *hosts: str) -> KeyVault:
    tokens = Tokens(credential=Identity)
    options: dict[str, Any] = {"connection_verify": str(tls.files(folder)[0]), "verify_challenge_resource": False}
    return KeyVault(hosts, tokens, retry_total=0, **options)


async def test_a_secret_is_read_with_the_workers_identity_and_hidden(tmp_path: Path) -> None:
    async with vault() as kept:
        reference = f"https://{kept.host}/secrets/api"
        masker = Masker()
        secrets = Secrets(Allowed([f"{reference}={API}"]), {}, reading(tmp_path, kept.host), masker)
        assert await secrets.get(reference, API) == "s3cr3t-in-the-vault"
        await secrets.close()
    assert masker("it is s3cr3t-in-the-vault") == f"it is {HIDDEN}"
    assert kept.asked[0].rstrip("/") == "/secrets/api"


async def test_a_version_is_asked_for_where_it_is_named(tmp_path: Path) -> None:
    async with vault() as kept:
        reader = reading(tmp_path, kept.host)
        await reader.get(f"https://{kept.host}/secrets/api/{'0' * 32}")
        await reader.close()
    assert kept.asked == [f"/secrets/api/{'0' * 32}"]


@pytest.mark.parametrize("host", ["localhost", "other.vault.azure.net", "localhost:1.evil.example"])
async def test_no_other_vault_is_asked(tmp_path: Path, host: str) -> None:
    async with vault() as kept:
        with pytest.raises(CheckFailed, match="is not among MONITOR_ALLOWED_VAULTS") as refused:
            await reading(tmp_path, kept.host).get(f"https://{host}/secrets/api")
    assert refused.value.error_class is ErrorClass.MISCONFIGURED
    assert kept.asked == []


@pytest.mark.parametrize(
    ("code", "error_class", "says"),
    [
        (403, ErrorClass.MISCONFIGURED, "role Key Vault Secrets User"),
        (404, ErrorClass.MISCONFIGURED, "does not exist"),
        (503, ErrorClass.TRANSIENT, "gives no answer that can be used"),
    ],
)
async def test_what_a_vault_refuses_says_what_to_do(
    tmp_path: Path, code: int, error_class: ErrorClass, says: str
) -> None:
    async with vault() as kept:
        kept.code = code
        reader = reading(tmp_path, kept.host)
        with pytest.raises(CheckFailed, match=says) as refused:
            await reader.get(f"https://{kept.host}/secrets/api")
        await reader.close()
    assert refused.value.error_class is error_class


async def test_a_vault_that_cannot_be_reached_is_a_passing_trouble(tmp_path: Path) -> None:
    reader = reading(tmp_path, "127.0.0.1:9")
    with pytest.raises(CheckFailed, match="cannot be reached") as refused:
        await asyncio.wait_for(reader.get("https://127.0.0.1:9/secrets/api"), 30)
    await reader.close()
    assert refused.value.error_class is ErrorClass.TRANSIENT
