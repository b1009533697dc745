"""The kind `blob` against Azurite: what is there, has changed, stays the same, or may not be looked at."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.storage.blob import ContainerClient, ContentSettings, PublicAccess

from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass, Schedule, Turn, parse_request
from monitor_core.kinds import BUILT_IN, BlobCheck
from monitor_worker.checks import blob
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.blob import BlobDriver
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.registry import Registry
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tokens import Tokens
from monitor_worker.clock import SystemClock
from monitor_worker.looking import looker
from monitor_worker.loop import LoopThread, ask
from monitor_worker.turns import Checkpoint, Look
from support import tls
from support.azurite import Azurite, azurite
from support.closing import connections_closed
from support.looks import here
from support.tokens import Identity

REFERENCE = "env:MONITOR_SECRET_SAS"
AUDIENCE = "https://storage.azure.com"
WEIRD = "a b//\u00fc+%2F?#&=~'(1);@:$!*,/x..y/.txt"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture(scope="session")
def secure_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One that speaks TLS and takes tokens, as the real one."""
    folder = tmp_path_factory.mktemp("azurite")
    authority, certificate, key = tls.files(folder, "127.0.0.1")
    options = ("--oauth", "basic", "--cert", str(certificate), "--key", str(key))
    with azurite(folder, *options, trusted=authority) as running:
        yield running


def resources(
    origin: str, sas: str | None = None, identity: Identity | None = None, allowed: str | None = None
) -> Resources:
    """What a worker has that may reach `origin` (and send its secret and token to `allowed`)."""
    place = allowed or origin
    return Resources(
        TargetGuard([origin.partition("://")[2]]),
        Secrets(Allowed([f"{REFERENCE}={place}"]), {"MONITOR_SECRET_SAS": sas} if sas else {}),
        Tokens(Allowed([f"{AUDIENCE}={place}"]), lambda: identity or Identity()),
    )


@asynccontextmanager
async def driving(given: Resources, **options: Any) -> AsyncIterator[BlobDriver]:
    async with connections_closed():
        driver = BlobDriver(given, **options)
        try:
            yield driver
        finally:
            await driver.close()


class Watched:
    """A container, and a monitor's checks of it: each is given what the one before has left."""

    def __init__(self, driver: BlobDriver, container: ContainerClient, spec: BlobCheck) -> None:
        self.driver, self.container, self.spec = driver, container, spec
        self.checkpoint: Mapping[str, Any] | None = None
        self._number = 0

    async def look(self) -> Observation:
        self._number += 1
        seen = await self.driver.check(self.spec, context(self._number, self.checkpoint))
        self.checkpoint = seen.checkpoint
        return seen

    async def upload(self, name: str, content: bytes = b"x", **options: Any) -> None:
        def send() -> None:
            self.container.upload_blob(name, content, overwrite=True, **options)

        await asyncio.to_thread(send)

    async def delete(self, name: str) -> None:
        await asyncio.to_thread(self.container.delete_blob, name)


def context(number: int = 1, checkpoint: Mapping[str, Any] | None = None, seconds: float = 30) -> CheckContext:
    return CheckContext("job", f"run.0.1.{number}", number, seconds, checkpoint)


def spec(store: Azurite, container: str, **fields: Any) -> BlobCheck:
    what = {} if "prefix" in fields else {"blob": "report.csv"}
    asked = {} if "anonymous" in fields or "sas" in fields else {"sas": REFERENCE}
    return BlobCheck.model_validate(
        {"account_url": store.account_url, "container": container, **what, **asked, **fields}
    )


@asynccontextmanager
async def watching(store: Azurite, now: Any = None, **fields: Any) -> AsyncIterator[Watched]:
    container = await asyncio.to_thread(store.container)
    name = container.container_name
    clock = {"now": now} if now else {}
    async with driving(resources(store.origin, store.signature(name)), **clock) as driver:
        yield Watched(driver, container, spec(store, name, **fields))
    container.close()


def is_success(seen: Observation, success_when: str | None = None) -> bool:
    condition = conditions(success_when, None, BlobCheck).success
    assert condition is not None
    return condition.holds(seen.variables)


async def failure(driver: BlobDriver, asked: BlobCheck) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        await driver.check(asked, context())
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    return failed.value


