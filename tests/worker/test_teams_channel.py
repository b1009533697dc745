"""The kind `teams`: the card is one that Teams takes, and says what it should, to a real receiver."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Final, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from monitor_core.channels import TeamsChannel
from monitor_core.contract import ErrorClass, Notice
from monitor_worker.channels import teams
from monitor_worker.channels.base import CheckFailed, Resources
from monitor_worker.channels.messages import MessageChannel
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from support.notices import PAGE, attempt, notice, reminder, transition
from support.receiver import Receiver, code, receiving

LARGEST: Final = 28 * 1024
"""Bytes that Teams takes."""
URL: Final = "env:MONITOR_SECRET_TEAMS_URL"
SPEC: Final = TeamsChannel(url="https://teams.example.com/workflow")

# From the documentation of Adaptive Cards 1.2, for the elements that are used; and Teams' rule that a card in a
# message is an attachment of this content type.


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TextRun(Part):
    type: Literal["TextRun"]
    text: str = Field(min_length=1)
    size: Literal["small", "default", "medium", "large", "extraLarge"] = "default"
    weight: Literal["lighter", "default", "bolder"] = "default"
    color: Literal["default", "dark", "light", "accent", "good", "warning", "attention"] = "default"
    isSubtle: bool = False  # noqa: N815 # the card's names


class RichTextBlock(Part):
    type: Literal["RichTextBlock"]
    inlines: list[TextRun] = Field(min_length=1)
    separator: bool = False
    spacing: Literal["none", "small", "default", "medium", "large", "extraLarge", "padding"] = "default"


class Container(Part):
    type: Literal["Container"]
    style: Literal["default", "emphasis", "good", "attention", "warning", "accent"] = "default"
    bleed: bool = False
    items: list[RichTextBlock] = Field(min_length=1)


class OpenUrl(Part):
    type: Literal["Action.OpenUrl"]
    title: str
    url: str = Field(pattern="^https?://")


class Card(Part):
    at: Literal["http://adaptivecards.io/schemas/adaptive-card.json"] = Field(alias="$schema")
    type: Literal["AdaptiveCard"]
    version: Literal["1.2", "1.3", "1.4", "1.5"]
    fallbackText: str  # noqa: N815
    body: list[Annotated[RichTextBlock | Container, Field(discriminator="type")]] = Field(min_length=1)
    actions: list[OpenUrl] = []
    msteams: dict[Literal["width"], Literal["Full"]]


class Attachment(Part):
    contentType: Literal["application/vnd.microsoft.card.adaptive"]  # noqa: N815
    contentUrl: None  # noqa: N815
    content: Card


class Message(Part):
    type: Literal["message"]
    attachments: list[Attachment] = Field(min_length=1, max_length=1)

    @property
    def card(self) -> Card:
        return self.attachments[0].content

    @property
    def lines(self) -> list[str]:
        """What a reader sees, block by block."""
        parts = [part.items if isinstance(part, Container) else [part] for part in self.card.body]
        return ["".join(run.text for run in block.inlines) for blocks in parts for block in blocks]


def laid_out(of: Notice, spec: TeamsChannel = SPEC, page: str | None = PAGE) -> Message:
    return Message.model_validate(teams.laid_out(spec, of, attempt(page=page)))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@asynccontextmanager
async def channel(receiver: Receiver, **secrets: str) -> AsyncIterator[MessageChannel]:
    allowed = Allowed(f"env:{name}={receiver.url('')}" for name in secrets)
    made = teams.create(Resources(TargetGuard([f"127.0.0.1:{receiver.port}"]), Secrets(allowed, secrets)))
    try:
        yield made
    finally:
        await made.close()


async def test_the_example_is_delivered(receiver: Receiver) -> None:
    receiver.plan("/workflows/abc", then=code(202))
    spec = TeamsChannel.model_validate(TeamsChannel.example["to"])
    url = receiver.url("/workflows/abc?sig=s1gn4ture")
    async with channel(receiver, MONITOR_SECRET_TEAMS_URL=url) as made:
        assert await made.deliver(spec, notice(), attempt()) == "HTTP 202"
    (came,) = receiver.at("/workflows/abc")
    assert came.path == "/workflows/abc?sig=s1gn4ture"
    assert came.headers["content-type"] == "application/json"
    message = Message.model_validate_json(came.body)
    assert message.lines == [
        "Failed: nightly",
        "the failure condition holds: observed Broken (poll)",
        "Job: nightly",
        "Observed: Broken, 200 OK, 20 bytes in 3 ms",
        "Waited: 1 min 10 s, 7 checks",
        "Deadline: 2026-03-01 12:00:30 UTC",
        "team: ops",
    ]
    assert message.card.actions == [OpenUrl(type="Action.OpenUrl", title="Open the monitor", url=PAGE)]


@pytest.mark.parametrize(
    ("of", "colour"),
    [
        (notice(status="Completed"), "good"),
        (notice(status="Failed"), "attention"),
        (notice(status="Error"), "attention"),
        (notice(status="Timeout"), "warning"),
        (notice(status="Cancelled"), "warning"),
        (transition(), "accent"),
        (reminder(), "accent"),
    ],
)
def test_the_title_has_the_verdict_s_colour(of: Notice, colour: str) -> None:
    title = laid_out(of).card.body[0]
    assert isinstance(title, Container)
    assert (title.style, title.items[0].inlines[0].color) == (colour, colour)


def test_without_a_page_there_is_no_button() -> None:
    assert laid_out(notice(), page=None).card.actions == []


def test_the_text_is_the_template_s_line_by_line_and_may_be_empty() -> None:
    def said(text: str) -> list[str]:
        return laid_out(notice(), SPEC.model_copy(update={"text": text})).lines

    assert said("{{ labels.team }}:\n\n**{{ reason }}**")[1:4] == [
        "ops:",
        "**the failure condition holds: observed Broken (poll)**",
        "Job: nightly",
    ]
    assert said("{{ error }}")[1] == "Job: nightly"


@pytest.mark.parametrize(
    "character", ["x", "<", '"', "\\", "é", "\N{COLLISION SYMBOL}", "\N{REPLACEMENT CHARACTER}"]
)
def test_the_largest_card_is_not_too_large(character: str) -> None:
    spec = TeamsChannel(
        url="https://x.example.com", title="{{ reason }}", text="{{ reason }}{{ error }}{{ summary }}"
    )
    long = character * 1200
    of = reminder(
        job_id=character * 100, reason=long, error=long, summary=long, observed=character * 100,
        labels={f"{'n' * 61}{number:02}": character * 256 for number in range(32)},
    )  # fmt: skip
    message = teams.laid_out(spec, of, attempt())
    Message.model_validate(message)
    assert len(json.dumps(message, ensure_ascii=False).encode()) < LARGEST


def test_what_a_target_answers_is_in_no_element_that_is_read_as_markdown() -> None:
    # A run of a RichTextBlock is not; and Message knows no other element that has a text.
    link = "[Log in](https://evil.example)"
    assert f"Observed: Broken, {link}" in laid_out(notice(summary=link)).lines


async def test_what_the_workflow_answers_is_told_without_its_url(receiver: Receiver) -> None:
    receiver.plan("/p4th", code(429, retry_after=7), code(400), code(410))
    spec = TeamsChannel(url_secret=URL)
    seen = []
    async with channel(receiver, MONITOR_SECRET_TEAMS_URL=receiver.url("/p4th?sig=s1gn4ture")) as made:
        for _ in range(3):
            with pytest.raises(CheckFailed) as failed:
                await made.deliver(spec, notice(), attempt())
            seen.append((failed.value.error_class, failed.value.retry_after_seconds))
            assert "p4th" not in str(failed.value)
            assert "s1gn4ture" not in str(failed.value)
    assert seen == [(ErrorClass.TRANSIENT, 7), (ErrorClass.TRANSIENT, None), (ErrorClass.PERMANENT, None)]


async def test_a_url_that_is_a_secret_goes_to_its_own_origin_alone(receiver: Receiver) -> None:
    elsewhere = f"http://localhost:{receiver.port}/p4th?sig=s1gn4ture"
    async with channel(receiver, MONITOR_SECRET_TEAMS_URL=elsewhere) as made:
        with pytest.raises(CheckFailed, match="may not be sent to http://localhost") as failed:
            await made.deliver(TeamsChannel(url_secret=URL), notice(), attempt())
    assert failed.value.error_class is ErrorClass.MISCONFIGURED
    assert "s1gn4ture" not in str(failed.value)
    assert not receiver.at("/p4th")
