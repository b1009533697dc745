"""What an incoming webhook of Slack takes: blocks, and a text that says the same where blocks are unknown.

Within Slack's limits: a title of 150 characters, sections of 3,000, 50 blocks; those of wording.py see to it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from monitor_worker.channels.wording import MARKS, Fact, Told

_LONGEST_SECTION: Final = 3000
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# Mattermost and Rocket.Chat call whoever stands behind an @, and read [words](url) as a link. Between letters, as
# in an e-mail address, an @ calls nobody.
_CALLS: Final = re.compile(r"(?<![A-Za-z0-9])@(?=\w)|\](?=\()")
_NOTHING: Final = "\N{ZERO WIDTH SPACE}"

Json = dict[str, Any]


def escaped(value: str) -> str:
    """A value that is shown as it is: no entity, link, mention or command."""
    return _CALLS.sub(lambda found: found[0] + _NOTHING, value).translate(_ENTITIES)


def message(told: Told) -> Json:
    """What is posted.

    Args:
        told: its text has escaped values, its title none.
    """
    title, facts = f"{MARKS[told.tone]} {told.title}", [_line(fact) for fact in told.facts]
    link = [f"<{told.page}|Open the monitor>"] if told.page else []
    parts = [*([told.text] if told.text else []), *_sections(facts), *link]
    return {
        "text": "\n".join([f"*{escaped(title)}*", *parts]),
        "blocks": [_header(title), *(_section(part) for part in parts)],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _line(fact: Fact) -> str:
    return f"*{escaped(fact.name)}:* {escaped(fact.value)}"


def _sections(lines: Sequence[str]) -> Iterator[str]:
    """The lines, as many to a section as it takes."""
    section = ""
    for line in lines:
        if len(section) + len(line) >= _LONGEST_SECTION:
            yield section
            section = ""
        section += f"\n{line}" if section else line
    yield section


def _header(title: str) -> Json:
    return {"type": "header", "text": {"type": "plain_text", "text": title}}


def _section(text: str) -> Json:
    # Verbatim: nothing but what is marked up becomes a link or a mention.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
