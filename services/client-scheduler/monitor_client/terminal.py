"""The live panel and the coloured table of a terminal.

What was observed goes into `Text`, where no markup is read.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final, TextIO

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from monitor_client.delivery_rows import TOLD, is_failed
from monitor_client.rows import TRANSITIONS, Row, state_rows
from monitor_client.view import MonitorView, Phase
from monitor_core.contract import Verdict

_STYLES: Final[dict[str, str]] = {
    Verdict.COMPLETED: "bold green",
    Verdict.FAILED: "bold red",
    Verdict.TIMEOUT: "bold yellow",
    Verdict.CANCELLED: "bold magenta",
    Verdict.ERROR: "bold red",
    Phase.PENDING: "yellow",
    Phase.RUNNING: "cyan",
    Phase.PAUSED: "yellow",
    Phase.SUSPENDED: "yellow",
}
_STATES: Final = frozenset({"state", "final_status", "verdict"})
_SHOWN_TRANSITIONS: Final = 5
_REFRESHES_PER_SECOND: Final = 4
_MARGIN: Final = 4
"""Room for the terminal's own `^C` at the panel's end: where that breaks a line, a line of the panel stays."""
_NARROWEST: Final = 20


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Panel:
    """A few lines that stay in their place; the countdown in them ticks between two looks."""

    def __init__(self, stream: TextIO, now: Callable[[], datetime] = _utc_now) -> None:
        self._console = _console(stream)
        self._now = now
        self._view: MonitorView | None = None
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=sys.stderr.isatty(),
        )

    @contextmanager
    def open(self) -> Iterator[None]:
        """The panel stands until the end, and then makes way for the result; where none comes, it stays."""
        try:
            with self._live:
                yield
        except BaseException:  # Ctrl-C too: what was last known is all that there will be
            if self._view is not None:
                self._console.print(self._render())
            raise

    def show(self, view: MonitorView) -> None:
        """The panel shows this view from here on."""
        self._view = view
        self._live.refresh()

    def note(self, text: str) -> None:
        """One line above the panel."""
        self._console.print(Text(text))

    def warn(self, text: str) -> None:
        """One line on stderr; on this same terminal it stands above the panel."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201 # the user's terminal

    def _render(self) -> Table | Text:
        if self._view is None:
            return Text("Asking the scheduler ...")
        rows = _with_last_transitions(state_rows(self._view, self._now()))
        return _table(rows, self._console.width, in_one_line=True)


class TerminalBar:
    """How far a work of many parts is; gone when it is done."""

    def __init__(self, doing: str, parts: int, stream: TextIO) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=_console(stream),
            transient=True,
        )
        self._task = self._progress.add_task(doing, total=parts)

    def __enter__(self) -> object:
        """Take the screen."""
        return self._progress.__enter__()

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._progress.stop()

    def advance(self) -> None:
        """One part is done."""
        self._progress.advance(self._task)


def can_move(stream: TextIO) -> bool:
    """Whether the terminal can redraw what stands on it."""
    return not _console(stream).is_dumb_terminal


def print_table(rows: Sequence[Row], stream: TextIO) -> None:
    """The rows, the state in its colour."""
    console = _console(stream)
    console.print(_table(rows, console.width))


def _console(stream: TextIO) -> Console:
    return Console(file=stream, highlight=False, markup=False, emoji=False)


def _table(rows: Sequence[Row], width: int, *, in_one_line: bool = False) -> Table:
    table = Table.grid(padding=(0, 2))
    table.width = max(width - _MARGIN, _NARROWEST)
    table.add_column(style="dim", no_wrap=True)
    # The rest of the width, so that a long value does not take the labels' room. Without wrapping the panel keeps
    # its height whatever was observed.
    table.add_column(ratio=1, no_wrap=in_one_line, overflow="ellipsis" if in_one_line else "fold")
    group = ""
    for label, value in rows:
        group = label or group
        table.add_row(Text(label), Text(value, style=_style(group, value)))
    return table


def _style(group: str, value: str) -> str:
    if group in _STATES:
        return _STYLES.get(value.partition(" ")[0], "")
    return "red" if group == TOLD and is_failed(value) else ""


def _with_last_transitions(rows: list[Row]) -> list[Row]:
    """The rows with the last few transitions only: the panel has to fit a small terminal."""
    first = next((index for index, (label, _) in enumerate(rows) if label == TRANSITIONS), len(rows))
    following = [value for _, value in takewhile(lambda row: not row[0], rows[first + 1 :])]
    all_of_them = [value for _, value in rows[first : first + 1]] + following
    last = all_of_them[-_SHOWN_TRANSITIONS:]
    shown = [("" if index else TRANSITIONS, value) for index, value in enumerate(last)]
    return [*rows[:first], *shown, *rows[first + len(all_of_them) :]]
