"""The generated pages: they say what the code says, whatever kinds there will be; every kind's example is real."""

from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from monitor_core.conditions import check_conditions
from monitor_core.contract import parse_request
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import CheckSpec, Variable
from reference import PAGES
from reference.checks import checks_page
from reference.markdown import prose

ROOT = Path(__file__).parents[2]
whole = pytest.mark.parametrize("kind", sorted(BUILT_IN))


@pytest.mark.parametrize("path", PAGES)
def test_a_generated_page_is_what_the_code_says(path: str) -> None:
    assert (ROOT / path).read_text() == PAGES[path](), f"{path} is not up to date: run `make reference`"


@whole
def test_a_kind_s_example_is_a_request_whose_conditions_compile(kind: str) -> None:
    spec = BUILT_IN[kind]
    assert spec.example["check"]["kind"] == kind
    assert "job_id" not in spec.example
    check_conditions(parse_request({"job_id": "example", **spec.example}, BUILT_IN), BUILT_IN)


@whole
def test_a_kind_s_tests_run_its_example(kind: str) -> None:
    tests = [path.read_text() for path in (ROOT / "tests" / "worker").glob(f"test_{kind}*.py")]
    assert any(".example" in text for text in tests), f"tests/worker/test_{kind}*.py should run the kind's example"


@whole
def test_every_field_says_what_it_means(kind: str) -> None:
    schema = BUILT_IN[kind].model_json_schema()
    silent = [
        f"{place}.{name}"
        for place, part in {kind: schema, **schema.get("$defs", {})}.items()
        for name, field in part.get("properties", {}).items()
        if "description" not in field and "const" not in field
    ]
    assert silent == []


class Sun(BaseModel):
    """It shines."""

    type: Literal["sun"]
    hours: float = Field(gt=0, lt=24, description="A day.")


class Rain(BaseModel):
    """It pours."""

    type: Literal["rain"]


class Place(BaseModel):
    """Somewhere."""

    name: Annotated[str, Field(min_length=1, pattern="^[a-z|]+$")] = Field(description="In <lower> case.")


class WeatherCheck(CheckSpec):
    """Asks the sky.

    Once per check.
    """

    variables = MappingProxyType({"sunny": Variable("bool", "Whether a*b > c | d.")})
    natural_success = "sunny"
    needs = "sky-client"
    example = MappingProxyType({"check": MappingProxyType({"kind": "weather", "places": ({"name": "a"},)})})

    kind: Literal["weather"] = "weather"
    wanted: Sun | Rain | None = Field(None, discriminator="type", description="What for.")
    places: list[Place] = Field(max_length=3)
    notes: dict[str, Any] = Field({}, description="For people.")
    share: float = Field(0.5, ge=0, description="Of all.")
    tries: int = Field(3, le=9, description="At most.")


class TideCheck(CheckSpec):
    """Asks the sea."""

    variables = MappingProxyType({})

    kind: Literal["tide"] = "tide"
    place: Place = Field(description="Where.")


def test_a_kind_that_comes_later_is_shown_with_its_parts_and_what_it_needs() -> None:
    page = checks_page({"weather": WeatherCheck, "tide": TideCheck})
    for line in (
        "Asks the sky.\n\nOnce per check.",
        "Its driver needs the package `sky-client`, which the worker's image has.",
        "| `wanted` | [Sun](#sun-of-weather), or [Rain](#rain-of-weather) | none | What for. |",
        "| `places` | list of: [Place](#place), at most 3 | required |  |",
        "| `notes` | names, each with: any JSON | none | For people. |",
        "| `share` | number, at least 0 | `0.5` | Of all. |",
        "| `tries` | whole number, at most 9 | `3` | At most. |",
        "### Sun of weather\n\nIt shines.",
        "| `type` | `sun` | required |  |",
        "| `hours` | number, more than 0, less than 24 | required | A day. |",
        "| `sunny` | bool | Whether a\\*b > c \\| d. |",
        "Without `success_when` and `failure_when` it ends as\n\n- `Completed` when `sunny`\n\n",
        "There is no natural condition: give `success_when` or `failure_when`.",
        "## Parts of several kinds\n\n### Place\n\nSomewhere.",
        "| `name` | text, not empty, `^[a-z\\|]+$` | required | In \\<lower> case. |",
        "```yaml\ncheck:\n  kind: weather\n  places:\n  - name: a\n```",
    ):
        assert line in page
    assert page.index("## tide") < page.index("## weather") < page.index("## Parts of several kinds")
    assert page.count("### Place") == 1


def test_every_link_within_a_page_leads_to_a_heading() -> None:
    page = checks_page({**BUILT_IN, "weather": WeatherCheck, "tide": TideCheck})
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in page.splitlines() if line.startswith("#")}
    links = [part.partition(")")[0] for part in page.split("](#")[1:]]
    assert links
    assert set(links) <= headings


def test_what_stands_in_code_is_left_alone() -> None:
    assert prose("a * b, `c * <d>` and <e>") == "a \\* b, `c * <d>` and \\<e>"
