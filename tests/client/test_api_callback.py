"""Who brings a callback token may end that one run of that one monitor, and do nothing else."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import aiohttp
import grpc
import pytest
from durabletask.client import OrchestrationStatus as Runtime

from monitor_client.api import create_app
from monitor_client.api.access import Anyone, Authenticator, Nobody
from monitor_client.api.entra import Entra, Expected, PublishedKeys
from monitor_client.api.protection import LARGEST_TOLD
from monitor_client.callback import PREFIX, digest_of
from monitor_core.contract import instance_id
from support.closing import connections_closed
from support.fake_scheduler import FakeScheduler, failing, once, request, result, rpc_error, status
from support.serving import serving

HERE = Anyone(frozenset({"127.0.0.1"}))
# Nobody answers there: a callback token is never looked up among Entra's keys.
ENTRA = Entra(PublishedKeys("http://127.0.0.1:9/keys"), Expected(("https://login.example/",), ("api://monitor",)))


class World:
    """A service that has started the monitor `a/b`, whose callback it has given out."""

    def __init__(self, scheduler: FakeScheduler, url: str) -> None:
        self.scheduler, self.url, self.token = scheduler, url, ""

    @property
    def instance(self) -> Any:
        return self.scheduler.instances[instance_id("a/b")]

    async def ask(
        self, path: str, token: str | None, method: str = "POST", **body: Any
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with (
            connections_closed(),
            aiohttp.ClientSession() as http,
            http.request(method, f"{self.url}{path}", json=body or None, headers=headers) as answer,
        ):
            return answer.status, await answer.json(content_type=None), dict(answer.headers)

    async def complete(self, token: str | None, job: str = "a%2Fb", **body: Any) -> tuple[int, dict[str, Any]]:
        return (await self.ask(f"/monitors/{job}/complete", token, **body))[:2]


@pytest.fixture(params=[HERE, ENTRA], ids=["none", "entra"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from served(request.param)


MODES = {"none": HERE, "entra": ENTRA, "closed": Nobody()}


def where(mode: str) -> pytest.MarkDecorator:
    """A test of one mode alone."""
    return pytest.mark.parametrize("world", [MODES[mode]], indirect=True, ids=[mode])


def served(authenticator: Authenticator) -> Iterator[World]:
    scheduler = FakeScheduler()
    app = create_app(scheduler.service(), "http://scheduler", authenticator=authenticator, outcome_seconds=0)
    started = asyncio.run(scheduler.service().start(request("a/b", callback=True)))
    assert started.callback is not None
    with serving(app) as url:
        made = World(scheduler, url)
        made.token = started.callback.token
        yield made


def told(world: World) -> list[dict[str, Any]]:
    return [given["data"] for given in world.scheduler.given("event")]


async def test_the_holder_ends_the_wait_whatever_the_mode(world: World) -> None:
    code, said = await world.complete(world.token, outcome="Failed", reason="disk full")
    assert code == 202, said
    (command,) = told(world)
    run = world.instance.given["run"]
    assert command == {
        "id": said["id"],
        "name": "complete",
        "outcome": "Failed",
        "reason": "disk full",
        "if_run": run,
    }


async def test_the_same_call_again_is_the_same_command_and_is_answered_alike(world: World) -> None:
    first, again = [(await world.complete(world.token))[1]["id"] for _ in range(2)]
    assert first == again
    done = {"id": first, "name": "complete", "at": "2026-01-01T12:00:02Z", "accepted": True, "message": "done"}
    world.instance.runtime = Runtime.COMPLETED
    run = world.instance.given["run"]
    world.instance.shown = status(job_id="a/b", run=run, status="Completed", commands=[done])
    world.instance.output = result(job_id="a/b", run=run)
    assert (await world.complete(world.token)) == (200, done)
    assert (await world.complete(world.token, outcome="Failed"))[0] == 409
    assert len(told(world)) == 2


@pytest.mark.parametrize("token", [PREFIX, f"{PREFIX}{'x' * 43}", f"{PREFIX}{'x' * 5000}"])
async def test_another_token_learns_nothing(world: World, token: str) -> None:
    there = await world.ask("/monitors/a%2Fb/complete", token)
    absent = await world.ask("/monitors/nosuch/complete", token)
    assert (there[0], absent[0]) == (401, 401)
    same = [{name: value for name, value in said.items() if name != "instance"} for _, said, _ in (there, absent)]
    assert same[0] == same[1]
    assert "invalid_token" in there[2]["WWW-Authenticate"]
    assert not told(world)


async def test_it_is_of_one_monitor_and_one_run(world: World) -> None:
    other = await world.scheduler.service().start(request("other", callback=True))
    await world.scheduler.service().start(request("plain"))
    assert other.callback is not None
    assert (await world.complete(world.token, job="other"))[0] == 401
    assert (await world.complete(world.token, job="plain"))[0] == 401
    world.instance.runtime = Runtime.COMPLETED
    world.instance.output = result(job_id="a/b", run=world.instance.given["run"])
    again = await world.scheduler.service().start(request("a/b", callback=True), restart=True)
    assert again.callback is not None
    assert (await world.complete(world.token))[0] == 401
    assert (await world.complete(again.callback.token))[0] == 202


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/monitors/a%2Fb"),
        ("GET", "/monitors"),
        ("GET", "/monitors/a%2Fb/complete"),
        ("DELETE", "/monitors/a%2Fb"),
        ("POST", "/monitors/a%2Fb/cancel"),
        ("POST", "/monitors/a%2Fb/complete/"),
        ("POST", "/monitors/x/../a%2Fb/cancel"),
    ],
)
@where("entra")
async def test_it_opens_nothing_else(world: World, method: str, path: str) -> None:
    code, _, _ = await world.ask(path, world.token, method)
    assert code in {401, 404}, code
    assert not told(world)


@pytest.mark.parametrize("wrong", [{"name": "cancel"}, {"id": "mine"}, {"outcome": "Cancelled"}, {"if_run": "x"}])
async def test_it_tells_an_outcome_and_a_reason_and_nothing_else(world: World, wrong: dict[str, str]) -> None:
    assert (await world.complete(world.token, **wrong))[0] == 400
    assert not told(world)


async def test_a_stranger_cannot_have_much_read(world: World) -> None:
    for token in (world.token, f"{PREFIX}{'x' * 43}"):
        assert (await world.complete(token, reason="x" * LARGEST_TOLD))[0] == 413
    assert not told(world)


async def test_whatever_it_is_sent_with_nothing_logs_it(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [await world.ask("/monitors", world.token), await world.ask("/nothing", world.token)]
    for error in (rpc_error(grpc.StatusCode.UNAVAILABLE, "gone"), ZeroDivisionError("a defect")):
        world.scheduler.before = once(failing(error))
        answers.append(await world.ask("/monitors/a%2Fb/complete", world.token))
    for said in ({"name": "x"}, {"outcome": "x"}, {"other": "x"}, {}):
        answers += [await world.ask("/monitors/a%2Fb/complete", world.token, **said)]
    assert {code for code, _, _ in answers} >= {400, 500, 503, 202}
    written = capfd.readouterr()
    assert "a defect" in caplog.text
    assert world.token not in f"{answers} {caplog.text} {written}"


@where("entra")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Original-URL": "/monitors/a%2Fb/cancel"},
        {"X-Rewrite-URL": "/monitors/a%2Fb/cancel"},
        {"X-Forwarded-Prefix": "/monitors/a%2Fb/cancel"},
        {"X-MS-CLIENT-PRINCIPAL": "eyJjbGFpbXMiOltdfQ=="},
    ],
)
async def test_no_header_makes_it_open_something_else(world: World, headers: dict[str, str]) -> None:
    sent = {"Authorization": f"Bearer {world.token}", **headers}
    for method, path in (("GET", "/monitors/a%2Fb/complete"), ("POST", "/monitors/a%2Fb/cancel")):
        async with aiohttp.ClientSession() as http, http.request(method, world.url + path, headers=sent) as answer:
            assert answer.status == 401
    async with aiohttp.ClientSession() as http, http.post(f"{world.url}/monitors/a%2Fb/complete", headers=sent):
        pass
    assert [command["name"] for command in told(world)] == ["complete"]


@where("closed")
async def test_what_is_closed_stays_closed(world: World) -> None:
    assert (await world.complete(world.token))[0] == 403
    assert not told(world)


@where("entra")
async def test_without_a_token_it_takes_the_role_as_ever(world: World) -> None:
    assert (await world.complete(None))[0] == 401


async def test_a_page_of_another_site_cannot_use_it(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.token}", "Origin": "https://evil.example"}
    async with (
        connections_closed(),
        aiohttp.ClientSession() as http,
        http.post(f"{world.url}/monitors/a%2Fb/complete", headers=headers) as answer,
    ):
        assert answer.status == 403


@where("none")
async def test_only_the_starter_learns_it_and_the_engine_only_its_digest(world: World) -> None:
    assert world.instance.given["callback_digest"] == digest_of(world.token)
    assert world.token not in json.dumps(world.instance.given)
    asked: dict[str, Any] = {"job_id": "a/b", "check": {"kind": "simulated"}, "callback": True}
    code, attached, _ = await world.ask("/monitors", None, **asked)
    assert (code, attached["how"], attached["callback"]) == (202, "attached", None)
    assert "nobody keeps it" in attached["note"]
    code, started, _ = await world.ask("/monitors", None, **{**asked, "job_id": "new"})
    assert code == 202
    assert started["callback"]["url"] == f"{world.url}/monitors/new/complete"
    assert started["callback"]["token"].startswith(PREFIX)
    code, batch, _ = await world.ask("/monitors:batch", None, requests=[{**asked, "job_id": "in a batch"}])
    (item,) = batch["results"]
    assert item["started"]["callback"]["url"] == f"{world.url}/monitors/in%20a%20batch/complete"
