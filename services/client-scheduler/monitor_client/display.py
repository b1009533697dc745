"""How progress and results reach the user: live on a terminal, line by line elsewhere, or not at all."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Final, Protocol, TextIO

from monitor_client import rows
from monitor_client.view import MonitorView

_FEW_PARTS: Final = 20


def utc_now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


class Display(Protocol):
    """Where the progress of one monitor is shown; `open` it around the watch."""

    def open(self) -> AbstractContextManager[object]:
        """Take the screen, and give it back at the end."""

    def show(self, view: MonitorView) -> None:
        """Show a change."""

    def note(self, text: str) -> None:
        """Say something once, in its place among the progress."""

    def warn(self, text: str) -> None:
        """Say on stderr what the user may have to see to."""


class Silent:
    """Shows nothing."""

    def open(self) -> AbstractContextManager[object]:
        """Nothing to take."""
        return nullcontext()

    def show(self, view: MonitorView) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def warn(self, text: str) -> None:
        """Nothing."""


class Lines:
    """One plain line a change, at once: who reads it may be waiting for it."""

    def __init__(self, stream: TextIO, now: Callable[[], datetime] = utc_now) -> None:
        self._stream = stream
        self._now = now

    def open(self) -> AbstractContextManager[object]:
        """Nothing to take."""
        return nullcontext()

    def show(self, view: MonitorView) -> None:
        """One line."""
        self.note(rows.progress_line(view, self._now()))

    def note(self, text: str) -> None:
        """One line."""
        print(text, file=self._stream, flush=True)

    def warn(self, text: str) -> None:
        """One line on stderr."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201 # the user's terminal


def display(stream: TextIO, *, quiet: bool) -> Display:
    """The display that suits where the progress goes."""
    if quiet:
        return Silent()
    if stream.isatty():
        from monitor_client.terminal import Panel, can_move  # noqa: PLC0415 # rich is for terminals

        if can_move(stream):
            return Panel(stream)
    return Lines(stream)


class Bar(Protocol):
    """How far a work of many parts is."""

    def __enter__(self) -> object:
        """Take the screen."""

    def __exit__(self, *_: object) -> None:
        """Give it back."""

    def advance(self) -> None:
        """One part is done."""


def progress_bar(doing: str, parts: int, stream: TextIO) -> Bar | None:
    """A bar for work of many parts on a terminal; None where each part is a line of its own."""
    if parts <= _FEW_PARTS or not stream.isatty():
        return None
    from monitor_client.terminal import TerminalBar  # noqa: PLC0415 # rich is for terminals

    return TerminalBar(doing, parts, stream)


def print_rows(some: Sequence[rows.Row], stream: TextIO) -> None:
    """Rows: coloured on a terminal, else plain and never wrapped."""
    if stream.isatty():
        from monitor_client.terminal import print_table  # noqa: PLC0415 # rich is for terminals

        print_table(some, stream)
    else:
        print("\n".join(rows.plain(some)), file=stream, flush=True)
