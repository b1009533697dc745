"""Commands over HTTP: done, refused, not answered in time; and what is none."""

from collections.abc import Iterator
from typing import Any

import pytest

from monitor_client.api import create_app
from monitor_client.api.control import ACTIONS
from monitor_core.contract.command import COMMANDS
from support.asking import ask
from support.fake_scheduler import FakeScheduler, Instance, request, status
from support.lively_scheduler import end, outcome
from support.serving import serving

GIVEN: dict[str, dict[str, Any]] = {"extend": {"seconds": 60}, "edit": {"interval_seconds": 9}}


class Heard(FakeScheduler):
    """Its monitors answer commands once each, as the test says."""

    accepts: bool | None = True

    async def raise_orchestration_event(self, instance_id: str, event_name: str, *, data: Any = None) -> None:
        await super().raise_orchestration_event(instance_id, event_name, data=data)
        monitor = self.instances[instance_id]
        said = list((monitor.shown or {})["commands"])
        if self.accepts is not None and data["id"] not in [one["id"] for one in said]:
            said.append({**outcome(data), "accepted": self.accepts, "message": f"said to {data['name']}"})
        monitor.shown = {**(monitor.shown or {}), "commands": said}


@pytest.fixture
def scheduler() -> Heard:
    heard = Heard()
    heard.put(request(), "run-1", Instance(shown=status()))
    return heard


@pytest.fixture
def base(scheduler: Heard) -> Iterator[str]:
    app = create_app(scheduler.service(), "http://scheduler", requests_per_second=10_000, outcome_seconds=0.3)
    with serving(app) as url:
        yield f"{url}/monitors/job-1"


def test_there_is_an_action_for_every_command() -> None:
    assert set(ACTIONS.values()) == set(COMMANDS)


@pytest.mark.parametrize("action", ACTIONS)
async def test_what_became_of_a_command_is_the_answer(base: str, scheduler: Heard, action: str) -> None:
    told = await ask("POST", f"{base}/{action}", {"id": "c-1", **GIVEN.get(action, {})})
    assert (told.status, told.json["accepted"], told.json["id"]) == (200, True, "c-1")
    (event,) = scheduler.given("event")
    assert event["data"]["name"] == ACTIONS[action]


async def test_a_command_without_a_body_has_an_id_of_its_own(base: str) -> None:
    first, second = await ask("POST", f"{base}/check-now"), await ask("POST", f"{base}/check-now")
    assert first.json["id"] != second.json["id"]


async def test_a_command_that_is_refused_says_why(base: str, scheduler: Heard) -> None:
    scheduler.accepts = False
    refused = await ask("POST", f"{base}/resume")
    assert (refused.status, refused.problem["detail"]) == (409, "said to resume")


async def test_one_that_nobody_has_answered_says_where_to_look(base: str, scheduler: Heard) -> None:
    scheduler.accepts = None
    sent = await ask("POST", f"{base}/pause", {"id": "c-1"})
    assert (sent.status, sent.json) == (202, {"id": "c-1", "name": "pause"})
    assert (sent.headers["Location"], sent.headers["Retry-After"]) == (base, "1")
    scheduler.accepts = True
    again = await ask("POST", f"{base}/pause", {"id": "c-1"})
    assert (again.status, again.json["id"]) == (200, "c-1")
    seen = (await ask("GET", sent.headers["Location"])).json["status"]["commands"]
    assert [one["id"] for one in seen] == ["c-1"]


@pytest.mark.parametrize(
    ("action", "given", "says"),
    [
        ("cancel", {"why": 1}, "why: is not a known field"),
        ("cancel", {"name": "pause"}, "the path says it"),
        ("cancel", {"id": ""}, "id: "),
        ("cancel", {"reason": "x" * 201}, "reason: "),
        ("extend", {}, "seconds: is required"),
        ("extend", None, "seconds: is required"),
        ("extend", {"seconds": 0}, "seconds: "),
        ("extend", {"seconds": "60"}, "seconds: "),
        ("edit", {}, "should change at least one"),
        ("edit", {"success_when": "statu == 'x'"}, "success_when: column 1"),
        ("edit", {"success_when": "1 + 1"}, "success_when: "),
        ("complete", {"outcome": "Timeout"}, "outcome: "),
    ],
)
async def test_what_is_no_command_is_not_sent(
    base: str, scheduler: Heard, action: str, given: dict[str, Any] | None, says: str
) -> None:
    refused = await ask("POST", f"{base}/{action}", given)
    assert (refused.status, says in refused.problem["detail"]) == (400, True), refused.text
    assert "event" not in scheduler.names()


async def test_an_ended_monitor_takes_none_and_no_monitor_neither(base: str, scheduler: Heard) -> None:
    end(scheduler.instances["monitor-job-1"])
    assert (await ask("POST", f"{base}/cancel")).problem["type"] == "urn:durable-monitor:AlreadyEnded"
    assert (await ask("POST", base.replace("job-1", "job-2") + "/cancel")).problem["status"] == 404
