"""The command line without a scheduler: help, what is refused, and a scheduler that is not there."""

import socket
import subprocess
import sys
import time

import pytest

from monitor_client.cli import main
from monitor_core.contract import request_schema
from monitor_core.kinds import BUILT_IN
from support.command_line import CLIENT, environment, run

HEAVY = (
    "durabletask",
    "grpc",
    "pydantic",
    "cel_expr_python",
    "azure",
    "aiohttp",
    "rich",
    "monitor_core",
    "asyncio",
)
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def help_page() -> str:
    ran = run("--help")
    assert (ran.code, ran.err) == (0, "")
    return ran.out


def test_help_shows_both_usages_with_examples_and_exit_codes(help_page: str) -> None:
    assert help_page.startswith(
        "Usage: client.py [JOB_ID] [POLLING_INTERVAL] [TIMEOUT] [OPTIONS]\n"
        "       client.py COMMAND [ARGUMENTS] [OPTIONS]\n"
    )
    for part in ("Examples:", "client.py job-1 2 600 --url", "Exit codes:", "Environment:", "{job_id}"):
        assert part in help_page
    assert "{program}" not in help_page


@pytest.mark.parametrize(
    "name",
    [
        "start", "explain", "watch", "show", "cancel", "check-now", "schema", "--file",
        "--url", "--method", "--header", "--body",
        "--expect",
        "--success-when", "--failure-when", "--backoff", "--max-interval", "--jitter", "--turn-seconds",
        "--no-retry-after", "--check-timeout", "--tolerate-errors", "--successes", "--label", "--allow-repeat",
        "--simulate-checks", "--simulate-outcome", "--output", "--quiet", "--restart", "--watch",
    ],
)  # fmt: skip
def test_help_names_every_command_and_option(help_page: str, name: str) -> None:
    assert f"{name} " in help_page


@pytest.mark.parametrize(
    "arguments", [["-h"], ["job-1", "--help"], ["job-1", "2", "--url", "http://h", "-h"], ["--quiet", "--help"]]
)
def test_the_plain_form_s_help_is_that_page(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert main(arguments) == 0
    assert capsys.readouterr().out == page


@pytest.mark.parametrize(
    "command",
    [
        "start",
        "explain",
        "watch",
        "show",
        "cancel",
        "check-now",
        "pause",
        "resume",
        "extend",
        "edit",
        "complete",
        "schema",
    ],
)
def test_a_command_s_help_says_what_it_takes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f" {command} [OPTIONS]" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from monitor_client.cli import main; main(['--help'])\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    services = CLIENT.parent, CLIENT.parent.parent / "shared"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(PYTHONPATH=":".join(map(str, services))),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == "LOADED []"


def test_the_installed_form_is_the_same_program(help_page: str) -> None:
    services = CLIENT.parent, CLIENT.parent.parent / "shared"
    ran = subprocess.run(
        [sys.executable, "-m", "monitor_client", "--help"],
        env=environment(PYTHONPATH=":".join(map(str, services))),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == help_page.replace("client.py", "python -m monitor_client")


def test_schema_is_the_contract_s() -> None:
    ran = run("schema")
    assert (ran.code, ran.json) == (0, request_schema(BUILT_IN))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["job-1", "0"], "POLLING_INTERVAL: should be greater than or equal to 0.1 (got 0)"),
        (["job-1", "-1"], "No such option: -1 (a number below 0 fits nowhere)"),
        (["--nope"], "No such option: --nope"),
        (["job-1", "-o", "xml"], "'xml' is not one of 'table', 'json', 'yaml', 'ids'"),
        (["", "1"], "JOB_ID: "),
        (["watch"], "Missing argument 'JOB_ID'"),
        (["cancel", "job-1", "--reason", "x" * 201], "--reason: should have at most 200 characters"),
        (["extend", "job-1", "1h"], "SECONDS: should be a number (got '1h')"),
        (["edit", "job-1"], "edit: should change at least one of interval_seconds"),
        (["edit", "job-1", "--interval", "1h"], "--interval: should be a number (got '1h')"),
        (["complete", "job-1", "--outcome", "Done"], "--outcome: should be 'Completed' or 'Failed' (got 'Done')"),
        (["start", "--url", "http://h/", "--success-when", "cod == 1"], "success_when: column 1: undeclared"),
        (["job-1", "--", "show"], "POLLING_INTERVAL: should be a number"),
        (["--url", "http://h/", "job-1", "x"], "POLLING_INTERVAL: should be a number"),
        (["job-1", "--jitter", "2", "1"], "--jitter: should be less than 1 (got 2)"),
    ],
)
def test_wrong_usage_is_one_clear_line(arguments: list[str], says: str) -> None:
    ran = run(*arguments, ENDPOINT=NOWHERE)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"ENDPOINT": "scheduler"}, "Error: ENDPOINT: should be http://host:port or https://host"),
        ({"LOG_LEVEL": "LOUD"}, "Error: LOG_LEVEL: "),
        ({"MONITOR_URL": "ftp://x"}, "Error: MONITOR_URL: should be an absolute http or https URL"),
    ],
)
def test_a_bad_setting_is_named(variables: dict[str, str], says: str) -> None:
    ran = run("job-1", **{"ENDPOINT": NOWHERE, **variables})
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith(says)


def test_an_argument_that_is_no_text_is_refused() -> None:
    ran = subprocess.run(
        [sys.executable, str(CLIENT), b"show", b"caf\xe9"],
        env=environment(ENDPOINT=NOWHERE, PYTHONUTF8="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert "no text" in ran.stderr


def test_a_dead_scheduler_is_told_within_15_seconds() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # it never listens
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        began = time.monotonic()
        ran = run("job-1", "1", "10", ENDPOINT=endpoint)
        took = time.monotonic() - began
    assert (ran.code, ran.out) == (6, "")
    assert ran.err.startswith(f"Error: cannot reach the scheduler at {endpoint}: connection refused (")
    assert ran.err.count("\n") == 1
    assert took < 15
