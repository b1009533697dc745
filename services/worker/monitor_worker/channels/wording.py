"""A notice in a person's words: what every channel that people read says, and what templates may name.

It is read on a phone at night, so it begins with what happened and to which job, then why, then the figures.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, NamedTuple

from monitor_core.channels.templates import CUT, Escape, RenderError, render
from monitor_core.contract import DecidedBy, ErrorClass, Notice, Occasion, Verdict
from monitor_core.words import clean, count, duration
from monitor_worker.channels.base import CheckFailed, DeliveryContext

LONGEST_TITLE: Final = 140
LONGEST_TEXT: Final = 3000
_LONGEST_VALUE: Final = 300
_LONGEST_LABEL: Final = 100
_EMPTY: Final = "(empty)"
_MOST_OF_LABELS: Final = 2000
_WHO: Final = {DecidedBy.PUSH: "a push from outside", DecidedBy.OPERATOR: "an operator"}


class Tone(Enum):
    """How bad it is, for the colour."""

    GOOD = "good"
    BAD = "bad"
    DOUBTFUL = "doubtful"
    PLAIN = "plain"


_TONES: Final = {
    Verdict.COMPLETED: Tone.GOOD,
    Verdict.FAILED: Tone.BAD,
    Verdict.ERROR: Tone.BAD,
    Verdict.TIMEOUT: Tone.DOUBTFUL,
    Verdict.CANCELLED: Tone.DOUBTFUL,
}
MARKS: Final = {
    Tone.GOOD: "\N{WHITE HEAVY CHECK MARK}",
    Tone.BAD: "\N{CROSS MARK}",
    Tone.DOUBTFUL: "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}",
    Tone.PLAIN: "\N{HOURGLASS WITH FLOWING SAND}",
}
"""For channels that have no colours, or are read by people who do not see them."""


class Fact(NamedTuple):
    """One figure: what it is, and how it is."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Told:
    """A notice, ready to be laid out. The values in its text are escaped as the channel asked, nothing else is."""

    title: str
    text: str
    facts: tuple[Fact, ...]
    tone: Tone
    page: str | None


def told(notice: Notice, context: DeliveryContext, title: str, text: str, escape: Escape = str) -> Told:
    """What a channel tells.

    Args:
        notice: of what.
        context: says where the monitor runs, and has its page.
        title: a template, of plain text; where nothing comes of it, the headline stands there.
        text: a template.
        escape: makes the values in the text harmless.

    Raises:
        CheckFailed: a template cannot be rendered.
    """
    values = variables(notice, context)
    try:
        short = render(title, values, longest=LONGEST_TITLE, one_line=True)
        short = short or render("{{ headline }}", values, longest=LONGEST_TITLE, one_line=True)
        long = render(text, values, longest=LONGEST_TEXT, escape=escape)
    except RenderError as error:
        raise CheckFailed(ErrorClass.MISCONFIGURED, f"a template cannot be rendered: {error}") from None
    return Told(short, long, tuple(_facts(notice)), _tone(notice), context.page)


def variables(notice: Notice, context: DeliveryContext) -> Mapping[str, Any]:
    """What templates may name (see template_values). Each text is one line, empty where it is absent."""
    values = {
        "headline": _headline(notice),
        "why": _why(notice),
        "occasion": notice.occasion.value,
        "job_id": notice.job_id,
        "instance_id": notice.instance_id,
        "run": notice.run,
        "revision": notice.revision,
        "kind": notice.kind,
        "status": notice.status,
        "decided_by": notice.decided_by.value if notice.decided_by else "",
        "reason": notice.reason or "",
        "observed": notice.observed or "",
        "summary": notice.summary or "",
        "error": notice.error or "",
        "checks_performed": notice.checks_performed,
        "at": _moment(notice.at),
        "started_at": _moment(notice.started_at),
        "deadline": _moment(notice.deadline),
        "elapsed": duration(notice.elapsed_seconds),
        "left": _left(notice),
        "elapsed_seconds": notice.elapsed_seconds,
        "elapsed_percent": notice.elapsed_percent,
        "page": context.page or "",
        "source": context.source,
    }
    labels = {name: clean(value) for name, value in sorted(notice.labels.items())}
    return {name: clean(one) if isinstance(one, str) else one for name, one in values.items()} | {"labels": labels}


def _headline(notice: Notice) -> str:
    match notice.occasion:
        case Occasion.VERDICT:
            return f"{notice.status}: {notice.job_id}"
        case Occasion.TRANSITION:
            return f"Now {notice.observed}: {notice.job_id}"
        case Occasion.REMINDER:
            return f"Still waiting: {notice.job_id}"


def _why(notice: Notice) -> str:
    match notice.occasion:
        case Occasion.VERDICT:
            return notice.reason or ""
        case Occasion.TRANSITION:
            return notice.summary or f"The observed status is {notice.observed} now."
        case Occasion.REMINDER:
            return f"{notice.elapsed_percent:.0f} % of the time has passed; {_left(notice) or 'none'} is left."


def _facts(notice: Notice) -> Iterator[Fact]:
    yield Fact("Job", notice.job_id)
    if notice.observed:
        # Where a transition's text is the summary, it need not be said twice.
        parts = [notice.observed, notice.summary if notice.occasion is not Occasion.TRANSITION else None]
        yield Fact("Observed", _short(", ".join(part for part in parts if part)))
    if notice.error:
        yield Fact("Error", _short(notice.error))
    yield Fact("Waited", f"{duration(notice.elapsed_seconds)}, {count(notice.checks_performed, 'check')}")
    left = _left(notice) if notice.occasion is not Occasion.VERDICT else ""
    yield Fact("Deadline", _moment(notice.deadline) + (f", {left} left" if left else ""))
    if notice.decided_by in _WHO:
        yield Fact("Decided by", _WHO[notice.decided_by])
    yield from _labels(notice.labels)


def _labels(labels: Mapping[str, str]) -> Iterator[Fact]:
    room = _MOST_OF_LABELS
    for name, value in sorted(labels.items()):
        fact = Fact(name, _short(value, _LONGEST_LABEL) or _EMPTY)
        room -= len(fact.name) + len(fact.value)
        if room < 0:
            yield Fact("More labels", "on the monitor's page")
            return
        yield fact


def _tone(notice: Notice) -> Tone:
    return _TONES[Verdict(notice.status)] if notice.occasion is Occasion.VERDICT else Tone.PLAIN


def _left(notice: Notice) -> str:
    seconds = (notice.deadline - notice.at).total_seconds()
    return duration(seconds) if seconds > 0 else ""


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _short(text: str, longest: int = _LONGEST_VALUE) -> str:
    line = clean(text)
    return line if len(line) <= longest else line[: longest - 1] + CUT
