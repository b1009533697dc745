"""What docs/notifications.md shows of the channels that people read is so."""

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from monitor_core.channels.template_rules import FILTERS
from monitor_core.channels.templates import LONGEST_TEMPLATE, Template
from monitor_worker.channels.wording import LONGEST_TEXT, LONGEST_TITLE, told
from monitor_worker.checks.origins import Allowed, Origin
from support.notices import attempt, notice

PAGE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
TEXTS = PAGE.partition("\n### Texts for people\n")[2].partition("\n### ")[0]


def block(section: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


def test_the_template_of_the_page_says_what_the_page_says() -> None:
    template = TypeAdapter[str](Template).validate_python(block(TEXTS, "jinja"))
    assert told(notice(), attempt(), "", template).text == block(TEXTS, "text").strip()


def test_the_page_names_every_filter_and_the_limits() -> None:
    listed = TEXTS.partition("and the filters ")[2].partition(". There is nothing else")[0]
    assert re.findall(r"`(\w+)`", listed) == sorted(FILTERS)
    for limit in (
        f"{LONGEST_TEMPLATE:,} characters",
        f"{LONGEST_TEXT:,} characters",
        f"titles at {LONGEST_TITLE}",
    ):
        assert limit in TEXTS


@pytest.mark.parametrize(
    ("kind", "origin"),
    [
        ("slack", "https://hooks.slack.com"),
        ("smtp", "smtp://smtp.azurecomm.net:587"),
        ("teams", "https://prod-00.westeurope.logic.azure.com"),
    ],
)
def test_the_settings_of_the_page_let_the_secret_go_there(kind: str, origin: str) -> None:
    settings = block(PAGE.partition(f"\n### {kind}\n")[2], "sh")
    values = dict(re.findall(r"export (\w+)='(.*)'", settings))
    (name,) = values.keys() - {"MONITOR_ALLOWED_SECRETS"}
    assert Allowed([values["MONITOR_ALLOWED_SECRETS"]]).permits(f"env:{name}", Origin.parse(origin))
