"""The command line against whatever is typed: one line says what is wrong, and nothing is half done."""

import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_client.cli import main
from support.strategies import examples

NOWHERE = "http://127.0.0.1:1"
"""Nobody listens there, and that is known at once."""
USAGE, UNREACHABLE = 2, 6
COMMANDS = (
    *("start", "explain", "wait", "list", "purge", "show", "cancel", "check-now", "pause", "resume", "extend"),
    *("edit", "complete", "wach"),
)
FLAGS = (
    *("--url", "--method", "--header", "--body", "--expect", "--success-when", "--failure-when", "--backoff"),
    *("--max-interval", "--jitter", "--turn-seconds", "--check-timeout", "--tolerate-errors", "--successes"),
    *("--label", "--simulate-checks", "--simulate-outcome", "--notify", "--notify-secret", "--reason", "--wait"),
    *("--deadline", "--interval", "--timeout", "--if-revision", "--outcome", "--state", "--verdict", "--prefix"),
    *("--created-after", "--limit", "-f", "-o", "--server"),
)
SWITCHES = ("--allow-repeat", "--no-retry-after", "--callback", "--restart", "--all", "--any", "--yes", "-q", "--")
VALUES = (
    *(
        "",
        " ",
        "0",
        "-1",
        "5",
        "1_0",
        "1e9",
        "1e999",
        "nan",
        "inf",
        "0x10",
        "\u00b2",
        "\u0663",
        "1" * 5000,
        "true",
    ),
    *("http://a.example/", "http://[", "http://a:99999/", "http://u:p@a/", "ftp://a", "http://{x}/", "//", "a=b"),
    *("=", "A: b", "Cookie: a", ": x", "[" * 5000, '{"a": NaN}', "null", "2xx", "9xx", "status ==", "{", "auto"),
    *("\x1b[31m", "a\nb", "\u202e", "x" * 3000, "json", "/nowhere/jobs.yaml", "/", "2026-01-01T00:00:00Z", "now"),
    *("env:MONITOR_SECRET_A", "Completed", "running", "stops", "https://a.example:0", "http://[::1]:x"),
)
values = st.sampled_from(VALUES) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)


@st.composite
def typed(draw: st.DrawFn) -> list[str]:
    """A command with options, of which it has some, and values, of which most are wrong."""
    words = [draw(st.sampled_from(COMMANDS) | values), *draw(st.lists(values, max_size=3))]
    for _ in range(draw(st.integers(0, 3))):
        words += draw(st.tuples(st.sampled_from(FLAGS), values) | st.tuples(st.sampled_from(SWITCHES)))
    return words


@pytest.fixture(scope="module", autouse=True)
def _nobody_is_there() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MONITOR_SERVER", NOWHERE)
        yield


def said(words: list[str]) -> tuple[int, list[str]]:
    """The exit code, and the lines on stderr."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as err:
        code = main(words)
    return code, err.getvalue().split("\n")[:-1]


@examples(80)
@given(words=typed())
def test_whatever_is_typed_one_line_says_what_is_wrong(words: list[str]) -> None:
    code, lines = said(words)
    assert code in {USAGE, UNREACHABLE}, lines
    assert len(lines) == 1
    assert lines[0].startswith("Error: ")
    assert lines[0].isprintable(), "nothing that a terminal would obey"
    assert len(lines[0]) < 5000


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["list", "--limit", "\u00b2"], "--limit: should be a whole number, 1 to 500 (got '\u00b2')"),
        (["list", "--limit", "1" * 5000], "--limit: should be a whole number, 1 to 500 (got '1111"),
        (
            ["wait", "j", "--timeout", "1e99"],
            "--timeout: should be a number of seconds, 0 to 31622400 (got '1e99')",
        ),
        (["show", "j", "--server", "http://["], "MONITOR_SERVER: Invalid IPv6 URL (got 'http://[')"),
        (["show", "j", "--server", "http://a:99999"], "MONITOR_SERVER: Port out of range 0-65535"),
        (["show", "j", "--server", "http://:80"], "MONITOR_SERVER: should be http://host:port or https://host"),
        (
            ["start", "j", "--url", "http://a/", "--method", "POST", "--body", "[" * 100_000],
            "--body: is nested too deeply",
        ),
        (["wait", *map(str, range(10_001))], "JOB_ID: there are 10,001, and should be at most 10,000"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_what_was_taken_for_a_defect_is_refused_by_its_name(words: list[str], says: str) -> None:
    code, lines = said(words)
    assert code == USAGE
    assert lines[0].startswith(f"Error: {says}")
