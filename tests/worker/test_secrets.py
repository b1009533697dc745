"""Secrets and tokens: given out for the origins that the settings name, and for no other."""

import asyncio
from collections.abc import Callable

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from monitor_core.contract import ErrorClass
from monitor_core.kinds.auth import Auth
from monitor_core.kinds.secret import SecretReference
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.base import CheckFailed
from monitor_worker.checks.masking import HIDDEN, Masker
from monitor_worker.checks.origins import Allowed, Origin
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.tokens import AUDIENCES, Tokens

API = "env:MONITOR_SECRET_API"
IN_VAULT = "https://vault.example.net/secrets/api"
LONG = 10.0
HERE = Origin.parse("https://api.example.com")
VALUES = {"MONITOR_SECRET_API": "s3cr3t-of-the-api"}


class Vault:
    """Has one secret; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = False

    async def get(self, identifier: str) -> str:
        self.asked.append(identifier)
        return f"value-{len(self.asked)}"

    async def close(self) -> None:
        self.closed = True


class Hanging(Vault):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.called, self.answers = asyncio.Event(), asyncio.Event()

    async def get(self, identifier: str) -> str:
        self.called.set()
        await self.answers.wait()
        return await super().get(identifier)


def secrets(*allowed: str, vault: Vault | None = None, now: Callable[[], float] = lambda: 0.0) -> Secrets:
    return Secrets(Allowed(allowed), VALUES, vault, Masker(), now)


async def refusal(asked: Secrets, reference: str = API, origin: Origin = HERE) -> CheckFailed:
    with pytest.raises(CheckFailed) as raised:
        await asked.get(reference, origin)
    assert "s3cr3t" not in str(raised.value)
    return raised.value


async def test_a_secret_is_given_out_where_it_may_be_sent_and_hidden_from_then_on() -> None:
    asked = secrets(f"{API}=https://api.example.com")
    assert await asked.get(API, HERE) == "s3cr3t-of-the-api"
    assert asked.masker("it is s3cr3t-of-the-api") == f"it is {HIDDEN}"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://api.example.com",
        "https://api.example.com:8443",
        "https://evil.example.com",
        "https://api.example.com.evil.net",
        "https://xapi.example.com",
    ],
)
async def test_it_is_given_out_for_no_other_origin(elsewhere: str) -> None:
    error = await refusal(secrets(f"{API}=https://api.example.com"), origin=Origin.parse(elsewhere))
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert f"add {API}={elsewhere} to MONITOR_ALLOWED_SECRETS" in str(error)


async def test_nothing_is_given_out_without_an_entry() -> None:
    assert "may not be sent" in str(await refusal(secrets()))


async def test_a_secret_that_does_not_exist_is_named() -> None:
    other = "env:MONITOR_SECRET_OTHER"
    error = await refusal(secrets(f"{other}=https://api.example.com"), other)
    assert str(error) == f"{other} does not exist, or is empty, on this worker"


async def test_a_secret_too_short_to_hide_is_not_used() -> None:
    asked = Secrets(Allowed([f"{API}=https://api.example.com"]), {"MONITOR_SECRET_API": "abc"})
    assert "cannot be used: a secret should have at least 4 characters" in str(await refusal(asked))


async def test_a_vault_is_asked_once_in_five_minutes() -> None:
    time = [0.0]
    vault = Vault()
    asked = secrets(f"{IN_VAULT}=https://api.example.com", vault=vault, now=lambda: time[0])
    for seconds in (0, 100, 299, 301):
        time[0] = seconds
        await asked.get(IN_VAULT, HERE)
    assert vault.asked == [IN_VAULT, IN_VAULT]
    await asked.close()
    assert vault.closed


async def test_a_vault_that_hangs_holds_up_no_other_secret() -> None:
    vault = Hanging()
    asked = secrets(f"{IN_VAULT}=https://api.example.com", f"{API}=https://api.example.com", vault=vault)
    waiting = asyncio.create_task(asked.get(IN_VAULT, HERE))
    await vault.called.wait()
    async with asyncio.timeout(LONG):
        assert await asked.get(API, HERE) == "s3cr3t-of-the-api"
    vault.answers.set()
    assert await waiting == "value-1"


async def test_a_secret_in_use_stays_hidden_however_many_come_and_go() -> None:
    asked = secrets(f"{API}=https://api.example.com")
    for number in range(1500):
        asked.masker.add(f"token-{number}")
        if number % 100 == 0:
            await asked.get(API, HERE)
    assert asked.masker("it is s3cr3t-of-the-api") == f"it is {HIDDEN}"


async def test_without_a_vault_no_identifier_is_looked_up() -> None:
    error = await refusal(secrets(f"{IN_VAULT}=https://api.example.com"), IN_VAULT)
    assert "MONITOR_ALLOWED_VAULTS of the worker names no key vault" in str(error)


async def test_a_secret_may_say_itself_where_it_goes() -> None:
    asked = secrets(f"{API}=postgresql://db.example.com")
    assert await asked.get_where(API, lambda _: Origin.parse("postgresql://db.example.com:5432"))
    with pytest.raises(CheckFailed, match="may not be sent to postgresql://other"):
        await asked.get_where(API, lambda _: Origin.parse("postgresql://other"))
    with pytest.raises(CheckFailed, match="does not say where to connect to"):
        await asked.get_where(API, lambda _: Origin.parse("nonsense"))
    with pytest.raises(CheckFailed, match="not among MONITOR_ALLOWED_SECRETS"):
        await asked.get_where("env:MONITOR_SECRET_OTHER", lambda _: HERE)


@pytest.mark.parametrize(
    "entry", ["", "x", f"{API}", f"{API}=api.example.com", f"{API}=ftp://x", f"{API}=https://x/path", "=https://x"]
)
def test_an_entry_that_is_none_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is no entry"):
        Allowed([entry])


@pytest.mark.parametrize(
    "text",
    [
        "env:PATH",
        "env:MONITOR_SECRET_",
        "env:MONITOR_SECRET_API\n",
        "MONITOR_SECRET_API",
        "http://vault.example.net/secrets/api",
        "https://user@vault.example.net/secrets/api",
        "https://vault.example.net/keys/api",
        "https://vault.example.net/secrets/api/../x",
        "s3cr3t-itself",
    ],
)
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(SecretReference).validate_python(text)
    assert raised.value.errors()[0]["type"] == "withheld"


class Credential:
    """Gives a token for what it is asked, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.scopes, self.closed = error, list[str](), False

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.scopes += scopes
        if self.error:
            raise self.error
        return AccessToken("t0ken-of-the-worker", 0)

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> "Credential":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