async def test_a_blob_that_is_not_there_is_waited_for_and_then_found(store: Azurite) -> None:
    async with watching(store) as watched:
        before = await watched.look()
        settings = ContentSettings(content_type="text/csv")
        await watched.upload("report.csv", b"a,b", content_settings=settings, metadata={"rows": "1"})
        after = await watched.look()

    nothing = {"exists": False, "ready": False, "changed": False, "unchanged_checks": 0}
    assert before.status == "Absent"
    assert before.variables == {**nothing, "count": 0, "total_bytes": 0, "truncated": False}
    assert (before.error, is_success(before)) == (None, False)
    assert after.status == "Present"
    assert set(after.variables) == set(BlobCheck.variables)
    seen = after.variables
    assert (seen["exists"], seen["changed"], seen["ready"]) == (True, True, True)
    assert (seen["count"], seen["size"], seen["total_bytes"], seen["truncated"]) == (1, 3, 3, False)
    assert (seen["newest"], seen["content_type"], seen["metadata"]) == ("report.csv", "text/csv", {"rows": "1"})
    assert is_success(after)


async def test_what_is_known_of_a_blob_is_the_same_by_its_name_and_in_a_listing(store: Azurite) -> None:
    now = datetime.now(UTC) + timedelta(seconds=100)
    async with watching(store, now=lambda: now) as watched:
        await watched.upload("report.csv", metadata={"rows": "1"})
        alone = await watched.look()
        listed = await watched.driver.check(spec(store, watched.spec.container, prefix="rep"), context())
        properties = await asyncio.to_thread(watched.container.get_blob_client("report.csv").get_blob_properties)

    assert alone.variables == listed.variables
    assert alone.checkpoint == listed.checkpoint
    assert properties.etag == f'"{alone.variables["etag"]}"'
    modified = properties.last_modified
    assert alone.variables["last_modified"] == modified.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert alone.variables["age_seconds"] == (now - modified).total_seconds()
    assert is_success(
        alone, "timestamp(last_modified) > timestamp('2020-01-01T00:00:00Z') && age_seconds < 3600.0"
    )


async def test_a_clock_that_is_behind_gives_no_negative_age(store: Azurite) -> None:
    async with watching(store, now=lambda: datetime(2020, 1, 1, tzinfo=UTC)) as watched:
        await watched.upload("report.csv")
        assert (await watched.look()).variables["age_seconds"] == 0


async def test_a_change_is_one_since_the_first_check_and_the_baseline_stays(store: Azurite) -> None:
    async with watching(store, changed=True) as watched:
        await watched.upload("report.csv", b"old")
        first = await watched.look()
        second = await watched.look()
        await watched.upload("report.csv", b"new")
        changed = await watched.look()
        still = await watched.look()

    told = [(seen.variables["changed"], seen.variables["ready"]) for seen in (first, second, changed, still)]
    assert told == [(False, False), (False, False), (True, True), (True, True)]
    counted = [seen.variables["unchanged_checks"] for seen in (first, second, changed, still)]
    assert counted == [0, 1, 0, 1]


async def test_metadata_alone_is_a_change(store: Azurite) -> None:
    async with watching(store, changed=True) as watched:
        await watched.upload("report.csv")
        await watched.look()
        client = watched.container.get_blob_client("report.csv")
        await asyncio.to_thread(client.set_blob_metadata, {"state": "final"})
        assert is_success(await watched.look())


async def test_a_blob_that_is_gone_has_changed_and_is_not_ready(store: Azurite) -> None:
    async with watching(store, changed=True) as watched:
        await watched.upload("report.csv")
        await watched.look()
        await watched.delete("report.csv")
        gone = await watched.look()

    assert (gone.status, gone.variables["changed"], gone.variables["ready"]) == ("Absent", True, False)
    assert is_success(gone, "!exists")


async def test_a_blob_is_stable_once_so_many_checks_have_found_it_the_same(store: Azurite) -> None:
    async with watching(store, stable_checks=2) as watched:
        ready = [(await watched.look()).variables["ready"]]
        client = watched.container.get_blob_client("report.csv")
        await asyncio.to_thread(client.create_append_blob)
        for _ in range(3):  # still written to
            await asyncio.to_thread(client.append_block, b"row\n")
            ready.append((await watched.look()).variables["ready"])
        ready += [(await watched.look()).variables["ready"] for _ in range(3)]

    assert ready == [False, False, False, False, False, True, True]


