"""What the pages on deploying and operating say in numbers and names, held against what they are taken from."""

import re

import pytest

from infra.alerts import severities
from infra.permissions import GRANTED
from infra.sources import given, read, variables
from infra.telemetry_names import METRICS
from infra.template import parse
from monitor_core.contract import parse_request
from monitor_core.contract.turn import TurnEnd
from monitor_core.kinds import BUILT_IN
from support.virtual import Answer, VirtualEngine

SOURCES = read()
DEPLOY, OPERATE = "docs/deploy.md", "docs/operate.md"
HOURS = 2
SECONDS = {"s": 1, "min": 60}
WHO = {"worker": "workerPrincipalId", "client-scheduler": "clientPrincipalId"}
WHO["whoever ran `azd up`"] = "developerPrincipalId"
WHERE = {"the task hub": "hub", "the registry": "registry", "Application Insights": "applicationInsights"}


def rows(heading: str, page: str = DEPLOY) -> list[list[str]]:
    """The rows of the first table under a heading, without its head."""
    table = SOURCES[page].split(f"{heading}\n", 1)[1].split("|---", 1)[1].split("\n\n", 1)[0]
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


def test_the_metrics_are_those_that_queries_may_ask_for() -> None:
    said = {row[0].strip("`"): set(re.findall(r"`([^`]+)`", row[2])) for row in rows("## Metrics", OPERATE)}
    assert said == METRICS


def test_the_ends_of_turns_are_those_of_the_contract() -> None:
    said = SOURCES[OPERATE].split("### Turns\n", 1)[1].split("```", 1)[0]
    assert set(re.findall(r"`(\w+)`", said)) == set(TurnEnd)


def test_the_alerts_are_those_made_with_their_severities() -> None:
    said = {row[0].strip("`"): row[3] for row in rows("## Alerts", OPERATE)}
    assert said == severities(SOURCES)


@pytest.mark.parametrize("row", rows("## Alerts", OPERATE), ids=lambda row: row[0])
def test_the_thresholds_are_those_set(row: list[str]) -> None:
    defaults = variables([*given(SOURCES, "main").values(), *given(SOURCES, "worker").values()])
    for name, default in re.findall(r"`(MONITOR_\w+)`(?:, (\d+))?", row[2]):
        assert defaults[name] == default


def test_the_defaults_of_settings_are_those_set() -> None:
    defaults = variables([*given(SOURCES, "main").values(), *given(SOURCES, "client-scheduler").values()])
    said = {row[0].strip("`"): row[1].strip("`") for row in rows("## Settings")}
    assert {name: said[name] for name in defaults.keys() & said.keys()} == {
        name: default for name, default in defaults.items() if name.startswith("MONITOR_")
    }


def test_the_limit_of_actions_is_that_of_the_sku() -> None:
    [(consumption, dedicated)] = [row[1:] for row in rows("### Which SKU") if row[0] == "Limit"]
    a_unit, units = (int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", dedicated))
    limit = parse(SOURCES["infra/main.bicep"]).variables["actionLimit"]
    assert limit == f"isProduction ? {a_unit * units} : {consumption.split()[0]}"


def test_links_within_the_pages_lead_somewhere() -> None:
    for page in (DEPLOY, OPERATE):
        for file, anchor in re.findall(r"\]\(((?:deploy|operate)\.md)?#([\w-]+)\)", SOURCES[page]):
            assert anchor in anchors(f"docs/{file}" if file else page), (page, file, anchor)


def anchors(page: str) -> set[str]:
    """The headings as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", SOURCES[page], re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
