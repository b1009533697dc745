"""The generated pages: they say what the code says, whatever kinds there will be; every kind's example is real."""

from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from monitor_core.channels import BUILT_IN as CHANNELS
from monitor_core.channels import ChannelSpec
from monitor_core.conditions import check_conditions
from monitor_core.contract import parse_request
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import CheckSpec, Variable
from reference import PAGES
from reference.checks import checks_page
from reference.markdown import prose
from reference.notifications import notifications_page

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


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_channel_s_example_is_taken_and_its_tests_run_it(kind: str) -> None:
    spec = CHANNELS[kind]
    assert spec.model_fields["kind"].default == kind == spec.example["to"]["kind"]
    spec.model_validate(spec.example["to"])
    tests = [path.read_text() for path in (ROOT / "tests" / "worker").glob(f"test_{kind}*.py")]
    assert any(".example" in text for text in tests), f"tests/worker/test_{kind}*.py should run the kind's example"


@pytest.mark.parametrize("kind", [*BUILT_IN, *CHANNELS])
def test_every_field_says_what_it_means(kind: str) -> None:
    schema = {**BUILT_IN, **CHANNELS}[kind].model_json_schema()
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


class Pipe(BaseModel):
    """A pipe."""

    width: int = Field(description="Of it.")


class BellChannel(ChannelSpec):
    """A bell."""

    example = MappingProxyType({"to": {"kind": "bell", "pipe": {"width": 1}}, "verdicts": ["Failed"]})

    kind: Literal["bell"] = "bell"
    pipe: Pipe = Field(description="What it hangs on.")


PLACES = "".join(
    f"# {name}\n<!-- {name}: from the code, by `make reference` -->\nstale text\n<!-- /{name} -->\nkept\n"
    for name in ("notice", "templates", "bell")
)


def test_what_the_code_says_of_a_channel_is_put_in_its_place() -> None:
    page = notifications_page(PLACES, {"bell": BellChannel})
    for line in (
        "```yaml\non_verdict:\n- to:\n    kind: bell\n    pipe:\n      width: 1\n  verdicts:\n  - Failed\n```",
        "| `pipe` | [Pipe](#pipe-of-bell) | required | What it hangs on. |",
        "#### Pipe of bell\n\nA pipe.\n\n",
        "| `occasion` | `verdict`, `transition`, `reminder` | Why it is told. |",
        "| `kind` | text | Of check. |",
        "| `headline` | The verdict and the job in a line, or what else is told. |",
    ):
        assert line in page
    assert page.count("kept") == 3
    assert "stale text" not in page
    assert notifications_page(page, {"bell": BellChannel}) == page


@pytest.mark.parametrize("missing", ["<!-- /bell -->", "<!-- bell: from the code, by `make reference` -->"])
def test_a_channel_without_a_place_is_an_error(missing: str) -> None:
    with pytest.raises(LookupError, match="no place for bell"):
        notifications_page(PLACES.replace(missing, ""), {"bell": BellChannel})


def test_what_channels_share_with_checks_is_described_there() -> None:
    links = {part.partition(")")[0] for part in notifications_page().split("](checks.md#")[1:]}
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in checks_page().splitlines()}
    assert links
    assert links <= headings
