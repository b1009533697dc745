"""The kind `azure_resource` against an Azure Resource Manager over HTTPS, as a managed identity of Azure's SDK."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass, parse_request
from monitor_core.kinds import BUILT_IN, AzureResourceCheck
from monitor_core.kinds.azure_id import ResourceType
from monitor_worker.checks.azure_resource import AzureResourceDriver
from monitor_worker.checks.azure_resource_answer import observed
from monitor_worker.checks.azure_versions import Versions, newest
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.http_answer import Answer
from monitor_worker.checks.targets import TargetGuard
from support.arm import TOKEN, Arm, arm, credential_of, problem, resources, state
from support.tls import client_context

CONTEXT = CheckContext("job", "run.0.1.1", 1, 30.0)
NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/shop"
PROVIDER = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Web"


class Asker:
    """A driver, and the checkpoint that its checks leave for each other."""

    def __init__(self, azure: Arm, given: Resources) -> None:
        self.azure, self.given, self.mask, self.context = azure, given, given.secrets.masker, CONTEXT
        self.driver = AzureResourceDriver(given, client_context())

    async def check(self, resource_id: str = SITE, **fields: Any) -> Observation:
        given = {"resource_id": resource_id, "endpoint": self.azure.url, **fields}
        seen = await self.driver.check(AzureResourceCheck.model_validate(given), self.context)
        if seen.checkpoint is not None:
            self.context = replace(self.context, checkpoint=json.loads(json.dumps(seen.checkpoint)))
        return seen

    async def failure(self, resource_id: str = SITE, **fields: Any) -> CheckFailed:
        with pytest.raises(CheckFailed) as caught:
            await self.check(resource_id, **fields)
        assert TOKEN not in str(caught.value)
        return caught.value


@asynccontextmanager
async def asking(*allowed: str) -> AsyncIterator[tuple[Arm, Asker]]:
    async with arm() as azure, credential_of(azure) as credential:
        asker = Asker(azure, resources(azure, credential, *allowed))
        try:
            yield azure, asker
        finally:
            await asker.driver.close()


def verdict(seen: Observation) -> tuple[bool, bool]:
    success, failure = conditions(None, None, AzureResourceCheck)
    assert success is not None
    assert failure is not None
    return success.holds(seen.variables), failure.holds(seen.variables)


async def test_a_resource_is_waited_for_from_nothing_to_provisioned() -> None:
    async with asking() as (azure, asker):
        found = [await asker.check()]
        for name in ("Accepted", "creating", "SUCCEEDED"):
            azure.resources[SITE] = state(name)
            found.append(await asker.check())
    assert [seen.status for seen in found] == ["Absent", "Accepted", "creating", "Succeeded"]
    assert [verdict(seen) for seen in found] == [(False, False)] * 3 + [(True, False)]
    assert azure.tokens == [azure.url], "one token, for the endpoint's audience, asked for once"
    assert azure.paths == [PROVIDER, SITE, SITE, SITE, SITE], "its types are asked for once"
    assert {request.query["api-version"] for request in azure.asked[1:]} == {"2024-04-01"}
    assert [request.method for request in azure.asked] == ["GET"] * 5


@pytest.mark.parametrize("name", ["failed", "Canceled"])
async def test_a_resource_that_failed_can_no_longer_succeed(name: str) -> None:
    async with asking() as (azure, asker):
        azure.resources[SITE] = state(name)
        seen = await asker.check(api_version="2022-03-01")
    assert verdict(seen) == (False, True)
    assert azure.paths == [SITE]
    assert azure.asked[0].query["api-version"] == "2022-03-01"


async def test_a_deletion_is_waited_for_though_the_resource_had_failed() -> None:
    async with asking() as (azure, asker):
        azure.resources[SITE] = state("Failed")
        found = [await asker.check(absent=True)]
        azure.resources[SITE] = state("Deleting")
        found.append(await asker.check(absent=True))
        del azure.resources[SITE]
        found.append(await asker.check(absent=True))
    assert [seen.status for seen in found] == ["Failed", "Deleting", "Absent"]
    assert [verdict(seen) for seen in found] == [(False, False), (False, False), (True, False)]


async def test_the_variables_are_the_declared_ones() -> None:
    body = state("Succeeded", tags={"env": "test", "odd": 5})
    async with asking() as (azure, asker):
        azure.resources[SITE] = body
        seen, bare = await asker.check(), await asker.check(f"{SITE}/slots/none", absent=True)
    assert seen.variables == {
        "code": 200,
        "exists": True,
        "absent": False,
        "has_provisioning_state": True,
        "provisioning_state": "Succeeded",
        "changed": False,
        "resource": body,
        "properties": {"provisioningState": "Succeeded"},
        "location": "westeurope",
        "tags": {"env": "test"},
    }
    assert set(seen.variables) == set(AzureResourceCheck.variables)
    assert bare.variables == {
        "code": 404,
        "exists": False,
        "absent": True,
        "has_provisioning_state": False,
        "changed": False,
        "tags": {},
    }


@pytest.mark.parametrize(
    "body", [{}, {"properties": None}, {"properties": {}}, {"properties": []}, state(None), state(""), state(5)]
)
async def test_a_resource_without_a_state_is_there(body: dict[str, Any]) -> None:
    async with asking() as (azure, asker):
        azure.resources[GROUP] = body
        seen = await asker.check(GROUP)
    assert (seen.status, verdict(seen)) == ("Present", (True, False))
    assert ("properties" in seen.variables) == (body.get("properties") is not None)


async def test_a_resource_has_changed_when_its_etag_has_or_without_one_its_content() -> None:
    async with asking() as (azure, asker):
        changed = []
        for body in (
            state("Succeeded", etag="1", seen="today"),
            state("Updating", etag="1", seen="tomorrow"),
            state("Succeeded", etag="2"),
            state("Succeeded", etag="1"),
        ):
            azure.resources[SITE] = body
            changed.append((await asker.check()).variables["changed"])
        assert changed == [False, False, True, False]
        assert set(asker.context.checkpoint or {}) == {"of", "first", "version"}
        azure.resources[GROUP] = {"tags": {"a": "1"}}
        of_another = [(await asker.check(GROUP)).variables["changed"]]
        azure.resources[GROUP] = {"tags": {"a": "2"}}
        of_another.append((await asker.check(GROUP)).variables["changed"])
        del azure.resources[GROUP]
        of_another.append((await asker.check(GROUP)).variables["changed"])
    assert of_another == [False, True, True], "an edited check begins anew; gone is changed, too"


async def test_an_etag_may_be_a_header() -> None:
    async with asking() as (azure, asker):
        bodies = ({"n": 1}, "1"), ({"n": 2}, "1"), ({"n": 2}, "2")
        azure.script(SITE, *(web.json_response(body, headers={"ETag": etag}) for body, etag in bodies))
        assert [(await asker.check()).variables["changed"] for _ in bodies] == [False, False, True]


async def test_created_since_the_first_check_is_changed() -> None:
    async with asking() as (azure, asker):
        await asker.check()
        azure.resources[SITE] = state("Creating")
        assert (await asker.check()).variables["changed"] is True


@pytest.mark.parametrize(
    ("code", "name", "error_class", "words"),
    [
        (400, "BadRequest", ErrorClass.PERMANENT, "change check.resource_id (BadRequest)"),
        (401, "ExpiredAuthenticationToken", ErrorClass.PERMANENT, "of the subscription's tenant"),
        (403, "AuthorizationFailed", ErrorClass.PERMANENT, "the role Reader"),
        (405, "MethodNotAllowed", ErrorClass.PERMANENT, "cannot be read by GET"),
        (409, "Conflict", ErrorClass.TRANSIENT, "at the moment"),
        (429, "TooManyRequests", ErrorClass.TRANSIENT, "asked too often"),
        (500, "InternalServerError", ErrorClass.TRANSIENT, "on its side"),
        (503, "ServerBusy", ErrorClass.TRANSIENT, "on its side"),
        (302, "Moved", ErrorClass.PERMANENT, "change check.endpoint"),
        (404, "SubscriptionNotFound", ErrorClass.MISCONFIGURED, "change the subscription"),
        (404, "InvalidResourceNamespace", ErrorClass.MISCONFIGURED, "change the provider"),
        (404, "InvalidResourceType", ErrorClass.MISCONFIGURED, "change the type"),
        (409, "MissingSubscriptionRegistration", ErrorClass.MISCONFIGURED, "register the provider"),
    ],
)
@pytest.mark.parametrize("absent", [False, True])
async def test_what_says_nothing_of_the_resource_is_an_error_and_never_its_absence(
    code: int, name: str, error_class: ErrorClass, words: str, absent: bool
) -> None:
    async with asking() as (azure, asker):
        azure.script(SITE, problem(code, name, f"It is {TOKEN}", Retry_After="7"))
        failed = await _raised(asker, absent=absent)
        masked = asker.mask(str(failed))
    assert failed.error_class is error_class
    assert words in str(failed)
    assert TOKEN not in masked
    if error_class is not ErrorClass.MISCONFIGURED:
        assert failed.retry_after_seconds == 7


async def _raised(asker: Asker, **fields: Any) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        await asker.check(api_version="2024-04-01", **fields)
    return caught.value


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b"{"])
async def test_an_answer_that_is_no_resource_is_a_transient_error(body: bytes) -> None:
    async with asking() as (azure, asker):
        azure.script(SITE, web.Response(body=body, content_type="application/json"))
        failed = await asker.failure()
    assert (failed.error_class, "holds no resource" in str(failed)) == (ErrorClass.TRANSIENT, True)


async def test_an_unknown_api_version_is_answered_with_those_that_are_known() -> None:
    async with asking() as (azure, asker):
        failed = await asker.failure(api_version="2019-01-01")
    assert failed.error_class is ErrorClass.MISCONFIGURED
    assert str(failed).endswith(
        "NoRegisteredProviderFound: change check.api_version, or the type in check.resource_id; "
        "supported are 2024-11-01-preview, 2024-04-01, 2022-03-01, 2021-04-01, 2021-02-01"
    )
    assert azure.paths == [SITE]


async def test_a_provider_or_a_type_that_does_not_exist_is_named() -> None:
    async with asking() as (_, asker):
        no_provider = await asker.failure(f"{GROUP}/providers/Microsoft.Wob/sites/shop")
        no_type = await asker.failure(f"{GROUP}/providers/Microsoft.Web/sights/shop")
    assert {no_provider.error_class, no_type.error_class} == {ErrorClass.MISCONFIGURED}
    assert "'Microsoft.Wob' is invalid" in str(no_provider)
    assert "the provider Microsoft.Web names no api-version for the type sights" in str(no_type)


async def test_an_identity_that_may_not_read_the_provider_is_told_to_give_the_version() -> None:
    async with asking() as (azure, asker):
        azure.script(
            PROVIDER, problem(403, "AuthorizationFailed", "no"), problem(503, "Busy", "", Retry_After="3")
        )
        first, second = await asker.failure(), await asker.failure()
    assert (first.error_class, second.error_class) == (ErrorClass.PERMANENT, ErrorClass.TRANSIENT)
    assert "give check.api_version" in str(first)
    assert "the role Reader" in str(first)
    assert second.retry_after_seconds == 3


async def test_a_version_that_was_withdrawn_is_found_anew() -> None:
    async with asking() as (azure, asker):
        azure.script(SITE, problem(400, "InvalidApiVersionParameter", "no"), web.json_response(state("Succeeded")))
        assert (await asker.failure()).error_class is ErrorClass.MISCONFIGURED
        assert (await asker.check()).status == "Succeeded"
    assert azure.paths == [PROVIDER, SITE, PROVIDER, SITE]


async def test_a_monitor_stays_with_the_version_it_began_with_on_another_worker_too() -> None:
    async with asking() as (azure, asker):
        await asker.check()
        left = {**(asker.context.checkpoint or {}), "version": "2022-03-01"}
        another = Asker(azure, asker.given)
        another.context = replace(CONTEXT, checkpoint=left)
        azure.resources[SITE] = state("Succeeded")
        assert (await another.check()).variables["changed"] is True
        assert azure.asked[-1].query["api-version"] == "2022-03-01"
        assert azure.paths == [PROVIDER, SITE, SITE]
        await another.check(api_version="2021-02-01")
        assert azure.asked[-1].query["api-version"] == "2021-02-01"
        await another.driver.close()


async def test_the_versions_are_asked_for_once_for_however_many_checks_at_a_time() -> None:
    async with asking() as (azure, asker):
        azure.resources[SITE] = state("Succeeded")
        await asyncio.gather(*(asker.check() for _ in range(10)))
    assert (azure.paths.count(PROVIDER), azure.paths.count(SITE)) == (1, 10)


async def test_a_look_up_that_is_cut_off_holds_up_no_other() -> None:
    versions, hanging = Versions(), asyncio.Event()

    async def hang() -> str:
        hanging.set()
        await asyncio.Event().wait()
        return "never"

    async def find() -> str:
        return "2024-04-01"

    first = asyncio.create_task(versions.get(("a",), hang))
    await hanging.wait()
    assert await versions.get(("b",), find) == "2024-04-01", "of another type"
    second = asyncio.create_task(versions.get(("a",), find))
    first.cancel()
    assert await second == "2024-04-01"


async def test_nothing_is_kept_of_what_was_not_found() -> None:
    async def fail() -> str:
        raise CheckFailed(ErrorClass.TRANSIENT, "not now")

    versions, before = Versions(), locks_alive()
    for number in range(50):
        with pytest.raises(CheckFailed):
            await versions.get((str(number),), fail)
    assert locks_alive() <= before


def locks_alive() -> int:
    gc.collect()
    return sum(isinstance(thing, asyncio.Lock) for thing in gc.get_objects())


async def test_names_are_quoted_on_their_way() -> None:
    odd = f"{GROUP}/providers/Microsoft.Web/sites/Failure Anomalies - (x)+\u00e9"
    async with asking() as (azure, asker):
        azure.resources[odd] = state("Succeeded")
        assert (await asker.check(odd)).status == "Succeeded"
    assert " " not in azure.asked[-1].raw_path


async def test_no_token_goes_where_it_may_not() -> None:
    async with asking() as (azure, asker):
        other = await asker.failure(endpoint="https://127.0.0.1:1")
        given = await asker.failure(auth={"type": "managed_identity", "audience": "https://vault.azure.net"})
    assert {other.error_class, given.error_class} == {ErrorClass.MISCONFIGURED}
    assert "add https://127.0.0.1:1=https://127.0.0.1:1 to MONITOR_ALLOWED_AUDIENCES" in str(other)
    assert "a token for https://vault.azure.net may not be sent" in str(given)
    assert azure.asked == azure.tokens == []


async def test_another_audience_is_asked_for_where_the_check_says_so() -> None:
    audience = "https://management.azure.com"
    async with asking(f"{audience}=https://127.0.0.1:{{port}}") as (azure, asker):
        azure.resources[SITE] = state("Succeeded")
        seen = await asker.check(auth={"type": "managed_identity", "audience": audience})
    assert (seen.status, azure.tokens) == ("Succeeded", [audience])


async def test_an_endpoint_that_may_not_be_reached_is_a_misconfiguration() -> None:
    private = "https://10.0.0.1"
    async with asking(f"{private}={private}") as (_, asker):
        failed = await asker.failure(endpoint=private)
    assert failed.error_class is ErrorClass.MISCONFIGURED
    assert "MONITOR_ALLOWED_TARGETS" in str(failed)


async def test_the_example_runs() -> None:
    example = parse_request({"job_id": "job", **AzureResourceCheck.example}, BUILT_IN)
    assert dict(example.check)["kind"] == "azure_resource"
    async with asking() as (azure, asker):
        azure.resources[str(example.check["resource_id"])] = state("Succeeded")
        seen = await asker.check(**cast("dict[str, Any]", example.check))
    assert verdict(seen) == (True, False)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "168.63.129.16", "100.64.0.1", "[fd00::1]"])
async def test_no_hostile_endpoint_is_reached(host: str) -> None:
    endpoint = f"https://{host}"
    async with arm() as azure, credential_of(azure) as credential:
        given = replace(resources(azure, credential, f"{endpoint}={endpoint}"), guard=TargetGuard())
        asker = Asker(azure, given)
        failed = await asker.failure(endpoint=endpoint)
        await asker.driver.close()
    assert failed.error_class is ErrorClass.MISCONFIGURED
    assert "can never be a target" in str(failed) or "is not a public address" in str(failed)


async def test_a_token_that_is_repeated_leaves_no_trace_but_in_what_is_masked() -> None:
    async with asking() as (azure, asker):
        azure.resources[SITE] = state(TOKEN, etag=TOKEN, id=TOKEN)
        seen = await asker.check()
    assert TOKEN not in json.dumps(asker.context.checkpoint)
    assert TOKEN not in asker.mask(seen.status) + asker.mask(str(seen.summary))


@pytest.mark.parametrize(
    ("types", "wanted", "version"),
    [
        ([("sites", ["2020-01-01", "2023-01-01", "2022-01-01"])], "sites", "2023-01-01"),
        ([("SITES", ["2024-01-01-preview", "2020-01-01"])], "sites", "2020-01-01"),
        ([("sites", ["2023-01-01-preview", "2024-01-01-beta"])], "sites", "2024-01-01-beta"),
        ([("sites", ["2020-01-01"]), ("sites/slots", ["2021-01-01"])], "sites/slots", "2021-01-01"),
        ([("sites", ["2020-01-01"]), ("sites/slots", [])], "sites/slots", "2020-01-01"),
        ([("sites", ["2020-01-01"])], "sites/slots/keys", "2020-01-01"),
        ([("sites", ["2020-01-01", "latest", "9999"])], "sites", "2020-01-01"),
    ],
)
def test_the_newest_version_is_that_of_the_type_or_of_one_above(
    types: list[tuple[str, list[str]]], wanted: str, version: str
) -> None:
    provider = {"resourceTypes": [{"resourceType": name, "apiVersions": versions} for name, versions in types]}
    assert newest(provider, ResourceType("s", "Microsoft.Web", wanted)) == version


@pytest.mark.parametrize(
    "provider",
    [
        None,
        [],
        {},
        {"resourceTypes": None},
        {"resourceTypes": [5, {"resourceType": "sites", "apiVersions": [5, "x"]}]},
    ],
)
def test_a_provider_that_tells_no_version_is_a_misconfiguration(provider: object) -> None:
    with pytest.raises(CheckFailed, match=r"give check\.api_version") as caught:
        newest(provider, ResourceType("s", "Microsoft.Web", "sites"))
    assert caught.value.error_class is ErrorClass.MISCONFIGURED


@pytest.mark.parametrize("name", ["", "Two words", "x" * 65, TOKEN, 5])
def test_only_what_looks_like_a_code_is_shown(name: object) -> None:
    content = json.dumps({"error": {"code": name}}).encode()
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": "application/json"}))
    answer = Answer("GET", URL("https://arm.example/r"), 403, headers, content, 0.01)
    with pytest.raises(CheckFailed) as caught:
        observed(AzureResourceCheck(resource_id=SITE), answer, "2024-04-01", None, NOW)
    assert str(caught.value).endswith("or on its group")