async def test_a_repeated_check_gives_the_same(store: Azurite) -> None:
    now = datetime.now(UTC)
    async with watching(store, now=lambda: now, prefix="", stable_checks=2) as watched:
        await watched.upload("a")
        await watched.look()
        again = context(2, watched.checkpoint)
        first = await watched.driver.check(watched.spec, again)
        assert await watched.driver.check(watched.spec, again) == first
        assert first.variables["unchanged_checks"] == 1


async def test_the_newest_of_those_below_a_prefix_is_told_of(store: Azurite) -> None:
    async with watching(store, prefix="in/", min_count=2) as watched:
        await watched.upload("other/z", b"12345")
        empty = await watched.look()
        await watched.upload("in/b", b"1", metadata={"first": "yes"})
        one = await watched.look()
        await asyncio.sleep(1.1)  # the service tells whole seconds
        await watched.upload("in/a", b"123")
        two = await watched.look()

    assert (empty.status, empty.variables["count"], empty.variables["ready"]) == ("Absent", 0, False)
    assert (one.variables["count"], one.variables["newest"], one.variables["ready"]) == (1, "in/b", False)
    assert one.variables["metadata"] == {"first": "yes"}
    assert (two.variables["count"], two.variables["total_bytes"], two.variables["size"]) == (2, 4, 3)
    assert (two.variables["newest"], two.variables["metadata"], two.variables["ready"]) == ("in/a", {}, True)


@pytest.mark.parametrize("how", ["new", "rewritten", "gone"])
async def test_any_change_below_a_prefix_is_one(store: Azurite, how: str) -> None:
    async with watching(store, prefix="in/", changed=True) as watched:
        await watched.upload("in/a")
        await watched.upload("in/b")
        await watched.look()
        await watched.upload("out/c")
        assert not is_success(await watched.look())
        await (watched.delete("in/b") if how == "gone" else watched.upload("in/c" if how == "new" else "in/b"))
        assert is_success(await watched.look())


async def test_folders_of_a_hierarchical_namespace_are_no_blobs(store: Azurite) -> None:
    async with watching(store, prefix="in/") as watched:
        await watched.upload("in/folder", b"", metadata={"hdi_isfolder": "true"})
        assert (await watched.look()).status == "Absent"
        await watched.upload("in/folder/a", b"1")
        assert (await watched.look()).variables["count"] == 1


async def test_min_age_counts_from_the_newest(store: Azurite) -> None:
    now = datetime.now(UTC)
    times = iter([now + timedelta(seconds=10), now + timedelta(seconds=100)])
    async with watching(store, now=lambda: next(times), min_age_seconds=60) as watched:
        await watched.upload("report.csv")
        assert [(await watched.look()).variables["ready"] for _ in range(2)] == [False, True]


async def test_a_listing_goes_on_over_pages(store: Azurite) -> None:
    async with watching(store, prefix="") as watched:
        for start in range(0, 210, 30):
            await asyncio.gather(*(watched.upload(f"{number:03}") for number in range(start, start + 30)))
        seen = await watched.look()
    assert (seen.variables["count"], seen.variables["truncated"]) == (210, False)


@pytest.mark.parametrize("fields", [{"blob": WEIRD}, {"prefix": WEIRD[:-3]}])
async def test_names_are_sent_as_they_are(store: Azurite, fields: dict[str, str]) -> None:
    async with watching(store, **fields) as watched:
        await watched.upload(WEIRD)
        seen = await watched.look()
    assert seen.variables["newest"] == WEIRD


@pytest.mark.parametrize("what", [{"blob": "a"}, {"prefix": "a"}])
async def test_a_container_that_is_not_there_is_waited_for(store: Azurite, what: dict[str, str]) -> None:
    async with driving(resources(store.origin, store.signature("nowhere"))) as driver:
        seen = await driver.check(spec(store, "nowhere", **what), context())
    assert (seen.status, seen.summary, seen.error) == ("No container", "no container nowhere", None)
    assert not is_success(seen)


