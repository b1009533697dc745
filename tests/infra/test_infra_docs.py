"""What docs/deploy.md says in numbers and names, held against what they are taken from."""

import re

import pytest

from infra.permissions import GRANTED
from infra.sources import read
from monitor_core.contract import parse_request
from monitor_core.kinds import BUILT_IN
from support.virtual import Answer, VirtualEngine

PAGE = read()["docs/deploy.md"]
HOURS = 2
SECONDS = {"s": 1, "min": 60}
WHO = {"worker": "workerPrincipalId", "client-scheduler": "clientPrincipalId"}
WHO["whoever ran `azd up`"] = "developerPrincipalId"
WHERE = {"the task hub": "hub", "the registry": "registry", "Application Insights": "applicationInsights"}


def rows(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, without its head."""
    table = PAGE.split(f"{heading}\n", 1)[1].split("|---", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]


def actions_an_hour(interval: float, turn_seconds: float | str) -> float:
    """Two messages for a turn and one for a timer, of a monitor that sees no change."""
    polling = {"interval_seconds": interval, "turn_seconds": turn_seconds}
    document = {"job_id": "j", "check": {"kind": "simulated"}, "polling": polling, "timeout_seconds": HOURS * 3600}
    engine = VirtualEngine(parse_request(document, BUILT_IN), lambda _number, _seconds: Answer())
    engine.run()
    return (2 * len(engine.turns) + engine.timers_created) / HOURS


@pytest.mark.parametrize("row", rows("### Actions"), ids=lambda row: row[0])
def test_the_actions_are_those_of_the_orchestrator(row: list[str]) -> None:
    number, unit = row[0].split()
    turns: tuple[float | str, ...] = ("auto", 60)
    for said, turn_seconds in zip(row[1:], turns, strict=True):
        expected = actions_an_hour(float(number) * SECONDS[unit], turn_seconds)
        assert float(said.replace(",", "")) == pytest.approx(expected, rel=0.05, abs=1)


def test_the_permissions_are_those_granted() -> None:
    said = {
        (WHO[who], role, WHERE[where])
        for everyone, role, where in rows("### Who may do what")
        for who in re.split(r", ", everyone)
    }
    assert said == GRANTED
