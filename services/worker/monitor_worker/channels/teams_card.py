"""An Adaptive Card that Teams takes, in the message that its workflows take.

Every text is a run of a RichTextBlock, since those alone are not read as Markdown: what a target answers could
otherwise put a link of its own into the card, and Teams' clients do not agree on how to escape one. A card is at
most 28 KB, which the limits in wording.py see to.
"""

from collections.abc import Iterator
from typing import Any, Final

from monitor_worker.channels.wording import Fact, Told, Tone

CONTENT_TYPE: Final = "application/vnd.microsoft.card.adaptive"
VERSION: Final = "1.2"
"""Of Adaptive Cards: the first that has all that is used here."""
_STYLES: Final = {Tone.GOOD: "good", Tone.BAD: "attention", Tone.DOUBTFUL: "warning", Tone.PLAIN: "accent"}

Json = dict[str, Any]


def message(told: Told) -> Json:
    """What is posted to the workflow."""
    attachment = {
        "contentType": CONTENT_TYPE,
        "contentUrl": None,
        "content": card(told),
    }
    return {"type": "message", "attachments": [attachment]}


def card(told: Told) -> Json:
    """The card itself."""
    said: Json = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "fallbackText": told.title,
        "body": [_title(told), *_text(told.text), *_facts(told.facts)],
        "msteams": {"width": "Full"},
    }
    if told.page:
        said["actions"] = [{"type": "Action.OpenUrl", "title": "Open the monitor", "url": told.page}]
    return said


def _title(told: Told) -> Json:
    style = _STYLES[told.tone]
    run = _run(told.title, size="large", weight="bolder", color=style)
    return {"type": "Container", "style": style, "bleed": True, "items": [_block(run)]}


def _text(text: str) -> Iterator[Json]:
    for line in text.splitlines():
        if line.strip():
            yield _block(_run(line))


def _facts(facts: tuple[Fact, ...]) -> Iterator[Json]:
    for number, fact in enumerate(facts):
        block = _block(_run(f"{fact.name}: ", isSubtle=True), _run(fact.value))
        yield block | ({"separator": True, "spacing": "medium"} if number == 0 else {"spacing": "small"})


def _block(*runs: Json) -> Json:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **looks: Any) -> Json:
    return {"type": "TextRun", "text": text, **looks}
