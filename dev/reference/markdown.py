"""Markdown's few shapes that generated pages are made of."""

import re
from collections.abc import Iterable, Sequence


def code(text: object) -> str:
    """A piece of code in a line, which may stand in a table."""
    return f"`{text}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a `|` in a cell does not end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def anchor(heading: str) -> str:
    """The link to a heading of the same page, as GitHub makes it."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return "#" + kept.replace(" ", "-")


def prose(text: str) -> str:
    """A text that is meant as it stands: but for pieces of code nothing in it is taken for Markdown or HTML."""
    pieces = re.split(r"(`[^`]*`)", text)
    pieces[::2] = [re.sub(r"([*<\\])", r"\\\1", piece) for piece in pieces[::2]]
    return "".join(pieces)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
