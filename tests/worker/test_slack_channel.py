"""The kind `slack`: within Slack's limits, calling nobody, the same with and without blocks."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from monitor_core.channels import SlackChannel
from monitor_core.contract import ErrorClass
from monitor_worker.channels import slack
from monitor_worker.channels.base import CheckFailed, Resources
from monitor_worker.channels.messages import MessageChannel
from monitor_worker.channels.slack_message import escaped
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from support.notices import PAGE, attempt, notice, reminder
from support.receiver import Receiver, code, die, receiving

SPEC: Final = SlackChannel(url="https://hooks.example.com/services/x")
NOTHING: Final = "\N{ZERO WIDTH SPACE}"
NASTY: Final = (
    "<!channel> <@U123> <https://evil.example|click> @channel -@here _@all [x](https://evil.example) a&b"
)
HARMLESS: Final = (
    f"&lt;!channel&gt; &lt;@{NOTHING}U123&gt; &lt;https://evil.example|click&gt; "
    f"@{NOTHING}channel -@{NOTHING}here _@{NOTHING}all [x]{NOTHING}(https://evil.example) a&amp;b"
)


def sections(message: dict[str, Any]) -> list[str]:
    """The sections' texts, each seen to be within Slack's rules."""
    header, *blocks = message["blocks"]
    assert header["type"] == "header"
    assert header["text"]["type"] == "plain_text"
    assert 0 < len(header["text"]["text"]) <= 150
    assert len(blocks) < 50
    for block in blocks:
        assert (block["type"], block["text"]["type"], block["text"]["verbatim"]) == ("section", "mrkdwn", True)
        assert 0 < len(block["text"]["text"]) <= 3000
    return [block["text"]["text"] for block in blocks]


def title(message: dict[str, Any]) -> str:
    said: str = message["blocks"][0]["text"]["text"]
    return said


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@asynccontextmanager
async def channel(receiver: Receiver, **secrets: str) -> AsyncIterator[MessageChannel]:
    allowed = Allowed(f"env:{name}={receiver.url('')}" for name in secrets)
    made = slack.create(Resources(TargetGuard([f"127.0.0.1:{receiver.port}"]), Secrets(allowed, secrets)))
    try:
        yield made
    finally:
        await made.close()


async def test_the_example_is_delivered(receiver: Receiver) -> None:
    receiver.plan("/services/T/B/x", then=code(200))
    spec = SlackChannel.model_validate(SlackChannel.example["to"])
    async with channel(receiver, MONITOR_SECRET_SLACK_URL=receiver.url("/services/T/B/x")) as made:
        assert await made.deliver(spec, notice(), attempt()) == "HTTP 200"
    (came,) = receiver.at("/services/T/B/x")
    assert came.headers["content-type"] == "application/json"
    message = json.loads(came.body)
    figures = (
        "*Job:* nightly\n*Observed:* Broken, 200 OK, 20 bytes in 3 ms\n*Waited:* 1 min 10 s, 7 checks\n"
        "*Deadline:* 2026-03-01 12:00:30 UTC\n*team:* ops"
    )
    why = "*ops*: the failure condition holds: observed Broken (poll)"
    assert title(message) == "❌ Failed: nightly"
    assert sections(message) == [why, figures, f"<{PAGE}|Open the monitor>"]
    # Where blocks are unknown.
    assert message["text"] == f"*❌ Failed: nightly*\n{why}\n{figures}\n<{PAGE}|Open the monitor>"


@pytest.mark.parametrize(
    ("status", "mark"),
    [("Completed", "✅"), ("Failed", "❌"), ("Error", "❌"), ("Timeout", "⚠️"), ("Cancelled", "⚠️")],
)
def test_a_mark_says_how_bad_it_is(status: str, mark: str) -> None:
    assert title(slack.laid_out(SPEC, notice(status=status), attempt())) == f"{mark} {status}: nightly"


def test_a_reminder_has_a_mark_of_its_own() -> None:
    assert title(slack.laid_out(SPEC, reminder(), attempt())) == "⏳ Still waiting: nightly"


def test_no_value_calls_anyone_or_becomes_a_link() -> None:
    spec = SPEC.model_copy(update={"text": "<!here> *{{ reason }}* {{ labels.team }}"})
    of = notice(job_id=NASTY, reason=NASTY, observed=NASTY, summary=NASTY, error=NASTY, labels={"team": NASTY})
    message = slack.laid_out(spec, of, attempt())
    texts = [message["text"], *sections(message)]
    for text in texts:
        rest = text.replace(f"<{PAGE}|Open the monitor>", "").replace("<!here>", "")
        assert "<" not in rest
        assert not any(call in rest for call in ("@channel", "@here", "@all", "@U123", "]("))
    assert texts[1] == f"<!here> *{HARMLESS}* {HARMLESS}"  # what the template says itself is left


@pytest.mark.parametrize(
    "plain", ["a@example.com", "user@host:/path", "100 %", "a_b*c~d`e`", "x @ y", "[ok] (fine)", "1 # 2", ":-)"]
)
def test_what_is_harmless_is_left_alone(plain: str) -> None:
    assert escaped(plain) == plain


def test_the_title_is_plain_text_in_the_header() -> None:
    message = slack.laid_out(SPEC, notice(job_id="<!channel> & <b>"), attempt())
    assert title(message) == "❌ Failed: <!channel> & <b>"
    assert message["text"].startswith("*❌ Failed: &lt;!channel&gt; &amp; &lt;b&gt;*\n")


@pytest.mark.parametrize("character", ["x", "&", "\N{COLLISION SYMBOL}"])
def test_the_largest_message_is_within_the_limits(character: str) -> None:
    spec = SPEC.model_copy(update={"title": "{{ reason }}", "text": "{{ reason }}{{ error }}{{ summary }}"})
    long = character * 1200
    labels = {f"{'n' * 61}{number:02}": character * 256 for number in range(32)}
    of = reminder(job_id=character * 128, reason=long, error=long, summary=long, observed=long, labels=labels)
    said = sections(slack.laid_out(spec, of, attempt()))
    assert "*More labels:* on the monitor's page" in said[-2]


def test_a_text_of_nothing_and_no_page_leave_no_empty_section() -> None:
    message = slack.laid_out(SPEC.model_copy(update={"text": "{{ error }}"}), notice(), attempt(page=None))
    (figures,) = sections(message)
    assert figures.startswith("*Job:* nightly\n")
    assert message["text"].startswith("*❌ Failed: nightly*\n*Job:* nightly\n")


async def test_what_the_webhook_answers_is_told_without_its_url(receiver: Receiver) -> None:
    receiver.plan("/services/s3cret", code(404), code(410), die)
    classes = []
    async with channel(receiver, MONITOR_SECRET_SLACK_URL=receiver.url("/services/s3cret")) as made:
        for _ in range(3):
            with pytest.raises(CheckFailed) as failed:
                await made.deliver(SlackChannel(url_secret="env:MONITOR_SECRET_SLACK_URL"), notice(), attempt())
            classes.append(failed.value.error_class)
            assert "s3cret" not in str(failed.value)
    assert classes == [ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.TRANSIENT]
