"""Where progress goes: a panel on a terminal, lines into a pipe, nothing when it is to be quiet."""

import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from durabletask.client import OrchestrationStatus as Runtime

from monitor_client.delivery_rows import TOLD
from monitor_client.display import Lines, Silent, display, print_rows
from monitor_client.terminal import Panel
from monitor_client.view import MonitorView, view_of
from support.fake_scheduler import NOON, Instance, request, result, status

GIVEN = {"request": request().model_dump(mode="json"), "run": "run-1"}
SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


def view(shown: dict[str, Any] | None = None, **instance: Any) -> MonitorView:
    return view_of(Instance(given=GIVEN, shown=shown, **instance).state("monitor-job-1"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def drawn(self) -> str:
        """What was written, without what only moves and colours."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


@pytest.fixture(autouse=True)
def _a_plain_xterm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_pipe_gets_lines_as_they_come() -> None:
    pipe = io.StringIO()
    lines = Lines(pipe, now=lambda: NOON)
    lines.note("a note")
    with lines.open():
        lines.show(view(runtime=Runtime.PENDING))
    assert pipe.getvalue() == "a note\n12:00:01Z job-1 Pending\n"


def test_a_warning_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Lines(io.StringIO()).warn("look")
    assert capsys.readouterr().err == "look\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    shown = display(Terminal(), quiet=True)
    assert isinstance(shown, Silent)
    with shown.open():
        shown.show(view())
        shown.note("x")
        shown.warn("y")
    assert capsys.readouterr() == ("", "")


def test_the_display_suits_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(display(io.StringIO(), quiet=False), Lines)
    assert isinstance(display(Terminal(), quiet=False), Panel)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(display(Terminal(), quiet=False), Lines)


def test_the_panel_counts_down_by_the_clock_alone() -> None:
    clock = iter(NOON + timedelta(seconds=second) for second in range(1000))
    last = NOON

    def now() -> datetime:
        nonlocal last
        last = next(clock)
        return last

    terminal = Terminal()
    panel = Panel(terminal, now=now)
    panel.show(view(status(deadline="2026-01-01T12:59:00Z")))
    with panel.open():
        for _ in range(3):
            panel.show(view(status(deadline="2026-01-01T12:59:00Z")))
    countdowns = re.findall(r"deadline +12:59:00Z \((in 58 min \d+ s)\)", terminal.drawn())
    assert len(set(countdowns)) >= 3


def test_the_panel_makes_way_and_gives_the_cursor_back() -> None:
    terminal = Terminal()
    panel = Panel(terminal, now=lambda: NOON)
    with panel.open():
        panel.show(view(status()))
        assert HIDE_CURSOR in terminal.getvalue()
        assert "observed" in terminal.drawn()
    ending = terminal.getvalue().rpartition(SHOW_CURSOR)
    assert ending[1]
    assert ending[2].count("\x1b[2K") >= 7, "the panel's lines are erased"


def test_no_line_of_the_panel_wraps_and_a_ctrl_c_still_fits_behind_it() -> None:
    terminal = Terminal()
    panel = Panel(terminal, now=lambda: NOON)
    with panel.open():
        panel.note("n")
        panel.show(view(status(error="long " * 100, summary="long " * 40)))
    lines = terminal.drawn().splitlines()
    assert any("…" in line for line in lines)
    assert max(len(line) for line in lines) <= 76


def test_the_panel_shows_the_last_few_transitions() -> None:
    transitions = [{"at": "2026-01-01T12:00:00Z", "status": f"step-{number}"} for number in range(10)]
    terminal = Terminal()
    panel = Panel(terminal, now=lambda: NOON)
    with panel.open():
        panel.show(view(status(transitions=transitions)))
    steps = re.findall(r"(\w*) +12:00:00Z (step-\d)", terminal.drawn())
    assert steps[:5] == [("transitions", "step-5"), *[("", f"step-{number}") for number in (6, 7, 8, 9)]]


def test_markup_in_what_was_observed_is_text() -> None:
    terminal = Terminal()
    panel = Panel(terminal, now=lambda: NOON)
    with panel.open():
        panel.note("[red]note[/red] :smile:")
        panel.show(view(status(observed="[bold]x[/bold] :smile: [/nope]")))
    assert "[red]note[/red] :smile:" in terminal.drawn()
    assert "[bold]x[/bold] :smile: [/nope]" in terminal.drawn()


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("1", False)])
def test_a_verdict_has_its_colour_unless_there_are_to_be_none(
    monkeypatch: pytest.MonkeyPatch, no_color: str | None, coloured: bool
) -> None:
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    terminal = Terminal()
    print_rows([("final_status", "Completed")], terminal)
    assert ("32" in "".join(re.findall(r"\x1b\[([0-9;]*)m", terminal.getvalue()))) is coloured
    assert "Completed" in terminal.drawn()


def test_rows_in_a_pipe_are_never_wrapped() -> None:
    pipe = io.StringIO()
    print_rows([("reason", "x" * 300), ("checks", "4")], pipe)
    assert pipe.getvalue() == f"reason  {'x' * 300}\nchecks  4\n"


def test_a_result_on_a_narrow_terminal_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    print_rows([("final_status", "Completed"), ("reason", "word " * 30)], terminal)
    assert terminal.drawn().count("word") == 30
    assert max(map(len, terminal.drawn().splitlines())) <= 40


def test_a_full_result_is_printed() -> None:
    from monitor_client.rows import result_rows  # noqa: PLC0415 # only here

    terminal = Terminal()
    print_rows(result_rows(view(runtime=Runtime.COMPLETED, output=result()), NOON), terminal)
    assert "the success condition holds (poll)" in terminal.drawn()


def test_an_interrupted_panel_leaves_what_was_last_known() -> None:
    terminal = Terminal()
    panel = Panel(terminal, now=lambda: NOON)
    panel.show(view(status()))
    with pytest.raises(KeyboardInterrupt), panel.open():
        raise KeyboardInterrupt
    assert "observed" in terminal.getvalue().rpartition(SHOW_CURSOR)[2]


def test_a_delivery_that_has_failed_is_red() -> None:
    terminal, red = Terminal(), "\x1b[31m"
    failed, delivered = "webhook verdict: failed after 1 attempt: gone", "webhook verdict: delivered (failed)"
    print_rows([("job_id", "x: failed"), (TOLD, delivered), ("", failed)], terminal)
    lines = terminal.getvalue().splitlines()
    assert [red in line for line in lines] == [False, False, True]