@pytest.mark.parametrize("what", [{"blob": "a"}, {"prefix": "a"}])
async def test_a_public_container_is_asked_without_any_identity(store: Azurite, what: dict[str, str]) -> None:
    container = await asyncio.to_thread(store.container, PublicAccess.CONTAINER)
    await asyncio.to_thread(container.upload_blob, "a", b"1")
    identity = Identity()
    async with driving(resources(store.origin, identity=identity)) as driver:
        seen = await driver.check(spec(store, container.container_name, anonymous=True, **what), context())
    container.close()
    assert (seen.status, identity.scopes) == ("Present", [])


@pytest.mark.parametrize("what", [{"blob": "a"}, {"prefix": "a"}])
async def test_the_worker_asks_with_its_own_identity(secure_store: Azurite, what: dict[str, str]) -> None:
    container = await asyncio.to_thread(secure_store.container)
    await asyncio.to_thread(container.upload_blob, "a", b"1")
    asked = BlobCheck.model_validate(
        {"account_url": secure_store.account_url, "container": container.container_name, **what}
    )
    identity = Identity()
    given = resources(secure_store.origin, identity=identity)
    async with driving(given, tls=tls.client_context()) as driver:
        seen = await driver.check(asked, context())
    async with driving(given) as distrustful:
        untrusted = await failure(distrustful, asked)
    async with driving(resources(secure_store.origin, identity=Identity("https://other.example")),
                       tls=tls.client_context()) as foreign:  # fmt: skip
        refused = await failure(foreign, asked)
    container.close()

    assert (seen.status, identity.scopes[0]) == ("Present", f"{AUDIENCE}/.default")
    assert untrusted.error_class is ErrorClass.PERMANENT
    assert "is not trusted" in str(untrusted)
    assert refused.error_class is ErrorClass.PERMANENT
    assert "refuses the worker's identity" in str(refused)


async def test_a_token_or_secret_goes_nowhere_it_is_not_allowed_to(store: Azurite) -> None:
    identity = Identity()
    asked = {"account_url": store.account_url, "container": "abc", "blob": "a"}
    given = resources(store.origin, "sv=1&sig=abcd", identity, allowed="https://other.example")
    async with driving(given) as driver:
        token = await failure(driver, BlobCheck.model_validate(asked))
        secret = await failure(driver, BlobCheck.model_validate({**asked, "sas": REFERENCE}))
    assert (token.error_class, secret.error_class) == (ErrorClass.MISCONFIGURED, ErrorClass.MISCONFIGURED)
    assert f"add {AUDIENCE}={store.origin} to MONITOR_ALLOWED_AUDIENCES" in str(token)
    assert f"add {REFERENCE}={store.origin} to MONITOR_ALLOWED_SECRETS" in str(secret)
    assert identity.scopes == []


@pytest.mark.parametrize(
    ("permission", "minutes", "what", "says"),
    [
        ("rl", -5, {"blob": "a"}, "the signature has expired"),
        ("w", 60, {"blob": "a"}, "it lacks the permission read (r)"),
        ("r", 60, {"prefix": "a"}, "it lacks the permission list (l)"),
    ],
)
async def test_a_signature_that_does_not_permit_it_says_what_to_do(
    store: Azurite, permission: str, minutes: int, what: dict[str, str], says: str
) -> None:
    container = await asyncio.to_thread(store.container)
    sas = store.signature(container.container_name, permission, minutes=minutes)
    container.close()
    async with driving(resources(store.origin, sas)) as driver:
        error = await failure(driver, spec(store, container.container_name, **what))
    assert error.error_class is ErrorClass.PERMANENT
    assert says in str(error)
    assert sas.partition("sig=")[2] not in str(error)


@pytest.mark.parametrize("form", ["?{}", "{}\n"])
async def test_a_signature_is_taken_as_tools_give_it(store: Azurite, form: str) -> None:
    container = await asyncio.to_thread(store.container)
    container.close()
    given = resources(store.origin, form.format(store.signature(container.container_name)))
    async with driving(given) as driver:
        assert (await driver.check(spec(store, container.container_name), context())).status == "Absent"


