"""What people are told: what happened, to which job, why, how long it took, in words that fit on a phone."""

from datetime import timedelta
from typing import Any

import pytest

from monitor_core.channels.template_values import VARIABLES
from monitor_core.contract import ErrorClass, Notice
from monitor_worker.channels.base import CheckFailed
from monitor_worker.channels.wording import LONGEST_TEXT, LONGEST_TITLE, Told, Tone, told, variables
from support.notices import AT, PAGE, attempt, notice, reminder, transition


def tell(of: Notice, title: str = "{{ headline }}", text: str = "{{ why }}") -> Told:
    return told(of, attempt(), title, text)


def facts(of: Notice) -> dict[str, str]:
    return dict(tell(of).facts)


@pytest.mark.parametrize(
    ("of", "title", "text", "tone"),
    [
        (notice(), "Failed: nightly", "the failure condition holds: observed Broken (poll)", Tone.BAD),
        (notice(status="Completed", reason="done"), "Completed: nightly", "done", Tone.GOOD),
        (notice(status="Timeout", reason="late"), "Timeout: nightly", "late", Tone.DOUBTFUL),
        (notice(status="Cancelled", reason="away"), "Cancelled: nightly", "away", Tone.DOUBTFUL),
        (notice(status="Error", reason="broken"), "Error: nightly", "broken", Tone.BAD),
        (notice(reason=None), "Failed: nightly", "", Tone.BAD),
        (transition(), "Now Loading: nightly", "200 OK, 20 bytes in 3 ms", Tone.PLAIN),
        (transition(summary=None), "Now Loading: nightly", "The observed status is Loading now.", Tone.PLAIN),
        (reminder(), "Still waiting: nightly", "70 % of the time has passed; 30.0 s is left.", Tone.PLAIN),
        (
            reminder(deadline=AT, elapsed_percent=100.4),
            "Still waiting: nightly",
            "100 % of the time has passed; none is left.",
            Tone.PLAIN,
        ),
    ],
)
def test_it_begins_with_what_happened_and_why(of: Notice, title: str, text: str, tone: Tone) -> None:
    said = tell(of)
    assert (said.title, said.text, said.tone, said.page) == (title, text, tone, PAGE)


def test_then_the_figures() -> None:
    assert tell(notice()).facts == (
        ("Job", "nightly"),
        ("Observed", "Broken, 200 OK, 20 bytes in 3 ms"),
        ("Waited", "1 min 10 s, 7 checks"),
        ("Deadline", "2026-03-01 12:00:30 UTC"),
        ("team", "ops"),
    )


@pytest.mark.parametrize(
    ("of", "name", "value"),
    [
        (notice(error="503 from it"), "Error", "503 from it"),
        (notice(summary=None), "Observed", "Broken"),
        (transition(), "Observed", "Loading"),
        (notice(observed=None), "Observed", None),
        (notice(decided_by="operator"), "Decided by", "an operator"),
        (notice(decided_by="push"), "Decided by", "a push from outside"),
        (notice(decided_by="deadline"), "Decided by", None),
        (reminder(), "Deadline", "2026-03-01 12:00:30 UTC, 30.0 s left"),
        (reminder(deadline=AT), "Deadline", "2026-03-01 12:00:00 UTC"),
        (notice(checks_performed=1, elapsed_seconds=0.34), "Waited", "0.3 s, 1 check"),
        (notice(error="x" * 301), "Error", "x" * 299 + "…"),
        (notice(labels={"a": ""}), "a", "(empty)"),
        (notice(labels={"a": "y" * 101}), "a", "y" * 99 + "…"),
    ],
)
def test_a_figure(of: Notice, name: str, value: str | None) -> None:
    assert facts(of).get(name) == value


def test_labels_take_so_much_room_and_no_more() -> None:
    many = {f"label-{number:02}": "v" * 256 for number in range(32)}
    said = facts(notice(labels=many))
    assert said["More labels"] == "on the monitor's page"
    assert sum(len(name) + len(value) for name, value in said.items() if name in many) <= 2000


def test_nothing_of_a_stranger_s_breaks_a_line_or_hides_something() -> None:
    nasty = "a\r\nBcc: b\x1b[2J\u202ec\u2028d\x00e\ud800"
    of = notice(reason=nasty, summary=nasty, error=nasty, observed=nasty, labels={"team": nasty})
    said = tell(of, "{{ labels.team }}{{ observed }}", "{{ reason }}{{ summary }}{{ error }}")
    texts = [said.title, said.text, *(fact.value for fact in said.facts)]
    assert all(text.isprintable() for text in texts)
    assert sum("a Bcc: b [2J c d e" in text for text in texts) == 5


def test_titles_and_texts_are_cut() -> None:
    said = tell(notice(reason="r" * 1200), "{{ reason }}", "{{ reason }}" * 4)
    assert (len(said.title), len(said.text)) == (LONGEST_TITLE, LONGEST_TEXT)


def test_an_empty_title_is_the_headline() -> None:
    assert tell(notice(), "{{ error }} ").title == "Failed: nightly"


def test_a_template_that_cannot_be_rendered_is_misconfigured() -> None:
    with pytest.raises(CheckFailed, match="a template cannot be rendered: '>' not supported") as failed:
        tell(notice(), "{{ job_id > 5 }}")
    assert failed.value.error_class is ErrorClass.MISCONFIGURED


@pytest.mark.parametrize("of", [notice(), notice(decided_by=None, reason=None, observed=None), reminder()])
def test_templates_are_given_what_they_may_name_in_the_types_they_were_tried_with(of: Notice) -> None:
    values: Any = variables(of, attempt(page=None))
    assert values.keys() == VARIABLES.keys()
    assert {name: type(value) for name, value in values.items()} == {
        name: type(variable.sample) for name, variable in VARIABLES.items()
    }


def test_what_templates_may_name_says_what_it_says() -> None:
    of = reminder(started_at=AT - timedelta(hours=1), deadline=AT + timedelta(hours=2), elapsed_seconds=3600.0)
    said = tell(
        of, text="{{ at }}|{{ started_at }}|{{ deadline }}|{{ elapsed }}|{{ left }}|{{ page }}|{{ source }}"
    )
    assert said.text.split("|") == [
        "2026-03-01 12:00:00 UTC",
        "2026-03-01 11:00:00 UTC",
        "2026-03-01 14:00:00 UTC",
        "1 h",
        "2 h",
        PAGE,
        "/taskhubs/default",
    ]