ARM = "https://management.azure.com"


async def test_a_token_is_got_for_its_audience_and_hidden() -> None:
    credential, masker = Credential(), Masker()
    tokens = Tokens(credential=lambda: credential, masker=masker)
    assert await tokens.get(ARM, Origin.parse(ARM)) == "t0ken-of-the-worker"
    assert credential.scopes == [f"{ARM}/.default"]
    assert masker("t0ken-of-the-worker") == HIDDEN
    await tokens.close()
    assert credential.closed


@pytest.mark.parametrize(
    ("audience", "url", "permitted"),
    [
        (ARM, "https://management.azure.com", True),
        (ARM, "https://westeurope.management.azure.com", True),
        (ARM, "https://evilmanagement.azure.com", False),
        (ARM, "https://management.azure.com:8443", False),
        (ARM, "https://management.azure.com.evil.net", False),
        (ARM, "http://management.azure.com", False),
        (ARM, "https://evil.example.com", False),
        ("https://storage.azure.com", "https://acct.blob.core.windows.net", True),
        ("https://storage.azure.com", "https://blob.core.windows.net.evil.net", False),
        ("https://storage.azure.com", "https://blob.core.windows.net", False),
        ("https://graph.microsoft.com", "https://graph.microsoft.com", False),
    ],
)
async def test_tokens_go_to_the_hosts_of_their_audience_alone(audience: str, url: str, permitted: bool) -> None:
    assert Allowed(AUDIENCES).permits(audience, Origin.parse(url)) == permitted
    tokens = Tokens(credential=Credential)
    if not permitted:
        with pytest.raises(CheckFailed, match="MONITOR_ALLOWED_AUDIENCES") as raised:
            await tokens.get(audience, Origin.parse(url))
        assert raised.value.error_class is ErrorClass.MISCONFIGURED


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        (ARM, ARM),
        ("https://westeurope.management.azure.com", ARM),
        ("https://management.usgovcloudapi.net", "https://management.usgovcloudapi.net"),
        ("https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
        ("http://management.azure.com", None),
        ("https://management.azure.com:8443", None),
        ("https://acct.blob.core.windows.net", None),
        ("https://api.example.com", None),
        ("https://arm.example.com", "https://arm.example.com"),
    ],
)
def test_a_service_that_is_its_own_audience_is_known(url: str, audience: str | None) -> None:
    more = ("api://x=https://api.example.com", "https://arm.example.com=https://arm.example.com")
    tokens = Tokens(Allowed([*AUDIENCES, *more]), credential=Credential)
    assert tokens.audience_of(Origin.parse(url)) == audience


async def test_an_identity_that_gets_no_token_says_why_in_one_line() -> None:
    error = ClientAuthenticationError("no identity\nand much more")
    with pytest.raises(CheckFailed) as raised:
        await Tokens(credential=lambda: Credential(error)).get(ARM, Origin.parse(ARM))
    assert str(raised.value) == f"the worker's identity gets no token for {ARM}: no identity"
    assert raised.value.error_class is ErrorClass.TRANSIENT


URL_HERE = URL("https://api.example.com/jobs?x=1")


async def headers(auth: dict[str, str] | None, values: dict[str, str] | None = None) -> dict[str, str]:
    kept = Secrets(Allowed([f"{API}=https://api.example.com"]), values or VALUES)
    authorizer = Authorizer(kept, Tokens(Allowed(["api://x=https://api.example.com"]), credential=Credential))
    read: Auth | None = TypeAdapter[Auth | None](Auth | None).validate_python(auth)
    return dict(await authorizer.headers(read, URL_HERE))


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (None, {}),
        ({"type": "bearer", "token": API}, {"Authorization": "Bearer s3cr3t-of-the-api"}),
        (
            {"type": "basic", "username": "me", "password": API},
            {"Authorization": "Basic bWU6czNjcjN0LW9mLXRoZS1hcGk="},
        ),
        ({"type": "api_key", "header": "X-Api-Key", "key": API}, {"X-Api-Key": "s3cr3t-of-the-api"}),
        ({"type": "managed_identity", "audience": "api://x"}, {"Authorization": "Bearer t0ken-of-the-worker"}),
    ],
)
async def test_four_ways_to_say_who_is_asking(auth: dict[str, str] | None, expected: dict[str, str]) -> None:
    assert await headers(auth) == expected


async def test_a_secret_that_no_header_can_carry_is_refused_by_its_name() -> None:
    with pytest.raises(CheckFailed, match="env:MONITOR_SECRET_API holds what no header can carry"):
        await headers({"type": "bearer", "token": API}, {"MONITOR_SECRET_API": "token-with-a-line-break\n"})