@pytest.mark.parametrize("secret", ["AccountKey=abcd", "https://a.example/?sv=1&sig=abcd", "sv=1 &sig=abcd"])
async def test_a_secret_that_is_no_signature_is_not_sent(store: Azurite, secret: str) -> None:
    async with driving(resources(store.origin, secret)) as driver:
        error = await failure(driver, spec(store, "abc"))
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "holds no shared access signature" in str(error)
    assert "abcd" not in str(error)


async def test_this_machine_is_denied_and_nothing_is_asked(store: Azurite) -> None:
    async with driving(Resources(TargetGuard())) as driver:
        error = await failure(driver, spec(store, "abc", anonymous=True))
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "MONITOR_ALLOWED_TARGETS" in str(error)


async def test_no_proxy_of_the_environment_is_taken(store: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    async with watching(store) as watched:
        assert (await watched.look()).status == "Absent"


async def test_a_check_after_the_end_opens_nothing(store: Azurite) -> None:
    driver = blob.create(resources(store.origin))
    await driver.close()
    error = await failure(driver, spec(store, "abc", anonymous=True))
    assert (error.error_class, str(error)) == (ErrorClass.TRANSIENT, "the worker is stopping")


async def test_the_signature_is_masked_in_the_form_it_is_sent_in(store: Azurite) -> None:
    masker = Masker()
    sas = store.signature("abc")
    secrets = Secrets(Allowed([f"{REFERENCE}={store.origin}"]), {"MONITOR_SECRET_SAS": f"?{sas}\n"}, masker=masker)
    async with driving(Resources(TargetGuard([f"127.0.0.1:{store.port}"]), secrets)) as driver:
        await driver.check(spec(store, "abc"), context())
    assert sas not in masker(f"who came with {sas}")


async def test_the_example_holds_once_there_are_two_blobs_that_change_no_more(secure_store: Azurite) -> None:
    container = await asyncio.to_thread(secure_store.container)
    request = parse_request({"job_id": "job", **BlobCheck.example}, BUILT_IN)
    here = {"account_url": secure_store.account_url, "container": container.container_name}
    asked = BlobCheck.model_validate({**request.check, **here})
    async with driving(resources(secure_store.origin), tls=tls.client_context()) as driver:
        watched = Watched(driver, container, asked)
        await watched.upload("2026/01/a.csv")
        held = [is_success(await watched.look(), request.success_when)]
        await watched.upload("2026/01/b.csv")
        held += [is_success(await watched.look(), request.success_when) for _ in range(3)]
    container.close()
    assert held == [False, False, False, True]


async def test_what_the_looker_keeps_outlives_the_worker(store: Azurite) -> None:
    """Two workers after each other: their registries, drivers and sessions are different ones."""
    container = await asyncio.to_thread(store.container)
    name = container.container_name
    asked = spec(store, name, changed=True).as_wire()
    await asyncio.to_thread(container.upload_blob, "report.csv", b"old")
    first = await asyncio.to_thread(one_look, store, name, asked, None)
    await asyncio.to_thread(container.upload_blob, "report.csv", b"new", overwrite=True)
    second = await asyncio.to_thread(one_look, store, name, asked, first.checkpoint)
    container.close()

    assert first.observation
    assert second.observation
    assert (first.observation.success, second.observation.success) == (False, True)


def one_look(store: Azurite, container: str, asked: Mapping[str, Any], checkpoint: Checkpoint) -> Look:
    """One check as a worker makes it, by a worker of its own."""
    loop = LoopThread()
    loop.start()
    registry = Registry(BUILT_IN, resources(store.origin, store.signature(container)))
    request = parse_request({"job_id": "job", "check": asked}, BUILT_IN)
    try:
        turn = Turn(
            run="run",
            revision=1,
            turn=1,
            job_id="job",
            check=request.check,
            success_when=None,
            failure_when=None,
            polling=request.polling,
            check_timeout_seconds=30,
            required_successes=1,
            deadline=datetime.now(UTC) + timedelta(minutes=1),
            schedule=Schedule(anchor=datetime.now(UTC)),
            turn_seconds=0,
            checks_performed=0,
            last_status=None,
            consecutive_successes=0,
        )
        check = looker(turn, "job", registry, ask, SystemClock(), evaluate=here, mask=str)

        async def one() -> Look:
            return await check(1, 30, checkpoint)

        return loop.run(one(), 60)
    finally:
        loop.run(registry.close())
        loop.stop()
